"""Mixup and CutMix within a batch, on the device and after normalisation; labels become soft.

timm.data.Mixup pairs each photo with the one opposite in the batch, so it cannot choose partners by class, group or photo,
and its mode that mixes photo by photo is a Python loop. It and its cutmix_bbox_and_lam draw from NumPy's global state, which
a resumed training does not restore, and the latter takes one lambda a call: `boxes` below gives the same boxes for many.
"""
import numpy as np
import torch
from torch import Tensor


class Mixing:
    """Mixes a share of the photos, each with a random partner among the allowed others of its batch.

    kind: "mixup", Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018: the whole photo, weighted by lambda;
    "cutmix", Yun et al., "CutMix", 2019: a rectangle of the partner, and lambda is the share of the photo really left;
    "half_cutmix": the left half of the photo with the right half of the partner, lambda .5.
    share: probability from 0 to 1 that a photo is mixed. alpha: above 0; lambda is drawn from Beta(alpha, alpha); unused
    by half_cutmix. partners: "any", "class" (one of the same class) or "other" (one of another class).
    groups: None, or (N,) by position: partners share a group. chosen: None, or (N,) bool by position: only chosen photos
    are mixed, with chosen ones. A photo without an allowed partner in its batch stays as it is.
    """

    def __init__(self, kind: str, share: float, alpha: float, partners: str = "any", groups: Tensor | None = None,
                 chosen: Tensor | None = None, seed: int = 0):
        self.kind, self.share, self.alpha, self.partners = kind, share, alpha, partners
        self.groups, self.chosen, self.seed = groups, chosen, seed

    def __call__(self, pixels: Tensor, target: Tensor, position: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Mixed copies of pixels (B, 3, H, W) float and target (B, C), whose rows sum to 1.

        position: (B,), index into groups and chosen. All draws depend on `seed` and `step` alone, so that a resumed
        training repeats them.
        """
        rng = np.random.default_rng([self.seed, step, 1])  # [seed, epoch] is the sampler's stream
        chance, pick = to_device_of(pixels, rng.random((2, len(pixels))))
        allowed = self.allowed(target, position)
        mixed = (chance < self.share) & allowed.any(1)
        partner = torch.where(mixed, pick_column(allowed, pick), torch.arange(len(pixels), device=pixels.device))
        weight = self.pixel_weight(pixels, rng)
        lam = weight.mean((1, 2, 3)).unsqueeze(1)
        return (torch.lerp(pixels[partner], pixels, weight.to(pixels.dtype)),  # exact where the partner is the photo itself
                torch.lerp(target[partner], target, lam.to(target.dtype)))

    def allowed(self, target: Tensor, position: Tensor) -> Tensor:
        """Which photos (columns) may be the partner of which (rows): (B, B) bool."""
        allowed = ~torch.eye(len(target), dtype=torch.bool, device=target.device)
        if self.partners != "any":
            label = target.argmax(1)
            allowed &= (label[:, None] == label) == (self.partners == "class")
        if self.groups is not None:
            group = self.groups[position.to(self.groups.device)].to(target.device, non_blocking=True)
            allowed &= group[:, None] == group
        if self.chosen is not None:
            chosen = self.chosen[position.to(self.chosen.device)].to(target.device, non_blocking=True)
            allowed &= chosen[:, None] & chosen
        return allowed

    def pixel_weight(self, pixels: Tensor, rng: np.random.Generator) -> Tensor:
        """Weight of each photo against its partner, 0 to 1: (B, 1, 1, 1), (B, 1, H, W) or (1, 1, 1, W) float32."""
        batch, _, height, width = pixels.shape
        y, x = torch.arange(height, device=pixels.device), torch.arange(width, device=pixels.device)
        if self.kind == "half_cutmix":
            return (x < width // 2).float().view(1, 1, 1, -1)
        lam = rng.beta(self.alpha, self.alpha, batch)
        if self.kind == "mixup":
            return to_device_of(pixels, lam).float().view(-1, 1, 1, 1)
        corners = boxes(lam, rng.integers(height, size=batch), rng.integers(width, size=batch), height, width)
        y0, y1, x0, x1 = to_device_of(pixels, np.stack(corners)).unsqueeze(2)
        inside = ((y0 <= y) & (y < y1)).unsqueeze(2) & ((x0 <= x) & (x < x1)).unsqueeze(1)
        return (~inside).float().unsqueeze(1)


def to_device_of(pixels: Tensor, values: np.ndarray) -> Tensor:
    """The values on the device of the pixels, copied without blocking."""
    return torch.from_numpy(values).to(pixels.device, non_blocking=True)


def pick_column(allowed: Tensor, pick: Tensor) -> Tensor:
    """An allowed column of each row, (B,), all equally likely where pick (B,) is uniform in [0, 1)."""
    rank = (pick * allowed.sum(1)).long()
    return (allowed.cumsum(1) <= rank.unsqueeze(1)).sum(1)  # B, which is no column, where a row allows none


def boxes(lam: np.ndarray, y: np.ndarray, x: np.ndarray, height: int, width: int) -> tuple[np.ndarray, ...]:
    """CutMix's boxes around (y, x), of area 1 - lam before clipping at the border: y0, y1, x0, x1, each (B,), in pixels.

    As timm.data.mixup.rand_bbox, but for arrays of lam and given centres.
    """
    side = np.sqrt(1 - lam)
    high, wide = (height * side).astype(int), (width * side).astype(int)
    return (np.maximum(y - high // 2, 0), np.minimum(y + (high + 1) // 2, height),
            np.maximum(x - wide // 2, 0), np.minimum(x + (wide + 1) // 2, width))
