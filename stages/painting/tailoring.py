"""What a mask of each kind has on its fabric: pleats, seams, hems, a nose wire, a valve, and folds of wear.

Each is drawn into the texture (stages/painting/fabrics.py) as light and shadow, in the fabric's own place.
"""
import cv2
import numpy as np

from stages.painting.fabrics import HEIGHT, WIDTH, blend, cloud, grid


def crease(distance: np.ndarray, width: float, depth: float) -> np.ndarray:
    """Light (H, W) about a crease: dark at distance 0 (in heights of the texture), a bright lip on its positive side."""
    dark = np.exp(-(distance / width) ** 2)
    bright = np.exp(-((distance - 1.6 * width) / (1.3 * width)) ** 2)
    return 1 - depth * dark + 0.4 * depth * bright


def tailor(kind: str, texture: np.ndarray, wearing: str, rng: np.random.Generator) -> np.ndarray:
    """The texture of a mask with what its kind has, and with the folds that wearing it so makes."""
    light = SEWN[kind](rng)
    if wearing in ("on_chin", "hanging"):
        light = light * crumpled(rng, rng.integers(2, 5), rng.uniform(0.12, 0.35))
    elif rng.random() < 0.75:
        light = light * crumpled(rng, rng.integers(1, 4), rng.uniform(0.03, 0.16))
    texture = np.clip(texture * light.astype(np.float32)[..., None], 0, 1)
    if kind == "respirator" and rng.random() < 0.4:
        texture = valve(texture, rng)
    return texture


def hems(rng, width: float = 0.035) -> np.ndarray:
    """A sewn line along each edge, and the darker edge itself."""
    x, y = grid()
    wide = WIDTH / HEIGHT
    light = np.ones((HEIGHT, WIDTH), np.float32)
    depth = rng.uniform(0.03, 0.14)
    for far in (y, 1 - y, x, wide - x):
        light *= crease(far - width, 0.010, depth) * (1 - rng.uniform(0.05, 0.2) * np.exp(-far / 0.02))
    return light


def wire(rng) -> np.ndarray:
    """The ridge of a nose wire, below the middle of the upper edge."""
    x, y = grid()
    x = np.abs(x - WIDTH / HEIGHT / 2)
    ridge = np.exp(-((y - rng.uniform(0.05, 0.08)) / 0.016) ** 2) * (x < rng.uniform(0.22, 0.4))
    return 1 + rng.uniform(-0.1, 0.12) * cv2.GaussianBlur(ridge.astype(np.float32), (0, 0), 1.2)


def surgical(rng) -> np.ndarray:
    x, y = grid()
    across = (2 * x / (WIDTH / HEIGHT) - 1) ** 2
    light = hems(rng) * wire(rng)
    pleats = int(rng.choice([3, 3, 3, 2, 4]))
    opened, depth, width = rng.uniform(-0.04, 0.08), rng.uniform(0.10, 0.32), rng.uniform(0.012, 0.028)
    for place in np.linspace(rng.uniform(0.22, 0.34), rng.uniform(0.62, 0.8), pleats):
        bent = place + rng.normal(0, 0.012) + opened * (1 - across) * (1 if place > 0.5 else -1) + 0.01 * cloud(rng, 2)
        light *= crease((y - bent) * rng.choice([1, -1], p=[0.8, 0.2]), width, depth * rng.uniform(0.7, 1.2))
    return light


def folded(rng) -> np.ndarray:
    """KF94: two horizontal seams, the upper one bowed; or a duckbill or 2D mask: one seam down the middle."""
    x, y = grid()
    across = 2 * x / (WIDTH / HEIGHT) - 1
    light = hems(rng, rng.uniform(0.03, 0.06)) * wire(rng)
    depth = rng.uniform(0.08, 0.25)
    if rng.random() < 0.6:
        for place, bow in ((rng.uniform(0.26, 0.4), rng.uniform(0.0, 0.16)), (rng.uniform(0.62, 0.76), -rng.uniform(0, 0.14))):
            far = y - place - bow * across**2
            light *= crease(far, rng.uniform(0.008, 0.02), depth) * (1 + (far < 0) * rng.uniform(-0.08, 0.05))
        return light
    return light * crease(across / 2, rng.uniform(0.006, 0.016), depth) * (1 - 0.1 * (across > 0) * rng.uniform(-1, 1))


def cloth(rng) -> np.ndarray:
    x, y = grid()
    across = 2 * x / (WIDTH / HEIGHT) - 1
    light = hems(rng, rng.uniform(0.02, 0.06)) if rng.random() < 0.75 else np.ones((HEIGHT, WIDTH), np.float32)
    style = rng.random()
    if style < 0.45:
        light = light * crease(across / 2 + 0.06 * (y - 0.5) ** 2, rng.uniform(0.006, 0.018), rng.uniform(0.08, 0.3))
    elif style < 0.6:
        light = light * surgical(rng)
    return light


def respirator(rng) -> np.ndarray:
    """A moulded cup: a rim, and often an embossed ring or ribs."""
    x, y = grid()
    across, down = 2 * x / (WIDTH / HEIGHT) - 1, 2 * y - 1
    light = hems(rng, rng.uniform(0.05, 0.09)) * wire(rng)
    if rng.random() < 0.5:
        light = light * crease(0.72 - np.hypot(across, down), 0.02, rng.uniform(0.05, 0.2))
    elif rng.random() < 0.6:
        for place in (0.33, 0.66):
            light = light * crease(y - place, 0.012, rng.uniform(0.05, 0.18))
    return light * (1 - rng.uniform(0.0, 0.25) * np.clip(np.hypot(across, down) - 0.3, 0, 1) ** 2)


def crumpled(rng, cells: int, depth: float) -> np.ndarray:
    """Folds of wear: smooth light and shadow, and a few long creases from the corners."""
    light = 1 + depth * 0.35 * np.clip(cloud(rng, int(cells)), -2, 2)
    x, y = grid()
    for _ in range(rng.integers(0, 4)):
        corner = rng.choice([0, WIDTH / HEIGHT]), rng.uniform(0, 1)
        angle = rng.uniform(-0.5, 0.5)
        far = (y - corner[1]) * np.cos(angle) - (x - corner[0]) * np.sin(angle)
        near = np.exp(-(np.abs(x - corner[0]) / rng.uniform(0.2, 0.7)) ** 2)
        light = light * (1 - near * (1 - crease(far, rng.uniform(0.01, 0.03), depth)))
    return light


def valve(texture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A round or square valve of plastic, on one cheek or in the middle."""
    x, y = grid()
    dx, dy = x - rng.choice([0.5, 0.62, 0.38]) * WIDTH / HEIGHT, y - rng.uniform(0.5, 0.65)
    power = rng.choice([2, 4])
    far = (np.abs(dx) ** power + np.abs(dy) ** power) ** (1 / power) / rng.uniform(0.11, 0.16)
    colour = rng.choice([[0.9, 0.9, 0.9], [0.75, 0.77, 0.8], [0.15, 0.15, 0.16], [0.85, 0.75, 0.2]])
    texture = blend(texture, np.clip((1 - far) * 12, 0, 1), np.asarray(colour))
    shade = 1 - 0.35 * np.exp(-((far - 1.05) / 0.08) ** 2) + 0.15 * np.exp(-((far - 0.7) / 0.1) ** 2)
    ribs = 1 - 0.2 * (far < 0.65) * (np.sin(dy * 150) > 0.3)
    return np.clip(texture * (shade * ribs).astype(np.float32)[..., None], 0, 1)


SEWN = {"surgical": surgical, "folded": folded, "cloth": cloth, "respirator": respirator}
