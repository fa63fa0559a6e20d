"""How a mask lies on the lower face: its edges by kind, size and wearing, as a grid of points over the surface."""
from typing import NamedTuple

import numpy as np

from stages.painting.surface import section

KINDS = ("surgical", "folded", "cloth", "respirator")
ROWS, COLUMNS = 22, 30


class Sheet(NamedTuple):
    """Heights are y of the average face in head coordinates, angles radians from the middle of the face."""
    top: float            # of the upper edge in the middle
    top_side: float       # of the upper edge at its ends
    bottom: float         # of the lower edge in the middle
    bottom_side: float    # of the lower edge at its ends
    reach_top: float      # angle of the ends of the upper edge
    reach_bottom: float   # angle of the ends of the lower edge
    arch: float           # exponent of the upper edge: 1 a roof, 2 a bow, higher a flat edge with round ends
    jaw: float            # the same of the lower edge
    puff: float           # how far the sheet stands off the face, in distances of the eyes
    beak: float           # share of the puff that a crease down the middle takes
    tilt: float           # how much lower the right end hangs than the left
    wide: float           # width of this face, as a share of the average one's


def draw_sheet(kind: str, wearing: str, rng: np.random.Generator) -> Sheet:
    """A sheet of a kind of KINDS, of any size, worn well, under_nose or on_chin."""
    u, size = rng.uniform, rng.normal(0, 1)
    angle = np.deg2rad
    sheet = {
        "surgical": lambda: Sheet(u(0.26, 0.46), u(0.5, 0.72), u(1.70, 1.90), u(1.16, 1.46), angle(u(60, 80)), angle(u(56, 76)),
                                  u(1.3, 2.2), u(1.8, 3.6), u(0.02, 0.10), 0.0, 0, 1),
        "folded": lambda: Sheet(u(0.20, 0.42), u(0.62, 0.84), u(1.72, 1.86), u(1.0, 1.22), angle(u(64, 82)), angle(u(62, 80)),
                                u(1.1, 1.6), u(1.3, 2.0), u(0.08, 0.2), u(0.2, 0.9), 0, 1),
        "cloth": lambda: Sheet(u(0.24, 0.5), u(0.46, 0.8), u(1.72, 1.92), u(1.08, 1.4), angle(u(62, 84)), angle(u(58, 80)),
                               u(1.1, 2.2), u(1.3, 2.6), u(0.01, 0.12), u(0.0, 0.8), 0, 1),
        "respirator": lambda: Sheet(u(0.24, 0.4), u(0.74, 0.9), u(1.66, 1.82), u(1.06, 1.2), angle(u(48, 66)), angle(u(46, 60)),
                                    u(1.5, 2.2), u(1.7, 2.4), u(0.14, 0.26), u(0.0, 0.3), 0, 1),
    }[kind]()
    grown = 0.05 * size
    sheet = sheet._replace(bottom=sheet.bottom + max(grown, -0.06), bottom_side=sheet.bottom_side + grown,
                           reach_top=sheet.reach_top + grown, reach_bottom=sheet.reach_bottom + grown,
                           tilt=rng.normal(0, 0.03), wide=1 + abs(rng.normal(0, 0.05)) if rng.random() < 0.4 else 1.0)
    return moved(sheet, wearing, rng)


def moved(sheet: Sheet, wearing: str, rng: np.random.Generator) -> Sheet:
    """The sheet pulled down under the nose or onto the chin; unchanged if worn well."""
    u = rng.uniform
    if wearing == "under_nose":  # the nostrils lie at about y 0.74
        top = u(0.80, 0.97)
        side = top + u(-0.18, 0.2)
        return sheet._replace(top=top, top_side=side, bottom=sheet.bottom + u(-0.04, 0.16), arch=u(1.4, 4),
                              bottom_side=max(sheet.bottom_side, side + 0.3) + u(0, 0.1), puff=0.5 * sheet.puff)
    if wearing == "on_chin":
        top = u(1.22, 1.48)
        side = top + u(-0.32, 0.16)
        return sheet._replace(top=top, top_side=side, bottom=u(1.76, 2.15), arch=u(1.4, 5), puff=u(0.02, 0.10), jaw=u(1.4, 4.5),
                              bottom_side=side + u(0.2, 0.5), tilt=sheet.tilt * 2)
    return sheet


def texture_grid() -> np.ndarray:
    """Where each point of the grid lies in the fabric, (ROWS, COLUMNS, 2): across and down, 0 to 1."""
    across = (1 - np.cos(np.linspace(0, np.pi, COLUMNS))) / 2 * 0.5 + np.linspace(0, 1, COLUMNS) * 0.5  # denser at the ends
    return np.stack(np.meshgrid(across, np.linspace(0, 1, ROWS)), -1)


def lay(sheet: Sheet, wearing: str, grid: np.ndarray) -> np.ndarray:
    """The points (..., 3) of the average face for places in the fabric (..., 2)."""
    across, down = 2 * grid[..., 0] - 1, grid[..., 1]
    side = np.abs(across)
    top = sheet.top + (sheet.top_side - sheet.top) * side ** sheet.arch
    bottom = sheet.bottom + (sheet.bottom_side - sheet.bottom) * side ** sheet.jaw
    reach = sheet.reach_top + (sheet.reach_bottom - sheet.reach_top) * down
    y = top + (bottom - top) * down + sheet.tilt * across * side
    middle = np.sin(np.pi * np.clip(down * 0.9 + 0.08, 0, 1)) ** 0.8
    dome = (1 - side**2) * (1 - sheet.beak) + sheet.beak * (1 - side) ** 1.2
    tent = {"well": 1.0, "under_nose": 0.45, "on_chin": 0.35}[wearing]
    return section(across * reach, y, tent, 0.015 + sheet.puff * dome * middle, sheet.wide)


def hang(side: int, kind: str, rng: np.random.Generator, grid: np.ndarray) -> np.ndarray:
    """As lay, of a mask that hangs from the ear `side` (-1 or 1)."""
    width, length = rng.uniform(0.5, 0.9), rng.uniform(0.9, 1.35)
    across, down = (grid[..., 0] - 0.5) * width * (0.75 + 0.25 * np.sin(np.pi * grid[..., 1])), grid[..., 1] * length
    swing = rng.uniform(-0.2, 0.15)
    x = side * (1.02 + rng.uniform(-0.06, 0.1)) + across + side * swing * down
    z = -0.35 + 0.10 * np.cos(across / width * np.pi) + rng.uniform(-0.3, 0.3) * across
    return np.stack([x, rng.uniform(0.55, 0.75) + down, z + 0.05 * down], -1)


