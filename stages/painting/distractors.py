"""What covers a bare face without being a mask: a hand, a scarf at the chin, a phone, a cup, a microphone.

All are drawn flat in the plane of the face, in distances of the eyes about the middle between them, with round shading.
"""
import cv2
import numpy as np

from stages.painting.fabrics import HEIGHT, PAINT, PATTERN_SHARES, PATTERNS, WIDTH, any_colour
from stages.painting.layers import Layer
from stages.painting.pose import Pose
from stages.painting.scene import Scene

NAMES = ("hand", "scarf", "phone", "cup", "microphone")


def paint_distractor(photo: np.ndarray, pose: Pose, name: str, rng: np.random.Generator) -> np.ndarray:
    """A copy of the photo (H, W, 3) uint8, RGB, with one of NAMES before the lower face."""
    scene = Scene(photo, pose, rng)
    layer = scene.layer()
    DRAW[name](scene, layer, rng)
    return scene.photo_with(photo, layer, rng)


def plane(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """x and y (H, W) of each pixel of a layer in distances of the eyes, turned with the head's roll."""
    pose, over = scene.pose, scene.over
    y, x = np.mgrid[:scene.pixels.shape[0] * over, :scene.pixels.shape[1] * over].astype(np.float32) / over
    x, y = (x - pose.shift[0]) / pose.scale, (y - pose.shift[1]) / pose.scale
    c, s = np.cos(pose.roll), np.sin(pose.roll)
    return (x * c + y * s).astype(np.float32), (y * c - x * s).astype(np.float32)


def centre(scene: Scene) -> tuple[float, float]:
    """Where the mouth is in that plane: a turned head's is off the middle."""
    return 0.35 * float(np.sin(scene.pose.yaw)), scene.pose.mouth * float(np.cos(scene.pose.pitch))


def capsule(x: np.ndarray, y: np.ndarray, start, end, wide: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """How deep each pixel lies within a rod from start to end, 1 on its line, 0 at its rim; and how far along it, 0 to 1."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
    radius = wide[0] + (wide[1] - wide[0]) * along
    return 1 - np.hypot(x - x0 - along * dx, y - y0 - along * dy) / radius, along


def edge(scene: Scene, depth: np.ndarray, radius: float) -> np.ndarray:
    """Cover (H, W), 0 to 1, of what has `depth` above 0 (as of a capsule of this radius), with an edge of a pixel."""
    return np.clip(depth * radius * scene.pose.scale * scene.over + 0.5, 0, 1)


def rounded(depth: np.ndarray, strength: float) -> np.ndarray:
    """Light on something round: 1 in the middle, darker to the rim."""
    return 1 - strength * np.clip(1 - depth, 0, 1) ** 2.5


def lay_over(scene, layer: Layer, cover, colour, rng, strength: float = 0.4) -> None:
    layer.cast(cover, scene.pose.scale * scene.over, strength, rng.uniform(-1, 1))
    layer.over(colour, cover)


def skin_colour(scene, rng) -> np.ndarray:
    """This face's skin, as a share of what white would be there."""
    return np.clip(scene.look.skin / scene.look.white * rng.uniform(0.85, 1.05) * (1 + rng.normal(0, 0.03, 3)), 0.03, 1)


def fingers(scene, layer, rng, tips: list, roots: list, radius: float) -> None:
    """Fingers from their roots to their tips, each with a nail and a crease at its joints."""
    x, y = plane(scene)
    skin = skin_colour(scene, rng)
    for tip, root in zip(tips, roots):
        depth, along = capsule(x, y, root, tip, (radius * 1.12, radius * 0.82))
        light = rounded(depth, 0.5) * (1 - 0.12 * np.exp(-((along - 0.55) / 0.03) ** 2))
        nail, _ = capsule(x, y, tip, np.add(tip, np.subtract(root, tip) * 0.06), (radius * 0.5, radius * 0.55))
        colour = skin * light[..., None]
        nails = np.clip(nail * 6, 0, 1)[..., None] * 0.5
        colour = colour * (1 - nails) + np.clip(skin * 1.15 + (0.04, 0, 0.01), 0, 1) * nails
        lay_over(scene, layer, edge(scene, depth, radius), colour, rng, 0.3)


def palm(scene, layer, rng, start, end, wide) -> None:
    x, y = plane(scene)
    depth, _ = capsule(x, y, start, end, wide)
    lay_over(scene, layer, edge(scene, depth, wide[0]), skin_colour(scene, rng) * rounded(depth, 0.35)[..., None], rng)


def hand(scene, layer, rng) -> None:
    """A hand from below or from one side, its fingers over the mouth, the cheek or the chin."""
    (mx, my), side = centre(scene), rng.choice([-1, 1])
    radius, count = rng.uniform(0.10, 0.14), int(rng.integers(2, 5))
    reach, drop = rng.uniform(-0.45, 0.25), rng.uniform(-0.15, 0.35)
    steep = rng.uniform(-0.4, 1.2)
    tips = [(mx - side * (reach + rng.uniform(-0.05, 0.05)), my + drop + i * radius * 1.95) for i in range(count)]
    roots = [(mx + side * rng.uniform(0.85, 0.95), my + drop + 0.5 * steep + i * radius * 2.0) for i in range(count)]
    middle = np.mean(roots, axis=0)
    palm(scene, layer, rng, middle, (middle[0] + side * 0.6, middle[1] + 0.5 + 0.6 * steep),
         (radius * count * 1.02, radius * count * 1.1))
    fingers(scene, layer, rng, tips, roots, radius)


def scarf(scene, layer, rng) -> None:
    """A scarf about the neck, up to the chin or the lower lip, with folds."""
    x, y = plane(scene)
    mx, my = centre(scene)
    top = my + rng.uniform(0.28, 0.6) + 0.10 * np.cos(2.2 * (x - mx) + rng.uniform(-0.5, 0.5)) - 0.15 * np.abs(x - mx) ** 1.5
    depth = np.minimum(y - top, 1.5 + rng.uniform(0, 0.4) - np.abs(x - 0.5 * mx))
    texture = np.broadcast_to(any_colour(rng).astype(np.float32), (HEIGHT, WIDTH, 3)).copy()
    texture = PAINT[rng.choice(PATTERNS, p=PATTERN_SHARES)](texture, rng)
    size = rng.uniform(60, 140)
    colour = cv2.remap(texture, (x * size) % (WIDTH - 1), ((y + 0.15 * np.sin(2 * x)) * size) % (HEIGHT - 1), cv2.INTER_LINEAR)
    folds = 1 + rng.uniform(0.08, 0.25) * np.sin((y - top) * rng.uniform(9, 18) + 1.5 * x * rng.uniform(-1, 1) + np.sin(3 * x))
    folds *= 1 - 0.35 * np.exp(-np.clip(depth, 0, None) / 0.08)
    lay_over(scene, layer, edge(scene, depth, 1.0), np.clip(colour * folds[..., None], 0, 1), rng, 0.5)


def box(x, y, at, half: tuple, turn: float, corner: float) -> np.ndarray:
    """Distance (H, W) into a turned box with round corners; below 0 outside."""
    c, s = np.cos(turn), np.sin(turn)
    u, v = (x - at[0]) * c + (y - at[1]) * s, (y - at[1]) * c - (x - at[0]) * s
    du, dv = np.abs(u) - half[0] + corner, np.abs(v) - half[1] + corner
    return corner - np.hypot(np.maximum(du, 0), np.maximum(dv, 0)) - np.minimum(np.maximum(du, dv), 0)


def phone(scene, layer, rng) -> None:
    """A phone at the cheek or before the mouth, and the fingers that hold it."""
    x, y = plane(scene)
    (mx, my), side = centre(scene), rng.choice([-1, 1])
    at = (mx + side * rng.uniform(0.0, 0.95), my + rng.uniform(-0.1, 0.45))
    half, turn = (rng.uniform(0.42, 0.52), rng.uniform(0.85, 1.05)), rng.uniform(-0.5, 0.5)
    if rng.random() < 0.5:
        half = half[::-1] if rng.random() < 0.4 else half
        at = (at[0], my + half[1] * rng.uniform(0.6, 1.0))
    depth = box(x, y, at, half, turn, 0.1)
    case = any_colour(rng)
    colour = case * (1 - 0.3 * np.exp(-np.clip(depth, 0, None) / 0.03) + 0.15 * (x - at[0]) * rng.uniform(-1, 1))[..., None]
    lens = box(x, y, (at[0] - 0.2, at[1] - 0.6 * half[1]), (0.12, 0.16), turn, 0.08)
    colour = np.where((lens > 0)[..., None], np.float32(0.05) + np.exp(-((lens - 0.09) / 0.02) ** 2)[..., None] * 0.3, colour)
    lay_over(scene, layer, edge(scene, depth, 1.0), np.clip(colour, 0, 1), rng)
    rim = at[0] + side * half[0]
    tips = [(rim - side * 0.25, at[1] + 0.1 + i * 0.25) for i in range(3)]
    fingers(scene, layer, rng, tips, [(tip[0] + side * 0.7, tip[1] + 0.25) for tip in tips], 0.12)


def cup(scene, layer, rng) -> None:
    """A cup or glass before the mouth, and the fingers around it."""
    x, y = plane(scene)
    (mx, my), side = centre(scene), rng.choice([-1, 1])
    top, wide, high = my + rng.uniform(-0.15, 0.15), rng.uniform(0.34, 0.5), rng.uniform(0.8, 1.2)
    across = (x - mx - rng.uniform(-0.1, 0.1)) / (wide * (1 - 0.22 * np.clip((y - top) / high, 0, 1)))
    bow = 0.10 * np.sqrt(np.clip(1 - across**2, 0, 1))
    depth = np.minimum(np.minimum(y - top + bow, top + high + bow - y), (1 - np.abs(across)) * wide)
    colour = any_colour(rng) * (1 - 0.45 * across**2 + 0.12 * np.exp(-((across + 0.4) / 0.12) ** 2))[..., None]
    lid = (y - top < 0.12)[..., None]
    colour = np.where(lid, (0.9 - 0.3 * across**2)[..., None] * np.ones(3), colour)
    lay_over(scene, layer, edge(scene, depth, 1.0), np.clip(colour, 0, 1), rng)
    tips = [(mx - side * rng.uniform(0.1, 0.25), top + 0.3 + i * 0.24) for i in range(3)]
    fingers(scene, layer, rng, tips, [(mx + side * 0.8, tip[1] + 0.15) for tip in tips], 0.12)


def microphone(scene, layer, rng) -> None:
    """A microphone's ball before the mouth or chin, on a rod that a hand holds below."""
    x, y = plane(scene)
    (mx, my), side = centre(scene), rng.choice([-1, 1])
    at, radius = (mx + side * rng.uniform(0, 0.35), my + rng.uniform(0.0, 0.4)), rng.uniform(0.2, 0.34)
    end = (at[0] + side * rng.uniform(0.1, 0.9), at[1] + 1.6)
    depth, _ = capsule(x, y, at, end, (radius * 0.5, radius * 0.4))
    lay_over(scene, layer, edge(scene, depth, radius * 0.5), np.full(3, rng.choice([0.07, 0.2, 0.6]))
             * rounded(depth, 0.6)[..., None], rng)
    ball = 1 - np.hypot(x - at[0], y - at[1]) / radius
    net = 1 + 0.25 * np.sin(x * 130) * np.sin(y * 130)
    lay_over(scene, layer, edge(scene, ball, radius), np.full(3, rng.choice([0.06, 0.15, 0.45]))
             * (rounded(ball, 0.7) * net)[..., None], rng)
    fingers(scene, layer, rng, [(end[0] * 0.5 + at[0] * 0.5 - side * 0.12, at[1] + 0.75 + i * 0.22) for i in range(3)],
            [(end[0] * 0.5 + at[0] * 0.5 + side * 0.5, at[1] + 0.85 + i * 0.22) for i in range(3)], 0.11)


DRAW = {"hand": hand, "scarf": scarf, "phone": phone, "cup": cup, "microphone": microphone}
