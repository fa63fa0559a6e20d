"""Training and validation set of one model and fold."""
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader

from stages.core.classes import AGE, years_of
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.files import read_csv
from stages.core.model_params import Model
from stages.modeling import data_parallel
from stages.modeling.age_distribution import YEARS, group_of_years
from stages.modeling.augment import Augment, at_test
from stages.modeling.dataloader import Crops, loader
from stages.modeling.mixup import Mixing
from stages.modeling.samplers import balance_key, weights_by


@dataclass
class LabelledCrops:
    """Labelled photos: rows in data/faces (N,), targets (N,), and gender, age in years and age group (N,), as given, "" and -1
    where unknown."""

    rows: np.ndarray
    target: torch.Tensor
    gender: np.ndarray
    age: np.ndarray
    group: np.ndarray

    def cells(self) -> np.ndarray:
        """Cell of each photo, gender x age group, a number from 0: (N,). An unknown gender or age has cells of its own."""
        return self.genders() * (self.group.max(initial=0) + 2) + self.group + 1

    def genders(self) -> np.ndarray:
        """Gender of each photo as a number from 0: (N,)."""
        return np.unique(self.gender.astype(str), return_inverse=True)[1]

    def __add__(self, other: "LabelledCrops") -> "LabelledCrops":
        return LabelledCrops(*(torch.cat([a, b]) if isinstance(a, torch.Tensor) else np.concatenate([a, b])
                               for a, b in zip(vars(self).values(), vars(other).values())))


def labelled_crops(table: pd.DataFrame, target: np.ndarray, chosen: np.ndarray) -> LabelledCrops:
    """The photos of a table (N rows) with their target (N,) where the mask `chosen` (N,) is true."""
    rows = table[chosen]
    return LabelledCrops(rows.row.to_numpy(), torch.from_numpy(target[chosen]), rows.given_gender.to_numpy(),
                         rows.given_age.to_numpy(), rows.group.to_numpy())


def read_labelled(faces: Faces, name: str, p: Model) -> pd.DataFrame:
    """The training part's photos that have a crop: row, fold, labels, and gender, age and age group as given."""
    labels = with_rows(read_csv(f"data/labels/{name}.csv", ["photo", *p.attributes]), faces)
    folds = read_csv("data/folds.csv", ["person", "fold", "gender", "age", "group"]).astype({"fold": int, "group": int})
    folds = folds.rename(columns={"gender": "given_gender"}).assign(given_age=years_of(folds.age)).drop(columns="age")
    return labels.merge(read_csv("data/photos.csv", ["photo", "person"]).merge(folds, on="person"), on="photo")


def with_rows(table: pd.DataFrame, faces: Faces) -> pd.DataFrame:
    """The table with each photo's `row` in data/faces; photos that could not be decoded are dropped."""
    rows = table.photo.map({photo: row for row, photo in enumerate(faces.photos)})
    return table.assign(row=rows).dropna(subset="row").astype({"row": int})


def read_pseudo(faces: Faces, name: str, p: Model, unseen: pd.Series) -> LabelledCrops:
    """Pseudo-labelled photos; their gender and age are unknown, "" and -1.

    Leaves out the people of `unseen`, the held-out fold, of whom there may be photos to label, too.
    """
    extra = with_rows(read_csv(f"data/extra/{name}.csv", ["photo", "label"]), faces)
    people = read_csv("data/photos.csv", ["photo", "person"]).set_index("photo").person
    extra = extra[~extra.photo.map(people).isin(unseen)]
    target = np.array([p.classes.names.index(label) for label in extra.label], int)
    unknown = np.full(len(extra), -1)
    return LabelledCrops(extra.row.to_numpy(), torch.from_numpy(target), np.full(len(extra), ""), unknown, unknown)


def read_datasets(faces: Faces, name: str, fold: int | None, p: Model) -> tuple[LabelledCrops, LabelledCrops]:
    """Training set, with training targets, and validation set, with official classes; fold None holds nothing out.

    Raises UserError where a set has too few photos.
    """
    table = read_labelled(faces, name, p)
    held_out = (table.fold == fold).to_numpy()
    target, kept = training_targets(p, table[list(p.attributes)])
    official = p.classes.number(table)
    known = official >= 0
    labelled = labelled_crops(table, target, ~held_out & kept & known)
    train_set = labelled + read_pseudo(faces, name, p, table.person[held_out])
    val_set = labelled_crops(table, official, held_out & known)
    if not known.all():
        print(f"{name}: {(~known).sum()} of {len(known)} photos have no label of {' or '.join(p.attributes)}, and are left out")
    for part, needed, what in ((labelled, 2, "to learn from"), (val_set, 1 if fold is not None else 0, "held out")):
        if len(part.rows) < needed:
            scope = "everyone" if fold is None else f"fold {fold}"
            if not known.any():
                asked = "all labels" if p.attribute == "joint" else "a label"
                raise UserError(f"params.yaml: models: no photo has {asked} that {name} learns ({', '.join(p.attributes)}); "
                                f"take {name} out of models, or give labels")
            raise UserError(f"params.yaml: {name}, {scope}: {len(part.rows)} photos {what}, at least {needed} are "
                            "needed; see split.n_folds" + f" and {name}.drop" * (AGE in p.attributes))
    return train_set, val_set


