"""Batches of crops for training and prediction: uint8 all the way to the device, seeded whatever the workers."""
import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from stages.core.face_store import Faces
from stages.modeling.samplers import draw


class Crops(Dataset):
    """Items (crop (H, W, 3) uint8, position); an item is asked for by (position, epoch), so each epoch differs.

    rows: rows of `faces`, one a position. size: (height, width) of the items; crops of another size are resized.
    augment: None, or a function of a crop and a seed, which is drawn from `seed`, the epoch and the row.
    """

    def __init__(self, faces: Faces, rows: np.ndarray, size: tuple[int, int], augment=None, seed: int = 0):
        self.faces, self.rows, self.size, self.augment, self.seed = faces, rows, size, augment, seed

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, item: tuple[int, int]):
        position, epoch = item
        crop = self.faces[self.rows[position]]
        if crop.shape[:2] != self.size:
            smaller = crop.shape[0] >= self.size[0]
            crop = cv2.resize(crop, self.size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
        if self.augment:
            crop = self.augment(np.ascontiguousarray(crop), mixed(self.seed, epoch, int(self.rows[position])))
        return torch.tensor(crop), position


class Order:
    """The sampler: (position, epoch) pairs, drawn anew each epoch from the seed alone, or in order without one.

    weights: (length,) of stages/modeling/samplers.py, or None: each position once.
    """

    def __init__(self, length: int, seed: int | None = None, weights: np.ndarray | None = None):
        self.length, self.seed, self.weights, self.epoch = length, seed, weights, 0

    def __len__(self):
        return self.length

    def __iter__(self):
        order = range(self.length) if self.seed is None else draw(self.weights, self.length, self.seed, self.epoch)
        return ((int(position), self.epoch) for position in order)


def mixed(*numbers: int) -> int:
    """One 32-bit seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def quiet_worker(_):
    cv2.setNumThreads(0)  # a worker is one thread: the others are the trainer's
    torch.set_num_threads(1)


def loader(crops: Crops, batch: int, workers: int, device: torch.device, seed: int | None = None,
           weights: np.ndarray | None = None) -> DataLoader:
    """Batches of (crops (B, H, W, 3) uint8, positions (B,)); with a seed shuffled, and a last short batch left out.

    weights: (N,) of how often each is drawn, or None.

    Batch normalisation cannot learn from one photo; where all photos make less than one batch, they are one.
    """
    batch = min(batch, max(1, len(crops)))
    pin = device.type == "cuda"
    more = {"persistent_workers": True, "worker_init_fn": quiet_worker} if workers else {}
    own = torch.Generator()  # it draws seeds of workers, else from torch's, and the dropout after that would depend on them
    return DataLoader(crops, batch, sampler=Order(len(crops), seed, weights), num_workers=workers, pin_memory=pin,
                      drop_last=seed is not None, generator=own, **more)
