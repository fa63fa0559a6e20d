"""The contest's 18 classes, and the only place with their formula:

    class = mask * 6 + gender * 3 + age
"""
import numpy as np
import pandas as pd

VALUES = {
    "mask": ("worn", "incorrect", "bare"),
    "gender": ("male", "female"),
    "age": ("under30", "30to59", "60plus"),
}
ATTRIBUTES = tuple(VALUES)
CLASSES = tuple(f"{m}_{g}_{a}" for m in VALUES["mask"] for g in VALUES["gender"] for a in VALUES["age"])
CELLS = 6  # of gender and age group: class = mask * CELLS + cell
BORDERS = (30, 60)  # the official age groups: under 30, 30 to 59, 60 and over
OLDEST = 120


def encode(mask, gender, age):
    """Class, 0 to 17, from mask (0 to 2), gender (0 to 1) and age group (0 to 2); arrays or integers."""
    return mask * 6 + gender * 3 + age


def decode(label):
    """Mask, gender and age group of a class from 0 to 17; arrays or integers."""
    return label // 6, label // 3 % 2, label % 3


def cell_of(label):
    """Cell of a class, 0 to 5: its gender and age group, gender * 3 + age; arrays or integers."""
    return label % CELLS


def age_group(years, borders=BORDERS):
    """Age group: 0 below the first border, 1 below the second, else 2; `years` is an array or a number."""
    return np.digitize(years, borders)


def classes_of(labels: pd.DataFrame, borders=BORDERS) -> np.ndarray:
    """Classes (N,) from the label columns of labels/<model>.csv: one an attribute, in the order of the 18 classes."""
    parts = [age_group(values.astype(int).to_numpy(), borders) if attribute == "age" else
             values.map({name: i for i, name in enumerate(VALUES[attribute])}).to_numpy(int)
             for attribute, values in labels.items()]
    return np.ravel_multi_index(parts, [len(VALUES[attribute]) for attribute in labels])
