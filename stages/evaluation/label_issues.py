"""Find probable label errors in out-of-fold predictions, by confident learning. tools/label_issues.py writes them.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", 2021; cleanlab. A label is
suspected if the models give another class a higher probability, and at least the average of those labelled with that
class (`get_confident_thresholds`). Each class has its own threshold, so a class that models rarely predict, such as
60plus, can be suggested, too; a class without labels never is. Suspects are ranked by cleanlab's `normalized_margin`,
(1 + probability of the label - highest other probability) / 2, which its docs recommend for labels that ought to be
another class. On real faces with genders and ages swapped on purpose it ranked as well as `self_confidence`, and
`adjust_pred_probs`, which makes up for rare classes, did not improve it.

Ages are compared by group. A label within NEAR years of a border says little about the group, since people look younger
or older than they are: it counts as the likelier of the two groups. So only 60plus contradicts 29, and only under30 the
contest's 60, its only year of 60plus. The suggestion is a year, which the models do not predict: the year of the
suggested group that is nearest to the label.

A correction of gender or age names a person and the given label, and changes all photos of the person with that label;
a correction of a mask, or of what else differs between photos, names the photo, too.
"""
import numpy as np
import pandas as pd
from cleanlab.count import get_confident_thresholds
from cleanlab.rank import get_label_quality_scores

from stages.core.classes import AGE, OF_PERSON, OLDEST, Classes, years_of
from stages.evaluation.breakdown import marginals

COLUMNS = ["person", "attribute", "old", "new", "source", "photo", "score", "rank"]
NEAR = 3  # years: ages 27 to 32 and 57 to 62 count as either group


def find_label_issues(combined: pd.DataFrame, given: pd.DataFrame, labels: pd.DataFrame, classes: Classes) -> pd.DataFrame:
    """Rows of COLUMNS, most suspicious first, for the out-of-fold predictions: part train of `combined`.

    combined: as data/combined.parquet. given: photo, person and the labels as given; labels: photo and the corrected
    labels, which the models learnt; both as text, ages in years, empty where missing, which is no issue. labels.corrections
    takes the columns `person` to `photo`; `photo` is empty for gender and age. `score` is from 0 to 1, low where the models
    are sure of another class.
    """
    seen = combined[combined.part == "train"]
    was, now = given.set_index("photo").loc[seen.photo], labels.set_index("photo").loc[seen.photo]
    found = []
    for attribute in classes.attributes:
        known = (now[attribute] != "").to_numpy()
        photos = was[["person"]].assign(old=was[attribute], label=now[attribute])[known].reset_index()
        if len(photos):
            found.append(find_suspects(attribute, photos, marginals(seen[known], attribute, classes), classes))
    if not found:
        return pd.DataFrame(columns=COLUMNS)
    rows = pd.concat(found).sort_values(["score", "attribute", "person", "photo"], ignore_index=True)
    return rows.assign(rank=rows.index + 1)[COLUMNS]


def find_suspects(attribute: str, photos: pd.DataFrame, probabilities: np.ndarray, classes: Classes) -> pd.DataFrame:
    """The suspected labels of one attribute: COLUMNS without rank.

    photos: photo, person, old (the label as given), label (as learnt); probabilities: (N, values) of the same photos.
    """
    # Corrections of gender and age go by person and old label, so their probabilities are averaged over these photos.
    by = ["person", "old"] if attribute in OF_PERSON else ["photo"]
    groups = pd.concat([photos, pd.DataFrame(probabilities)], axis=1).groupby(by, sort=False)
    units, probabilities = groups[photos.columns].first(), groups[list(range(probabilities.shape[1]))].mean().to_numpy()
    labelled = classes.values_of(attribute, units.label)
    if attribute == AGE:
        labelled = likelier_groups(years_of(units.label), labelled, probabilities, classes.borders)
    score, new = score_labels(labelled, probabilities)
    units, wrong = units.assign(photos=groups.size().to_numpy(), labelled=labelled, new=new, score=score), new != labelled
    rows = [row_of(attribute, unit, row, classes) for unit, row in zip(units[wrong].itertuples(), probabilities[wrong])]
    return pd.DataFrame(rows, columns=COLUMNS[:-1]).astype({"score": float})


def row_of(attribute: str, unit, probabilities: np.ndarray, classes: Classes) -> tuple:
    """person, attribute, old, new, source, photo and score of a suspect; probabilities: (values,) of the attribute."""
    names, photo = classes.values[attribute], "" if attribute in OF_PERSON else unit.photo
    new, said = names[unit.new], [f"{names[k]} {probabilities[k]:.2f}" for k in (unit.new, unit.labelled)]
    why = f"tools.label_issues: {unit.photos} photo{'s' * (unit.photos > 1)}, {', '.join(said)}"
    if attribute == AGE:
        new = str(nearest_year(int(unit.label), unit.new, classes.borders))
        why += f"; {new} is the nearest year of {names[unit.new]}, not an estimate"
    if unit.label != unit.old:
        why += f"; a correction makes it {unit.label} already: change that one"
    return unit.person, attribute, unit.old, new, why, photo, unit.score


def score_labels(labelled: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score (N,) and suggested class (N,) of labels (N,) with probabilities (N, values).

    The suggestion differs from the label only where the label is suspected.
    """
    sure = np.where(probabilities >= get_confident_thresholds(labelled, probabilities), probabilities, 0)
    suspected = sure.max(1) > probabilities[np.arange(len(labelled)), labelled]
    score = get_label_quality_scores(labelled, probabilities, method="normalized_margin")
    return score.round(4), np.where(suspected, sure.argmax(1), labelled)


def near(years: np.ndarray, border: int) -> np.ndarray:
    """Whether ages (N,) are less than NEAR years from the boundary between two groups, half a year below the border."""
    return np.abs(years - border + 0.5) < NEAR


def likelier_groups(years: np.ndarray, groups: np.ndarray, probabilities: np.ndarray, borders: tuple[int, ...]) -> np.ndarray:
    """Age groups (N,) that labels in years (N,), of groups (N,), count as: near a border the likelier of its two."""
    for low, border in enumerate(borders):
        groups = np.where(near(years, border), low + (probabilities[:, low + 1] > probabilities[:, low]), groups)
    return groups


def nearest_year(years: int, group: int, borders: tuple[int, ...]) -> int:
    """The year of an age group nearest to an age."""
    first, last = (0, *borders)[group], (*borders, OLDEST + 1)[group] - 1
    return min(max(years, first), last)