def make_mixing(p: Model, train_set: LabelledCrops) -> Mixing | None:
    """The mixing of the training set that the model's section asks for, or None."""
    if p.mixing == "none":
        return None
    groups = torch.from_numpy(train_set.genders()) if p.mixing_within == "gender" else None
    chosen = np.zeros(len(train_set.rows), bool)
    for gender, first, last in p.mixing_cells:
        chosen |= ((gender == "any") | (train_set.gender == gender)) & (first <= train_set.age) & (train_set.age <= last)
    return Mixing(p.mixing, p.mixing_share, p.mixing_alpha, p.mixing_partners, groups,
                  torch.from_numpy(chosen) if p.mixing_cells else None, p.seed)


def loaders(train_set: LabelledCrops, val_set: LabelledCrops, faces: Faces, p: Model, size: tuple[int, int],
            device: torch.device, workers: int) -> tuple[DataLoader, DataLoader]:
    """Batches of the training set, drawn and augmented anew each epoch, and of the validation set: of both, this process's."""
    target = train_set.target.numpy()
    key = balance_key(p.sampler, classes_to_balance(p, target), train_set.cells())
    weights = None if key is None else weights_by(key)
    train_crops = Crops(faces, train_set.rows, size, Augment(p.augment, p.augment_options) if p.augment else None, p.seed)
    if 0 < len(val_set.rows) < data_parallel.processes():
        raise UserError(f"params.yaml: devices: {data_parallel.processes()} share the {len(val_set.rows)} photos held out; set "
                        f"devices to {len(val_set.rows)} or fewer")
    val_crops = Crops(faces, data_parallel.share(val_set.rows), size, augment_at_test(p))
    return (loader(train_crops, p.batch, workers, device, seed=p.seed, weights=weights, shared=True),
            loader(val_crops, 2 * p.batch, workers, device))


def classes_to_balance(p: Model, target: np.ndarray) -> np.ndarray:
    """Classes (N,) of training targets (N,), with groups in place of years: there are too few photos of a year."""
    if not p.learns_years:
        return target
    return target // YEARS * len(p.classes.values[AGE]) + group_of_years(p.classes.borders)[target % YEARS]


def statistics_loader(train_set: LabelledCrops, faces: Faces, p: Model, size: tuple[int, int], device: torch.device,
                      workers: int) -> DataLoader | None:
    """Full batches of about p.precise_bn photos of the training set, without its augmentation; None if that is 0."""
    if not p.precise_bn:
        return None
    batch = 2 * p.batch
    rows = np.random.default_rng(p.seed).permutation(train_set.rows)[:max(batch, p.precise_bn)]
    rows = rows[:max(len(rows) // batch * batch, min(batch, len(rows)))]
    return loader(Crops(faces, rows, size, augment_at_test(p)), batch, workers, device, shared=True)


def augment_at_test(p: Model) -> Augment | None:
    """The part of the model's augmentation that applies at validation, too, or None."""
    return Augment(at_test(p.augment)) if at_test(p.augment) else None


def training_targets(p: Model, labels: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Training targets (N,), and the mask (N,) of the photos to keep, those without an age in `drop`.

    Targets are classes, by the model's own age borders. Where it learns years they are years, for a joint model the classes
    of mask x gender x years, of which years run fastest. Where a label is missing they mean nothing.
    """
    if AGE not in p.attributes:
        return p.classes.number(labels), np.ones(len(labels), bool)
    years = years_of(labels[AGE])
    dropped = np.zeros(len(years), bool)
    for first, last in p.drop:
        dropped |= (first <= years) & (years <= last)
    if not p.learns_years:
        return p.classes.number(labels, p.borders), ~dropped
    others = p.classes.only([attribute for attribute in p.attributes if attribute != AGE])
    return (others.number(labels) * YEARS + years if others.values else years), ~dropped
