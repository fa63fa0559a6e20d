"""What a photo's own pixels say of its light, sharpness and noise, so that a layer painted on it takes them over."""
from typing import NamedTuple

import cv2
import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class Look(NamedTuple):
    """Of the pixels about a face."""
    shade: np.ndarray    # (H, W) float32: the light at each pixel, about 1 on average over the face
    white: np.ndarray    # (3,): what a white thing would be there, 0 to 255
    blur: float          # standard deviation of the photo's blur, in pixels
    noise: float         # standard deviation of its noise, of 0 to 255
    skin: np.ndarray     # (3,): median colour of the cheeks, 0 to 255


def look_of(pixels: np.ndarray, face: np.ndarray, eyes: float, cheeks: np.ndarray, rng: np.random.Generator) -> Look:
    """pixels: (H, W, 3) float32, 0 to 255; face: (H, W) bool; eyes: their distance in pixels; cheeks: (n, 2) pixels on them."""
    luma = pixels @ LUMA
    inside = face.astype(np.float32)
    sigma = 0.38 * eyes
    low = blurred(luma * inside, sigma) + 1e-3
    weight = blurred(inside, sigma) + 1e-5
    mean = float(luma[face].mean()) if face.any() else 128.0
    shade = np.clip((low + 0.02 * mean) / (weight + 0.02) / max(mean, 1), 0.45, 1.6) ** 0.85
    bright = float(np.percentile(luma[face], 96)) if face.any() else 200.0
    level = np.clip(bright * rng.uniform(1.0, 1.3), 110, 252)
    tint = pixels.mean((0, 1)) if pixels.size else np.ones(3)
    tint = 1 + 0.25 * (tint / max(tint.mean(), 1) - 1) + rng.normal(0, 0.015, 3)
    x, y = np.clip(np.rint(cheeks).astype(int), 0, (pixels.shape[1] - 1, pixels.shape[0] - 1)).T
    return Look(shade.astype(np.float32), (level * tint).astype(np.float32), sharpness(luma, eyes), noise_of(luma),
                np.median(pixels[y, x], 0))


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """A wide Gaussian blur, taken on a smaller image where it is wide."""
    by = max(1, int(sigma / 4))
    if by == 1:
        return cv2.GaussianBlur(image, (0, 0), max(sigma, 0.1), borderType=cv2.BORDER_REPLICATE)
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(1, width // by), max(1, height // by)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / by, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def sharpness(luma: np.ndarray, eyes: float) -> float:
    """The photo's blur, as the standard deviation of a Gaussian, in pixels: 0.4 to 4.

    Of a step edge blurred by s, the steepest slope over the step's height is 1 / (s sqrt(2 pi)); the steepest of a face are
    those of its eyes, brows and lips, whose height is that of the local contrast.
    """
    smooth = cv2.GaussianBlur(luma, (0, 0), 0.7)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8))
    size = max(3, int(0.16 * eyes) | 1)
    kernel = np.ones((size, size), np.uint8)
    height = cv2.dilate(smooth, kernel) - cv2.erode(smooth, kernel)
    steep = slope >= np.percentile(slope, 98.5)
    total = float(np.median(height[steep] / np.maximum(slope[steep], 1e-3))) / np.sqrt(2 * np.pi)
    return float(np.clip(np.sqrt(max(total**2 - 1.0, 0.16)) * 0.8, 0.4, max(0.5, min(4, 0.035 * eyes))))


def noise_of(luma: np.ndarray) -> float:
    """Standard deviation of the noise: Immerkaer, "Fast Noise Variance Estimation", 1996, by the median, which skips edges."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return float(np.clip(np.median(np.abs(cv2.filter2D(luma, cv2.CV_32F, kernel))) / 6 / 0.6745, 0.2, 12))
