"""The pixels about a face, with its pose and look: where a layer is painted, and how it comes back into the photo."""
import cv2
import numpy as np

from stages.painting.layers import Layer, onto
from stages.painting.look import Look, look_of
from stages.painting.mesh import render
from stages.painting.pose import Pose
from stages.painting.surface import face_grid, place, section

FINE = 120  # distance of the eyes, in pixels, above which a layer is painted smaller and enlarged
REACH = 2.6  # how far about the middle of the eyes things are painted, in distances of the eyes


class Scene:
    """The pixels about a face, at most FINE: `pixels` (H, W, 3) float32, the `pose` in them, the `face` (H, W) bool."""

    def __init__(self, photo: np.ndarray, pose: Pose, rng: np.random.Generator):
        height, width = photo.shape[:2]
        (x, y), reach = pose.shift, REACH * pose.scale
        self.x0, self.y0 = max(0, int(x - reach)), max(0, int(y - 0.6 * reach))
        self.x1, self.y1 = min(width, int(x + reach) + 1), min(height, int(y + 1.2 * reach) + 1)
        self.full = photo[self.y0:self.y1, self.x0:self.x1]
        shrink = min(1.0, FINE / pose.scale)
        size = max(1, round(self.full.shape[1] * shrink)), max(1, round(self.full.shape[0] * shrink))
        small = cv2.resize(self.full, size, interpolation=cv2.INTER_AREA) if shrink < 1 else self.full
        self.pixels = small.astype(np.float32)
        self.pose = pose._replace(scale=pose.scale * shrink, shift=(pose.shift - (self.x0, self.y0)) * shrink)
        skin = place(face_grid(), self.pose)
        _, self.face = render(skin, np.zeros((*skin.shape[:2], 1)), self.pixels.shape[:2])
        cheeks = place(section(*np.meshgrid((-0.6, -0.45, 0.45, 0.6), (0.5, 0.6, 0.7))), self.pose)[..., :2].reshape(-1, 2)
        self.look: Look = look_of(self.pixels, self.face, self.pose.scale, cheeks, rng)
        self.over = int(np.clip(np.ceil(100 / self.pose.scale), 1, 3))

    def layer(self) -> Layer:
        return Layer(self.pixels.shape[0] * self.over, self.pixels.shape[1] * self.over)

    def skin_like(self) -> np.ndarray:
        """How much each pixel of a layer looks like this face's skin, 0 to 1."""
        far = np.linalg.norm((self.pixels - self.look.skin) * (0.7, 1, 1), axis=2) / 75
        soft = cv2.GaussianBlur(np.exp(-far**2).astype(np.float32), (0, 0), 0.02 * self.pose.scale + 0.5)
        return cv2.resize(soft, None, fx=self.over, fy=self.over, interpolation=cv2.INTER_LINEAR)

    def photo_with(self, photo: np.ndarray, layer: Layer, rng: np.random.Generator) -> np.ndarray:
        """A copy of the photo (H, W, 3) uint8 with the layer on it."""
        size = self.pixels.shape[1::-1]
        small = Layer(*self.pixels.shape[:2])
        small.colour, small.cover, small.shadow = (cv2.resize(part, size, interpolation=cv2.INTER_AREA)
                                                   for part in (layer.colour, layer.cover, layer.shadow))
        pixels, look = self.full.astype(np.float32), self.look
        if pixels.shape != self.pixels.shape:
            size, by = pixels.shape[1::-1], pixels.shape[1] / self.pixels.shape[1]
            for name in ("colour", "cover", "shadow"):
                setattr(small, name, cv2.resize(getattr(small, name), size, interpolation=cv2.INTER_LINEAR))
            look = look._replace(shade=cv2.resize(look.shade, size), blur=look.blur * by * 0.8)
        out = photo.copy()
        out[self.y0:self.y1, self.x0:self.x1] = np.clip(onto(pixels, small, look, rng) + 0.5, 0, 255).astype(np.uint8)
        return out
