"""Labels that the models contradict. tools/label_issues.py writes them down.

A label is suspected by confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", 2021; cleanlab): the models give another class at least the probability that people labelled so get on
average (`get_confident_thresholds`), and more than the label's own class. Each class has a threshold of its own, so one
that the models rarely dare to say, such as 60plus, can be suggested, too; one that nobody is labelled with never is.
Suspects are ranked by cleanlab's `normalized_margin`, (1 + probability of the label - that of the likeliest other) / 2,
which its docs name for labels that ought to be another class. On real faces with genders and ages exchanged on purpose
it ranked as well as `self_confidence`, and `adjust_pred_probs`, which makes up for rare classes, did not better it.

Ages are compared by group. A label within NEAR years of a border says little of the group, since people look younger or
older than they are: it counts for the likelier of the two groups. So 29 is contradicted by 60plus alone, and the
contest's 60, its only year of 60plus, by under30 alone. What is suggested is a year, of which the models know nothing:
of the years of the suggested group the nearest to the label.

A correction of a gender or an age names a person and the label as given, and changes all photos of the person that have
it; one of a mask names the photo, too.
"""
import numpy as np
import pandas as pd
from cleanlab.count import get_confident_thresholds
from cleanlab.rank import get_label_quality_scores

from stages.core.classes import ATTRIBUTES, BORDERS, OLDEST, VALUES, age_group
from stages.evaluation.breakdown import marginals

COLUMNS = ["person", "attribute", "old", "new", "source", "photo", "score", "rank"]
NEAR = 3  # years: 27 to 32 and 57 to 62 count for either group


def find_label_issues(combined: pd.DataFrame, given: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """The rows of COLUMNS, most suspicious first, of the people whom no model has seen: part train of `combined`.

    combined: as data/combined.parquet. given: photo, person and the labels as given; labels: photo and the labels that
    the models learnt, corrected; both as text, ages in years. `person` to `photo` are what labels.corrections takes;
    `photo` is empty but for masks. `score` is from 0 to 1, and low where the models are sure of something else.
    """
    seen = combined[combined.part == "train"]
    was, now = given.set_index("photo").loc[seen.photo], labels.set_index("photo").loc[seen.photo]
    found = []
    for attribute in ATTRIBUTES:
        photos = was[["person"]].assign(old=was[attribute], label=now[attribute]).reset_index()
        found.append(judge(attribute, photos, marginals(seen, attribute)))
    rows = pd.concat(found).sort_values(["score", "attribute", "person", "photo"], ignore_index=True)
    return rows.assign(rank=rows.index + 1)[COLUMNS]


def judge(attribute: str, photos: pd.DataFrame, chances: np.ndarray) -> pd.DataFrame:
    """The suspects: COLUMNS without rank.

    photos: photo, person, old (the label as given) and label (as learnt); chances: (N, values) of the same photos.
    """
    # A correction of a gender or an age goes by person and old label, and so do their probabilities.
    by = ["photo"] if attribute == "mask" else ["person", "old"]
    groups = pd.concat([photos, pd.DataFrame(chances)], axis=1).groupby(by, sort=False)
    units, chances = groups[photos.columns].first(), groups[list(range(chances.shape[1]))].mean().to_numpy()
    if attribute == "age":
        own = taken_for(units.label.astype(int).to_numpy(), chances)
    else:
        own = units.label.map({name: i for i, name in enumerate(VALUES[attribute])}).to_numpy()
    score, new = contradicted(own, chances)
    units, wrong = units.assign(photos=groups.size().to_numpy(), own=own, new=new, score=score), new != own
    rows = [row_of(attribute, unit, row) for unit, row in zip(units[wrong].itertuples(), chances[wrong])]
    return pd.DataFrame(rows, columns=COLUMNS[:-1]).astype({"score": float})


def row_of(attribute: str, unit, chances: np.ndarray) -> tuple:
    """person, attribute, old, new, source, photo and score of a suspect; `chances` are of the attribute's values."""
    names, photo = VALUES[attribute], unit.photo if attribute == "mask" else ""
    new, said = names[unit.new], [f"{names[k]} {chances[k]:.2f}" for k in (unit.new, unit.own)]
    why = f"tools.label_issues: {unit.photos} photo{'s' * (unit.photos > 1)}, {', '.join(said)}"
    if attribute == "age":
        new = str(nearest_year(int(unit.label), unit.new))
        why += f"; {new} is the nearest year of {names[unit.new]}, not an estimate"
    if unit.label != unit.old:
        why += f"; a correction makes it {unit.label} already: change that one"
    return unit.person, attribute, unit.old, new, why, photo, unit.score


def contradicted(own: np.ndarray, chances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of labels `own` (N,) and probabilities (N, values): the score (N,), and the class (N,) that they should be.

    That is another one than `own` only where the label is suspected.
    """
    sure = np.where(chances >= get_confident_thresholds(own, chances), chances, 0)
    suspected = sure.max(1) > chances[np.arange(len(own)), own]
    score = get_label_quality_scores(own, chances, method="normalized_margin")
    return score.round(4), np.where(suspected, sure.argmax(1), own)


def near(years: np.ndarray, border: int) -> np.ndarray:
    """Which ages (N,) are less than NEAR years from where one group becomes the next, half a year below the border."""
    return np.abs(years - border + 0.5) < NEAR


def taken_for(years: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """The age groups (N,) that labels in years count for: near a border the likelier of its two."""
    groups = age_group(years)
    for low, border in enumerate(BORDERS):
        groups = np.where(near(years, border), low + (chances[:, low + 1] > chances[:, low]), groups)
    return groups


def nearest_year(years: int, group: int) -> int:
    """The year of an age group that is nearest to an age."""
    first, last = (0, *BORDERS)[group], (*BORDERS, OLDEST + 1)[group] - 1
    return min(max(years, first), last)
