"""Paint one mask on one face: lay the sheet, render it, and put it into the photo."""
import cv2
import numpy as np

from stages.painting.fabrics import any_colour, fabric
from stages.painting.layers import Layer
from stages.painting.mesh import render
from stages.painting.pose import Pose
from stages.painting.scene import Scene
from stages.painting.sheets import Sheet, draw_sheet, hang, lay, texture_grid
from stages.painting.straps import COLOURS, draw_straps, stroke
from stages.painting.surface import place, section
from stages.painting.tailoring import tailor


def paint_mask(photo: np.ndarray, pose: Pose, kind: str, wearing: str, rng: np.random.Generator) -> np.ndarray:
    """A copy of the photo (H, W, 3) uint8, RGB, with a mask of this kind worn so on the face of this pose."""
    scene = Scene(photo, pose, rng)
    texture, layer = tailor(kind, fabric(kind, rng), wearing, rng), scene.layer()
    grid = texture_grid()
    if wearing == "hanging":
        draw_hanging(scene, layer, kind, texture, grid, rng)
    else:
        sheet = draw_sheet(kind, wearing, rng)
        draw_loops(scene, layer, sheet, kind, wearing, texture, rng)
        points = lay(sheet, wearing, grid)
        put(scene, layer, points, grid, texture, rng)
    return scene.photo_with(photo, layer, rng)


def draw_loops(scene: Scene, layer: Layer, sheet: Sheet, kind: str, wearing: str, texture: np.ndarray, rng) -> None:
    """Loops or straps, below the sheet."""
    ends = {(side, low): (side * reach * 0.97, y + sheet.tilt * side) for side in (-1, 1) for low, reach, y in (
        (False, sheet.reach_top, sheet.top_side + 0.03), (True, sheet.reach_bottom, sheet.bottom_side - 0.05))}
    strapped = rng.random() < {"respirator": 0.85, "folded": 0.15, "cloth": 0.12, "surgical": 0.04}[kind]
    colour = np.asarray(COLOURS[rng.integers(len(COLOURS))])
    if rng.random() < 0.4:
        colour = texture.mean((0, 1)) if rng.random() < 0.7 else any_colour(rng)
    hidden = scene.skin_like() if rng.random() < 0.8 else np.ones_like(layer.cover)
    if rng.random() < 0.93:
        draw_straps(layer, ends, scene.pose, strapped, colour, hidden, scene.over, rng)


def put(scene: Scene, layer: Layer, points: np.ndarray, grid: np.ndarray, texture: np.ndarray, rng, flat: bool = False) -> None:
    """Render the sheet's points (rows, columns, 3) with its texture into the layer, and its shadow on the skin."""
    placed = place(points, scene.pose)
    placed[..., :2] *= scene.over
    values = np.concatenate([grid, relief(placed, scene.pose.scale * scene.over, rng)[..., None]], -1)
    found, covered = render(placed, values, layer.cover.shape, both_sides=flat)
    width = max(8.0, np.ptp(placed[..., 0]))
    size = int(np.clip(width, 24, texture.shape[1])), int(np.clip(width * 0.67, 16, texture.shape[0]))
    texture = cv2.resize(texture, size, interpolation=cv2.INTER_AREA)
    colour = cv2.remap(texture, found[..., 0] * (size[0] - 1), found[..., 1] * (size[1] - 1), cv2.INTER_LINEAR,
                       borderMode=cv2.BORDER_REPLICATE)
    cover = covered.astype(np.float32)
    layer.cast(cover, scene.pose.scale * scene.over, rng.uniform(0.15, 0.5), rng.uniform(-1, 1))
    sheen = rng.uniform(0, 0.05) * np.clip(found[..., 2:] - 0.8, 0, None) * 4  # what even black cloth throws back
    layer.over(colour * found[..., 2:] + sheen, cover)


def relief(placed: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Light on each point of a sheet (rows, columns) by its slope: soft, from above, and a little from one side."""
    head = placed / (scale, scale, 1)
    normal = np.cross(np.gradient(head, axis=1), np.gradient(head, axis=0))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
    light = np.array([rng.uniform(-0.5, 0.5), rng.uniform(-0.8, -0.1), 0.8])
    strength = rng.uniform(0.25, 0.8)
    return 1 - strength * 0.45 + strength * np.clip(normal @ (light / np.linalg.norm(light)), -0.3, 1) * 0.6


def draw_hanging(scene: Scene, layer: Layer, kind: str, texture: np.ndarray, grid: np.ndarray, rng) -> None:
    """A mask that hangs by a loop from the ear that is seen."""
    side = -1 if scene.pose.yaw > 0.15 else 1 if scene.pose.yaw < -0.15 else int(rng.choice([-1, 1]))
    points = hang(side, kind, rng, grid)
    ear = section(np.array(side * 1.45), np.array(rng.uniform(0.1, 0.3)))
    for corner in (points[0, 0], points[0, -1]):
        line = place(np.stack([ear, (ear + corner) / 2 + (side * 0.03, 0, 0), corner]), scene.pose)[:, :2] * scene.over
        drawn = stroke(layer.cover.shape, line, rng.uniform(0.025, 0.05) * scene.pose.scale * scene.over)
        layer.over(np.asarray(COLOURS[0]) * 0.85, drawn)
    put(scene, layer, points, grid, np.ascontiguousarray(np.rot90(texture)), rng, flat=True)
