"""One page that shows what the scores are made of and where they fail. Run: python -m stages.report

Reads   data/combined.parquet, data/given.csv, data/labels/, data/photos.csv, data/boxes.csv, data/folds.csv,
        data/faces/, models/, reports/metrics.json, reports/plots/
Writes  reports/index.html   one file that needs no network and no other file; it shows faces, so DVC keeps it, not git

Pictures are SVG by matplotlib, the page is a template of jinja2 (stages/reporting/report.html.j2), and where a network
looked is Grad-CAM by captum.
"""
import json
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd

from stages.core.classes import ATTRIBUTES, BORDERS, CLASSES, VALUES
from stages.core.command_line import run
from stages.core.face_store import Faces
from stages.core.files import atomic_write, read_csv
from stages.core.params import Params, read_params
from stages.evaluation.bootstrap import DRAWS
from stages.evaluation.ground_truth import read_corrected, read_truth, read_years
from stages.evaluation.label_issues import find_label_issues
from stages.evaluation.out_of_fold import read_out_of_fold
from stages.reporting.charts import draw_ages, draw_bars, draw_classes, draw_confusion, draw_errors, draw_lines
from stages.reporting.gallery import cards

MOST = 120  # mistakes in the gallery


def numbers(metrics: dict) -> list[dict]:
    rows = [("18 classes, macro F1", metrics["f1"], metrics["interval"]["f1"]),
            ("18 classes, accuracy", metrics["accuracy"], {})]
    rows += [(f"{a}, macro F1", metrics[a]["f1"], metrics["interval"][a]) for a in ATTRIBUTES]
    return [{"name": name, "value": value, "low": span.get("low"), "high": span.get("high")} for name, value, span in rows]


def score_pictures(scored: pd.DataFrame, plots: dict[str, pd.DataFrame]) -> list[dict]:
    return [
        {"title": "macro F1 of the held-out fold, by epoch", "svg": draw_lines(plots["curves"], "epoch", "f1")},
        {"title": "how often it is right when so sure",
         "svg": draw_lines(plots["reliability"], "confidence", "accuracy", diagonal=True)},
        *({"title": f"{a}: share of each true value", "svg": draw_confusion(scored[f"{a}_true"], scored[a], VALUES[a])}
          for a in ATTRIBUTES),
        {"title": "F1 by class", "svg": draw_classes({"f1": plots["classes"].f1.to_numpy()}, "F1")},
        {"title": "18 classes: share of each true class", "wide": True,
         "svg": draw_confusion(scored.class_true, scored["class"], CLASSES)},
    ]


def error_pictures(scored: pd.DataFrame, plots: dict[str, pd.DataFrame]) -> list[dict]:
    wrong = pd.DataFrame({a: scored[a] != scored[f"{a}_true"] for a in ATTRIBUTES})
    return [
        {"title": "wrong in which attributes at once", "svg": draw_errors(wrong)},
        {"title": "labelled as, by age in years", "svg": draw_lines(plots["years"], "years", "share", marks=BORDERS)},
        {"title": "macro F1 by how the mask is worn", "svg": draw_bars(plots["wearing"], "wearing", "f1")},
        {"title": "macro F1 by how the face was found", "svg": draw_bars(plots["found"], "found", "f1")},
    ]


def data_pictures(p: Params, truth: pd.DataFrame, years: pd.Series, combined: pd.DataFrame) -> list[dict]:
    people = read_csv("data/photos.csv", ["photo", "person"]).set_index("photo").person
    table = pd.DataFrame({"person": people.reindex(truth.index), "age": years.reindex(truth.index),
                          "gender": truth.gender.map(dict(enumerate(VALUES["gender"])))}).drop_duplicates("person")
    evals = np.bincount(combined["class"][combined.part == "eval"], minlength=len(CLASSES))
    counts = {"training part, by label": np.bincount(truth["class"], minlength=len(CLASSES)), "to label, as labelled": evals}
    shares = {name: photos / max(1, photos.sum()) for name, photos in counts.items()}
    pictures = [{"title": "photos by class, shares", "svg": draw_classes(shares, "share")},
                {"title": "people by age, official groups", "svg": draw_ages(table, BORDERS, [])}]
    for name in [name for name in p.models if "age" in p.sections[name].attributes]:
        section = p.sections[name]
        if section.borders != BORDERS or section.drop:
            pictures.append({"title": f"people by age, as {name} learns them",
                             "svg": draw_ages(table, section.borders, section.drop)})
    return pictures


def suspected(p: Params, combined: pd.DataFrame) -> list[dict]:
    """The labels to look at, see stages/evaluation/label_issues.py."""
    given = read_csv("data/given.csv", ["photo", "person", *ATTRIBUTES])
    rows = find_label_issues(combined, given, read_corrected(p))
    return rows[["rank", "person", "attribute", "old", "new", "score", "photo", "source"]].to_dict("records")


def main():
    p = read_params()
    truth, years, combined = read_truth(p), read_years(p), pd.read_parquet("data/combined.parquet")
    scored = read_out_of_fold(combined, truth, years)
    metrics = json.loads(Path("reports/metrics.json").read_text())
    plots = {file.stem: pd.read_csv(file) for file in Path("reports/plots").glob("*.csv")}
    parts = [
        ("learning", "Learning and labelling", "How the trainings went, and how labels and truth fit.",
         score_pictures(scored, plots)),
        ("errors", "Errors", "An 18-class label is wrong where any attribute is.", error_pictures(scored, plots)),
        ("data", "Data", "What there is to learn from, and what was made of the photos to label.",
         data_pictures(p, truth, years, combined)),
    ]
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "reporting")
    page = jinja2.Environment(loader=loader, autoescape=True).get_template("report.html.j2").render(
        photos=metrics["photos"], people=metrics["people"], draws=DRAWS, unreadable=sum(metrics["unreadable"].values()),
        numbers=numbers(metrics), parts=[dict(zip(("id", "title", "text", "pictures"), part)) for part in parts],
        cards=cards(scored, Faces(Path("data/faces")), p, MOST), mistakes=int((scored["class"] != scored.class_true).sum()),
        classes=CLASSES, attributes=ATTRIBUTES, suspects=suspected(p, combined))
    with atomic_write("reports/index.html") as part:
        part.write_text(page, encoding="utf-8")
    print(f"reports/index.html: {len(page) / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main, words=False)
