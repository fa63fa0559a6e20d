"""One page that shows what the scores are made of and where they fail. Run: python -m stages.report

Reads   data/combined.parquet, data/given.csv, data/labels/, data/photos.csv, data/boxes.csv, data/folds.csv,
        data/faces/, models/, reports/metrics.json, reports/plots/
Writes  reports/index.html   one file that needs no network and no other file; it shows faces, so DVC keeps it, not git

Pictures are SVG by matplotlib, where a network looked is Grad-CAM by captum, and the page is a template of jinja2,
stages/reporting/report.html.j2, which takes in parts.html.j2, report.css and report.js from beside it.
"""
from pathlib import Path

import jinja2
import pandas as pd

from stages.core.classes import Classes
from stages.core.command_line import run
from stages.core.face_store import Faces
from stages.core.files import atomic_write, read_csv
from stages.core.params import Params, read_params
from stages.evaluation.bootstrap import DRAWS
from stages.evaluation.ground_truth import read_corrected, read_truth, read_years
from stages.evaluation.label_issues import find_label_issues
from stages.evaluation.out_of_fold import read_combined, read_out_of_fold
from stages.evaluation.plots import COLUMNS, read_plot
from stages.evaluation.tables import read_json
from stages.reporting.gallery import cards
from stages.reporting.pictures import data_pictures, error_pictures
from stages.reporting.theme import COLORS, color_of

MOST = 120  # mistakes in the gallery


def headline(metrics: dict, classes: Classes) -> list[dict]:
    """The scores of what has labels, those of the joint classes first; `key` is the color of each."""
    parts = [("all", f"All {classes.count} classes", metrics)] + [(a, a.capitalize(), metrics[a]) for a in classes.attributes]
    return [{"key": color_of(key), "name": name, "f1": part["f1"], "accuracy": part["accuracy"],
             **metrics["interval"]["f1" if key == "all" else key]} for key, name, part in parts if part["photos"]]


def wrong_photos(scored: pd.DataFrame, classes: Classes) -> dict[str, int]:
    """How many photos are labelled wrongly in an attribute whose label is known, and in `any` of them."""
    wrong = {name: (scored[name] != scored[f"{name}_true"]) & (scored[f"{name}_true"] >= 0) for name in classes.attributes}
    return {name: int(photos.sum()) for name, photos in (wrong | {"any": pd.DataFrame(wrong).any(axis=1)}).items()}


def listed(words) -> str:
    """Words in a row: a, b and c."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def suspected(p: Params, combined: pd.DataFrame) -> list[dict]:
    """The labels to look at, see stages/evaluation/label_issues.py."""
    given = read_csv("data/given.csv", ["photo", "person", *p.classes.attributes])
    rows = find_label_issues(combined, given, read_corrected(p), p.classes)
    return rows[["rank", "person", "attribute", "old", "new", "score", "photo", "source"]].to_dict("records")


def main():
    p = read_params()
    truth, years, combined = read_truth(p), read_years(p), read_combined(p.classes)
    scored = read_out_of_fold(combined, truth, years, p.classes)
    metrics = read_json("reports/metrics.json", ["scored", "people", "unreadable", "interval", *p.classes.attributes],
                        "evaluate")
    plots = {name: read_plot(name) for name in COLUMNS}
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "reporting")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.globals |= {"color_of": color_of, "listed": listed}
    page = environment.get_template("report.html.j2").render(
        photos=metrics["scored"], people=metrics["people"], draws=DRAWS, unreadable=sum(metrics["unreadable"].values()),
        scores=headline(metrics, p.classes), wrong=wrong_photos(scored, p.classes), errors=error_pictures(scored, plots, p),
        data=data_pictures(p, truth, years, combined, plots), cards=cards(scored, Faces(Path("data/faces")), p, MOST),
        classes=p.classes.names, attributes=p.classes.attributes, suspects=suspected(p, combined), colors=COLORS,
        title=listed(p.classes.attributes).capitalize())
    with atomic_write("reports/index.html") as part:
        part.write_text(page, encoding="utf-8")
    print(f"reports/index.html: {len(page) / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main, words=False)
