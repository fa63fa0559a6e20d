"""One vote on gender and age over all photos of a person, for whom these cannot differ; the mask stays the photo's own."""
import numpy as np
import pandas as pd


def vote_by_person(probabilities: np.ndarray, people: np.ndarray, cells: int) -> np.ndarray:
    """Probabilities (N, C) whose gender and age group are the mean over the photos of the same person (N,).

    The mask's probabilities, given gender and age group, are those of the photo. cells: number of genders x age groups, of
    which the cell of class c is c % cells.
    """
    each = probabilities.reshape(len(probabilities), -1, cells)
    cell = each.sum(1)
    mean = pd.DataFrame(cell).groupby(people).transform("mean").to_numpy()
    mask = each.sum(2, keepdims=True) / each.sum((1, 2))[:, None, None]  # where a photo gives a cell no chance at all
    given = np.where(cell[:, None] > 1e-12, each / np.maximum(cell, 1e-12)[:, None], mask)
    return (given * mean[:, None]).reshape(len(probabilities), -1)


def sure_of_masks(probabilities: np.ndarray, cells: int) -> np.ndarray:
    """Probabilities (N, C) where each gender and age group has all of its own at its likeliest mask.

    Their argmax is the likeliest gender and age group, the same on all photos of a person who voted. Among the joint classes
    a photo that doubts its mask could take another, whose three masks share its probability less evenly.
    """
    each = probabilities.reshape(len(probabilities), -1, cells)
    likeliest = each == each.max(1, keepdims=True)
    first = likeliest & (likeliest.cumsum(1) == 1)
    return (first * each.sum(1, keepdims=True)).reshape(len(probabilities), -1)
