"""The attributes of a photo, the values of each, and the joint classes that they make: the contest's 18, or other ones.

The last attribute runs fastest in the number of a joint class. For the contest it is

    class = mask * 6 + gender * 3 + age

The section `classes` of params.yaml says which there are. Age is in years and counts by group; all others have names.
What the photos of one person share, gender and age, stands last.
"""
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod

import numpy as np
import pandas as pd

AGE = "age"
OF_PERSON = ("gender", AGE)  # what the photos of one person share; all else can differ between them
OLDEST = 120


@dataclass(frozen=True)
class Classes:
    """values: the names of each attribute's values, in order. borders: the first ages of all age groups but the first."""

    values: dict[str, tuple[str, ...]]
    borders: tuple[int, ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(self.values)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of values of each attribute."""
        return tuple(map(len, self.values.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the joint classes, such as worn_male_under30."""
        return tuple("_".join(names) for names in product(*self.values.values()))

    @property
    def count(self) -> int:
        """Number of joint classes."""
        return prod(self.sizes)

    def only(self, attributes) -> "Classes":
        """The classes of some of the attributes, in the order of all."""
        return Classes({name: values for name, values in self.values.items() if name in attributes}, self.borders)

    def encode(self, *values):
        """Joint class from a value of each attribute, all from 0; arrays or integers."""
        label = 0
        for value, size in zip(values, self.sizes, strict=True):
            label = label * size + value
        return label

    def decode(self, label) -> tuple:
        """A value of each attribute, from 0, of a joint class; arrays or integers."""
        values = []
        for size in reversed(self.sizes):
            values.append(label % size)
            label = label // size
        return tuple(reversed(values))

    @property
    def cells(self) -> int:
        """Number of cells: of gender x age group, which stand last, so that the cell of a joint class is class % cells."""
        return self.only(OF_PERSON).count

    def age_group(self, years):
        """Age group, 0 below the first border, 1 below the second, ...; `years` is an array or a number."""
        return np.digitize(years, self.borders)

    def number(self, labels: pd.DataFrame, borders: tuple[int, ...] | None = None) -> np.ndarray:
        """Joint classes (N,) of labels: a column of text an attribute, age in years. -1 where one is missing, an empty cell.

        borders: other ones than the official.
        """
        parts = [self.values_of(attribute, labels[attribute], borders) for attribute in self.attributes]
        known = np.all([part >= 0 for part in parts], axis=0)
        return np.where(known, self.encode(*(np.maximum(part, 0) for part in parts)), -1)

    def values_of(self, attribute: str, labels: pd.Series, borders: tuple[int, ...] | None = None) -> np.ndarray:
        """Values (N,) of one attribute, from 0, of labels as text; -1 where one is missing."""
        if attribute != AGE:
            return labels.map({"": -1} | {name: i for i, name in enumerate(self.values[attribute])}).to_numpy(int)
        years = years_of(labels)
        return np.where(years < 0, -1, np.digitize(years, self.borders if borders is None else borders))


def years_of(labels: pd.Series) -> np.ndarray:
    """Ages (N,) in years of labels as text; -1 where one is missing."""
    return labels.replace("", "-1").astype(int).to_numpy()


def age_groups(borders: tuple[int, ...]) -> tuple[str, ...]:
    """Names of the age groups, such as under30, 30to59 and 60plus."""
    between = [f"{low}to{high - 1}" for low, high in pairwise(borders)]
    return (f"under{borders[0]}", *between, f"{borders[-1]}plus")


def make_classes(values: dict[str, tuple], borders: tuple[int, ...]) -> Classes:
    """The classes of named values, among which age stands with any value, and of the borders of the age groups.

    Their order is mask, further ones by name, gender, age, whatever that of `values`: DVC does not see the order of keys.
    """
    order = sorted(values, key=lambda name: ({"mask": 0, **dict(zip(OF_PERSON, (2, 3)))}.get(name, 1), name))
    return Classes({name: age_groups(borders) if name == AGE else tuple(values[name]) for name in order}, borders)


CONTEST = make_classes({"mask": ("worn", "incorrect", "bare"), "gender": ("male", "female"), AGE: ()}, (30, 60))
