"""Render synthetic photos of people with NumPy and OpenCV, so that the pipeline runs without data.

A person is a Look. A photo is drawn from the look, the way the mask is worn, and what differs between photos of one
person: framing, tilt, expression, mask, background, light and noise.

    rng = np.random.default_rng(7)
    look = draw_look(gender=1, age=64, rng=rng)
    photo = draw_photo(look, mask=BARE, rng=rng)
"""
import cv2
import numpy as np

from stages.synthetic.appearance import Look
from stages.synthetic.canvas import NEUTRAL, Canvas
from stages.synthetic.masks import BARE, draw_mask
from stages.synthetic.portrait import draw_portrait

WIDTH, HEIGHT = 384, 512  # pixels, as in the contest


def draw_photo(look: Look, mask: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a photo of a person: (512, 384, 3) uint8, RGB. mask: 0 worn, 1 worn wrongly, 2 not worn.

    The face is 170 to 260 pixels wide, near the middle of the photo, and tilted by a few degrees.
    """
    scale = np.clip(rng.normal(106, 8), 88, 126)  # pixels for half the face's width
    tilt = np.clip(rng.normal(0, 0.05), -0.12, 0.12)
    turn = rng.normal(0, 0.05)  # a turned head shifts the features sideways
    middle = (WIDTH / 2 + rng.normal(0, 9), HEIGHT / 2 - 0.18 * scale + rng.normal(0, 12))
    smile = rng.uniform(-0.3, 1)
    canvas = Canvas(draw_background(rng), middle, scale, tilt)
    gaze = rng.uniform(-0.03, 0.03)
    draw_portrait(canvas, look, turn, smile, gaze)
    if mask != BARE:
        draw_mask(canvas, look, mask, turn, rng)
    return add_noise(light_photo(canvas.image, rng), rng)


def draw_background(rng: np.random.Generator) -> np.ndarray:
    """A wall with a soft gradient and a few blurred shapes, (512, 384, 3) uint8."""
    wall = rng.uniform(70, 235) + rng.normal(0, 12, 3)
    small = np.empty((16, 12, 3), np.float32)
    small[:] = wall + np.linspace(rng.uniform(-25, 25), rng.uniform(-25, 25), 16)[:, None, None]
    for _ in range(rng.integers(0, 4)):
        x, y = rng.integers(0, 12), rng.integers(0, 16)
        small[y:y + rng.integers(2, 9), x:x + rng.integers(1, 5)] += rng.normal(0, 22, 3)
    small = cv2.GaussianBlur(small, (0, 0), 0.7)
    return cv2.resize(np.clip(small, 0, 255).astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def light_photo(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Apply light from one side, exposure, a colour cast and lens blur. image: (512, 384, 3) uint8, as returned."""
    gain = rng.uniform(0.78, 1.12) * np.exp(rng.normal(0, 0.035, 3))
    corners = np.ones((2, 2, 3)) + np.array([[1, 1], [-1, -1]])[..., None] * rng.normal(0, 0.06)
    corners += np.array([[1, -1], [1, -1]])[..., None] * rng.normal(0, 0.09)
    light = np.clip(corners * gain * NEUTRAL, 0, 255).astype(np.uint8)
    image = cv2.multiply(image, cv2.resize(light, (WIDTH, HEIGHT)), None, 1 / NEUTRAL)
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.0))


def add_noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add sensor noise, the same in all three channels. image: (512, 384, 3) uint8, as returned."""
    strength = int(rng.integers(4, 12))
    noise = np.frombuffer(rng.bytes(HEIGHT * WIDTH), np.uint8).reshape(HEIGHT, WIDTH) % np.uint8(2 * strength)
    return cv2.subtract(cv2.add(image, cv2.merge([noise] * 3)), (strength,) * 4)
