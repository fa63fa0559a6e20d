"""Photos of a batch mixed with others of the batch, on the device and after normalisation; labels stay soft.

timm.data.Mixup pairs each photo with the one across the batch, so classes, groups and chosen photos are out of its reach;
photo by photo it is a Python loop. It and its cutmix_bbox_and_lam draw from NumPy's global state, which a resumed
training does not get back, and the latter takes one lambda a call: `boxes` below gives the same boxes for many.
"""
import numpy as np
import torch
from torch import Tensor


class Mixing:
    """Mixes a share of the photos, each with a partner drawn from those of its batch that may be one; never itself.

    kind: "mixup", Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018: the whole photo, weighed by lambda;
    "cutmix", Yun et al., "CutMix", 2019: a rectangle of the partner, and lambda is the share really left of the photo;
    "half_cutmix": the left half of the photo with the right half of the partner, lambda .5.
    share: probability from 0 to 1 that a photo is mixed. alpha: above 0, lambda is from Beta(alpha, alpha); unused by
    half_cutmix. partners: "any", "class" (one of the same class) or "other" (one of another class).
    groups: None, or (N,) by position: partners are of one group. chosen: None, or (N,) bool by position: only chosen
    photos are mixed, with chosen ones. A photo that no other of its batch may join stays as it is.
    """

    def __init__(self, kind: str, share: float, alpha: float, partners: str = "any", groups: Tensor | None = None,
                 chosen: Tensor | None = None, seed: int = 0):
        self.kind, self.share, self.alpha, self.partners = kind, share, alpha, partners
        self.groups, self.chosen, self.seed = groups, chosen, seed

    def __call__(self, pixels: Tensor, target: Tensor, position: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """pixels (B, 3, H, W) float and target (B, C), rows that sum to 1, both mixed; the inputs stay as they are.

        position (B,): index into groups and chosen. All draws are from `seed` and `step` alone, so that a training that
        was stopped goes on with the same ones.
        """
        rng = np.random.default_rng([self.seed, step, 1])  # [seed, epoch] is the stream that shuffles the photos
        chance, pick = on(pixels, rng.random((2, len(pixels))))
        allowed = self.allowed(target, position)
        mixed = (chance < self.share) & allowed.any(1)
        partner = torch.where(mixed, nth(allowed, pick), torch.arange(len(pixels), device=pixels.device))
        own = self.own(pixels, rng)
        lam = own.mean((1, 2, 3)).unsqueeze(1)
        return (torch.lerp(pixels[partner], pixels, own.to(pixels.dtype)),  # exact where the partner is the photo itself
                torch.lerp(target[partner], target, lam.to(target.dtype)))

    def allowed(self, target: Tensor, position: Tensor) -> Tensor:
        """Who may be whose partner: (B, B) bool."""
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

    def own(self, pixels: Tensor, rng: np.random.Generator) -> Tensor:
        """The weight of each photo's own pixels, 0 to 1: (B, 1, 1, 1), (B, 1, H, W) or (1, 1, 1, W) float32."""
        batch, _, height, width = pixels.shape
        y, x = torch.arange(height, device=pixels.device), torch.arange(width, device=pixels.device)
        if self.kind == "half_cutmix":
            return (x < width // 2).float().view(1, 1, 1, -1)
        lam = rng.beta(self.alpha, self.alpha, batch)
        if self.kind == "mixup":
            return on(pixels, lam).float().view(-1, 1, 1, 1)
        corners = boxes(lam, rng.integers(height, size=batch), rng.integers(width, size=batch), height, width)
        y0, y1, x0, x1 = on(pixels, np.stack(corners)).unsqueeze(2)
        inside = ((y0 <= y) & (y < y1)).unsqueeze(2) & ((x0 <= x) & (x < x1)).unsqueeze(1)
        return (~inside).float().unsqueeze(1)


def on(pixels: Tensor, values: np.ndarray) -> Tensor:
    """The values on the device of the pixels, without waiting for it."""
    return torch.from_numpy(values).to(pixels.device, non_blocking=True)


def nth(allowed: Tensor, pick: Tensor) -> Tensor:
    """One of the columns that each row allows, all equally likely where pick (B,) is uniform in [0, 1)."""
    rank = (pick * allowed.sum(1)).long()
    return (allowed.cumsum(1) <= rank.unsqueeze(1)).sum(1)  # B, and no column, where a row allows none


def boxes(lam: np.ndarray, y: np.ndarray, x: np.ndarray, height: int, width: int) -> tuple[np.ndarray, ...]:
    """CutMix's boxes around (y, x) of area 1 - lam before the border clips them: y0, y1, x0, x1, each (B,), in pixels.

    The same as timm.data.mixup.rand_bbox, but for arrays of lam and for given centres.
    """
    side = np.sqrt(1 - lam)
    high, wide = (height * side).astype(int), (width * side).astype(int)
    return (np.maximum(y - high // 2, 0), np.minimum(y + (high + 1) // 2, height),
            np.maximum(x - wide // 2, 0), np.minimum(x + (wide + 1) // 2, width))
