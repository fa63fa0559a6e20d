"""The Dataset, sampler and DataLoader of crops: uint8 up to the device, and the same draws for any number of workers."""
from collections import Counter

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.modeling import data_parallel
from stages.modeling.augment import resized
from stages.modeling.samplers import draw


class Crops(Dataset):
    """Items (crop (H, W, 3) uint8, position), indexed by (position, epoch) or (position, epoch, copy).

    rows: (N,) rows of `faces`, one a position. size: (height, width) of the items; other crops are resized.
    augment: None, or a function of a crop, a seed and the size; the seed derives from `seed`, the epoch, the row and the
    copy: how often the epoch drew the photo before.
    """

    def __init__(self, faces: Faces, rows: np.ndarray, size: tuple[int, int], augment=None, seed: int = 0):
        self.faces, self.rows, self.size, self.augment, self.seed = faces, rows, size, augment, seed

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, item: tuple[int, ...]):
        position, epoch, copy = (*item, 0)[:3]
        crop = self.faces[self.rows[position]]
        if self.augment:
            seed = combined_seed(self.seed, epoch, int(self.rows[position]), *[copy] * (copy > 0))
            crop = self.augment(np.ascontiguousarray(crop), seed, self.size)
        else:
            crop = resized(crop, self.size)
        return torch.tensor(crop), position


class EpochSampler:
    """A sampler of (position, epoch, copy): with a seed drawn anew each epoch, by seed and epoch; without, in order.

    weights: sampling weights (length,), or None: each position once. batch: of which this process takes its share, or None:
    it takes all; photos beyond whole batches are left out then.
    """

    def __init__(self, length: int, seed: int | None = None, weights: np.ndarray | None = None, batch: int | None = None):
        self.length, self.seed, self.weights, self.batch, self.epoch = length, seed, weights, batch, 0

    def __len__(self):
        return self.length if self.batch is None else self.length // self.batch * len(data_parallel.share(range(self.batch)))

    def __iter__(self):
        order = range(self.length) if self.seed is None else draw(self.weights, self.length, self.seed, self.epoch)
        own = range(self.length) if self.batch is None else data_parallel.share(range(self.batch))
        whole = self.length if self.batch is None else self.length // self.batch * self.batch
        copies = Counter()
        for at, position in enumerate(map(int, order[:whole])):
            if self.batch is None or at % self.batch in own:
                yield position, self.epoch, copies[position]
            copies[position] += 1


def combined_seed(*numbers: int) -> int:
    """A 32-bit seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def limit_worker_to_one_thread(_):
    cv2.setNumThreads(0)  # the other threads are the trainer's
    torch.set_num_threads(1)


def loader(crops: Crops, batch: int, workers: int, device: torch.device, seed: int | None = None,
           weights: np.ndarray | None = None, shared: bool = False) -> DataLoader:
    """Batches of crops (B, H, W, 3) uint8 and positions (B,).

    With a seed they are shuffled, and a last short batch is dropped, since batch normalisation cannot learn from one
    photo; if all photos are fewer than a batch, they make one. weights: sampling weights (N,), or None. shared: each process
    of a training gets its share of each batch.
    """
    batch, processes = min(batch, max(1, len(crops))), data_parallel.processes()
    pin = device.type == "cuda"
    more = {"persistent_workers": True, "worker_init_fn": limit_worker_to_one_thread} if workers else {}
    seeds = torch.Generator()  # of the workers; drawn from torch's generator, they would change the dropout that follows
    if shared := shared and processes > 1:
        batch = batch // processes * processes
        if not batch:
            raise UserError(f"params.yaml: devices: {processes} share a batch, and there are {len(crops)} photos; set devices "
                            "to 1")
    sampler = EpochSampler(len(crops), seed, weights, batch if shared else None)
    return DataLoader(crops, batch // processes if shared else batch, sampler=sampler, num_workers=workers, pin_memory=pin,
                      drop_last=seed is not None, generator=seeds, **more)
