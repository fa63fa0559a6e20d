"""A layer over the pixels about a face: colour, cover and shadow, and how it becomes part of the photo."""
import cv2
import numpy as np

from stages.painting.look import Look, blurred


class Layer:
    """colour (H, W, 3) float32, 0 to 1, already multiplied by cover; cover (H, W), 0 to 1; shadow (H, W): light on the skin."""

    def __init__(self, height: int, width: int):
        self.colour = np.zeros((height, width, 3), np.float32)
        self.cover = np.zeros((height, width), np.float32)
        self.shadow = np.ones((height, width), np.float32)

    def over(self, colour: np.ndarray, cover: np.ndarray) -> None:
        """Put a colour (H, W, 3) or (3,) above what is there, where cover (H, W) is above 0."""
        at = about(cover, 0)
        cover, colour = cover[at].astype(np.float32), np.asarray(colour, np.float32)
        left = (1 - cover)[..., None]
        self.colour[at] = self.colour[at] * left + (colour[at] if colour.ndim == 3 else colour) * cover[..., None]
        self.cover[at] = self.cover[at] * left[..., 0] + cover

    def cast(self, cover: np.ndarray, eyes: float, strength: float, lean: float) -> None:
        """The shadow that a thing of this cover throws on the skin; lean: -1 to 1, where light comes from."""
        at = about(cover, int(0.4 * eyes) + 1)
        cover = cover[at].astype(np.float32)
        for reach, share in ((0.03, 0.55), (0.11, 0.45)):
            move = np.float32([[1, 0, -lean * reach * eyes], [0, 1, 0.8 * reach * eyes]])
            moved = cv2.warpAffine(cover, move, cover.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
            self.shadow[at] *= 1 - share * strength * blurred(moved, reach * eyes)


def about(cover: np.ndarray, more: int) -> tuple[slice, slice]:
    """The rows and columns in which cover (H, W) is above 0, and `more` pixels on each side."""
    x, y, width, height = cv2.boundingRect((cover > 0).astype(np.uint8))
    return slice(max(0, y - more), y + height + more), slice(max(0, x - more), x + width + more)


def onto(pixels: np.ndarray, layer: Layer, look: Look, rng: np.random.Generator) -> np.ndarray:
    """The pixels (H, W, 3) float32 with the layer on them, in the photo's own light, sharpness and noise."""
    at = about((layer.cover > 0) | (layer.shadow < 0.995), int(3 * look.blur) + 2)
    out, pixels = pixels.copy(), pixels[at]
    cover = np.dstack([layer.colour[at] * look.white * look.shade[at][..., None], layer.cover[at]])
    cover = cv2.GaussianBlur(cover, (0, 0), look.blur, borderType=cv2.BORDER_REPLICATE)
    colour, cover = cover[..., :3], cover[..., 3:]
    grain = rng.standard_normal(pixels.shape[:2], np.float32)[..., None] * 0.8
    grain = (grain + 0.5 * rng.standard_normal(pixels.shape, np.float32)) * look.noise
    out[at] = pixels * layer.shadow[at][..., None] * (1 - cover) + colour + grain * cover
    return out
