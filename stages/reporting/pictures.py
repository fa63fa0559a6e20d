"""What the report draws, each picture with a title, and a note that says how to read it."""
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stages.core.classes import AGE
from stages.core.files import read_csv
from stages.core.metrics import CLASS
from stages.core.params import Params
from stages.reporting import charts
from stages.reporting.theme import color_of, svg

WAYS = {"mtcnn": "the detector was sure", "lenient": "found at the second look",
        "padded": "found once the photo had a border",
        "center": "no face found, so the middle of the photo was taken"}  # as stages/detect.py has them
PAIRS = 10  # confusions of classes that are listed


def picture(title: str, note: str, figure: Figure, **more) -> dict:
    return {"title": title, "note": note, "svg": svg(figure, title), **more}


def confusion(true: pd.Series, given: pd.Series, size: int) -> np.ndarray:
    """Photos by true value (row), if it is known, and label given (column): (size, size)."""
    counts, known = np.zeros((size, size), int), true >= 0
    np.add.at(counts, (true[known], given[known]), 1)
    return counts


def confused(counts: np.ndarray, names: tuple[str, ...], most: int) -> list[dict]:
    """The pairs of a true value and a wrong label that most photos have, at most so many."""
    pairs = [{"true": names[row], "given": names[column], "photos": int(counts[row, column]),
              "share": counts[row, column] / counts[row].sum()} for row, column in np.argwhere(counts) if row != column]
    return sorted(pairs, key=lambda pair: -pair["photos"])[:most]


def attribute_picture(attribute: str, names: tuple[str, ...], scored: pd.DataFrame) -> dict:
    """True value against label given; the note names the most frequent confusion."""
    counts = confusion(scored[f"{attribute}_true"], scored[attribute], len(names))
    worst = confused(counts, names, 1)
    note = (f"Most frequent mistake: {worst[0]['true']} labelled {worst[0]['given']}, {worst[0]['share']:.0%} of its photos."
            if worst else "Every label is right.")
    return picture(f"{attribute.capitalize()}: true value and label given", f"Rows add up to 100%. {note}",
                   charts.draw_confusion(counts, names, color_of(attribute)))


def error_pictures(scored: pd.DataFrame, plots: dict[str, pd.DataFrame], p: Params) -> list[dict]:
    classes = p.classes
    wrong = pd.DataFrame({a: (scored[a] != scored[f"{a}_true"]) & (scored[f"{a}_true"] >= 0) for a in classes.attributes})
    counts = confusion(scored.class_true, scored[CLASS], classes.count)
    ways = [f"{way}: {WAYS[way]}." for way in WAYS if way in set(plots["found"].found)]
    return [
        picture("F1 of each class", "The dashed line is their mean, the macro F1.", charts.draw_f1(plots["classes"])),
        picture("Which attributes are wrong at once", "Photos with a wrong class, by what is wrong in it.",
                charts.draw_errors(wrong)),
        *([picture("Age group given, by true age", "The dashed lines are the true borders of the groups.",
                   charts.draw_years(plots["years"], classes))] if len(plots["years"]) else []),
        *(attribute_picture(attribute, names, scored) for attribute, names in classes.values.items()),
        *([picture("Scores by how the mask is worn", "Macro F1 over the values that occur in each group.",
                   charts.draw_bars(plots["wearing"], "wearing", classes.values["mask"]))] if len(plots["wearing"]) else []),
        picture("Scores by how the face was found", " ".join(ways), charts.draw_bars(plots["found"], "found", tuple(WAYS))),
        picture("Calibration: how often labels are right", "On the dashed line, labels are right as often as their "
                "probability says. Larger dots stand for more photos.", charts.draw_reliability(plots["reliability"])),
        picture(f"{classes.count} classes: true class and class given", "Percent of the photos of each true class; rows add up "
                "to 100.", charts.draw_confusion(counts, classes.names, "all"), wide=True,
                pairs=confused(counts, classes.names, PAIRS)),
    ]


def data_pictures(p: Params, truth: pd.DataFrame, years: pd.Series | None, combined: pd.DataFrame,
                  plots: dict[str, pd.DataFrame]) -> list[dict]:
    classes = p.classes
    evals = np.bincount(combined[CLASS][combined.part == "eval"], minlength=classes.count)
    counts = {"training part, by label": np.bincount(truth[CLASS][truth[CLASS] >= 0], minlength=classes.count),
              "to label, as labelled": evals}
    shares = {name: photos / max(1, photos.sum()) for name, photos in counts.items()}
    held_out = f"fold{'s' * (len(p.folds) > 1)} {', '.join(map(str, p.folds))}"
    pictures = [
        picture("Learning curves", f"Macro F1 after each epoch, on the people of held-out {held_out}.",
                charts.draw_curves(plots["curves"])),
        picture("Photos of each class", "What there is to learn from, and what the photos to label were labelled.",
                charts.draw_classes(shares, classes.names)),
    ]
    return pictures + (age_pictures(p, truth, years) if years is not None and (years >= 0).any() else [])


def age_pictures(p: Params, truth: pd.DataFrame, years: pd.Series) -> list[dict]:
    """People by age: in the official groups, and as each model learns them where that differs."""
    classes, note = p.classes, "The training part, one count a person."
    people = read_csv("data/photos.csv", ["photo", "person"]).set_index("photo").person
    table = pd.DataFrame({"person": people.reindex(truth.index), "age": years.reindex(truth.index)})
    if "gender" in classes.values:
        table["gender"] = truth.gender.map(dict(enumerate(classes.values["gender"])))
    table = table[table.age >= 0].drop_duplicates("person")
    pictures = [picture("People by age, in the official groups", note, charts.draw_ages(table, classes.borders, [], classes))]
    for name in [name for name in p.models if AGE in p.sections[name].attributes]:
        section = p.sections[name]
        if section.borders != classes.borders or section.drop:
            pictures.append(picture(f"People by age, as the model {name} learns them", note,
                                    charts.draw_ages(table, section.borders, section.drop, classes)))
    return pictures
