"""The two sides of the split, for one model and fold: the photos that it learns from, and those that it is checked by."""
import numpy as np
import torch
from torch.utils.data import DataLoader

from stages.lib.augment import Augment
from stages.lib.augment_names import at_test
from stages.lib.batches import Crops, loader
from stages.lib.classes import age_group
from stages.lib.errors import UserError
from stages.lib.facefile import Faces
from stages.lib.files import read_csv
from stages.lib.mixing import Mixing
from stages.lib.params import Model
from stages.lib.samplers import key_of, weights_by
from stages.lib.targets import for_training, official


class Part:
    """One side of the split: rows of the container, and the class, gender and age (years, both as given) of each."""

    def __init__(self, table, rows, classes):
        self.rows, self.target = table.row.to_numpy()[rows], torch.from_numpy(classes[rows])
        self.gender, self.age = table.given_gender.to_numpy()[rows], table.given_age.to_numpy()[rows]

    def cells(self) -> np.ndarray:
        """Gender x official age group of each photo, (N,)."""
        return (self.gender == "male") * 3 + age_group(self.age)


def read_parts(faces: Faces, name: str, fold: int, p: Model) -> tuple[Part, Part]:
    """The photos to learn from, with training targets, and those held out, with official ones."""
    table = read_csv(f"data/labels/{name}.csv", ["photo", p.attribute])
    table["row"] = table.photo.map({photo: row for row, photo in enumerate(faces.photos)})
    table = table.dropna(subset="row").astype({"row": int})  # a photo that could not be decoded has no crop
    folds = read_csv("data/folds.csv", ["person", "fold", "gender", "age"])
    folds = folds.rename(columns={"gender": "given_gender", "age": "given_age"}).astype({"fold": int, "given_age": int})
    table = table.merge(read_csv("data/photos.csv", ["photo", "person"]).merge(folds, on="person"), on="photo")
    held_out = table.fold.to_numpy() == fold
    target, kept = for_training(p, table[p.attribute])
    learn, check = Part(table, ~held_out & kept, target), Part(table, held_out, official(p.attribute, table[p.attribute]))
    for part, needed, what in ((learn, 2, "to learn from"), (check, 1, "held out")):
        if len(part.rows) < needed:
            raise UserError(f"params.yaml: {name}, fold {fold}: {len(part.rows)} photos {what}, at least {needed} are "
                            "needed; see split.n_folds" + f" and {name}.drop" * (p.attribute == "age"))
    return learn, check


def make_mixing(p: Model, learn: Part) -> Mixing | None:
    """How the photos to learn from are mixed, as the model's section asks."""
    if p.mixing == "none":
        return None
    groups = torch.from_numpy((learn.gender == "male").astype(int)) if p.mixing_within == "gender" else None
    chosen = np.zeros(len(learn.rows), bool)
    for gender, first, last in p.mixing_cells:
        chosen |= np.isin(learn.gender, ["male", "female"] if gender == "any" else [gender]) & (first <= learn.age) & (
            learn.age <= last)
    return Mixing(p.mixing, p.mixing_share, p.mixing_alpha, p.mixing_partners, groups,
                  torch.from_numpy(chosen) if p.mixing_cells else None, p.seed)


def loaders(learn: Part, check: Part, faces: Faces, p: Model, size: tuple[int, int], device: torch.device,
            workers: int) -> tuple[DataLoader, DataLoader]:
    """Batches of the photos to learn from, drawn and augmented anew each epoch, and of those held out."""
    key = key_of(p.sampler, learn.target.numpy(), learn.cells())
    weights = None if key is None else weights_by(key)
    learning = Crops(faces, learn.rows, size, Augment(p.augment) if p.augment else None, p.seed)
    checking = Crops(faces, check.rows, size, Augment(at_test(p.augment)) if at_test(p.augment) else None)
    return (loader(learning, p.batch, workers, device, seed=p.seed, weights=weights),
            loader(checking, 2 * p.batch, workers, device))
