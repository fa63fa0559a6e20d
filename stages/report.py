"""One page that shows what the scores are made of and where they fail. Run: python -m stages.report

Reads   data/combined.parquet, data/given.csv, data/labels/, data/photos.csv, data/boxes.csv, data/folds.csv,
        data/faces/, models/, reports/metrics.json, reports/plots/
Writes  reports/index.html   one file that needs no network and no other file; it shows faces, so DVC keeps it, not git

Pictures are SVG by matplotlib, where a network looked is Grad-CAM by captum, and the page is a template of jinja2,
stages/reporting/report.html.j2, which takes in parts.html.j2, report.css and report.js from beside it.
"""
import json
from pathlib import Path

import jinja2
import pandas as pd

from stages.core.classes import ATTRIBUTES, CLASSES
from stages.core.command_line import run
from stages.core.face_store import Faces
from stages.core.files import atomic_write, read_csv
from stages.core.params import Params, read_params
from stages.evaluation.bootstrap import DRAWS
from stages.evaluation.ground_truth import read_corrected, read_truth, read_years
from stages.evaluation.label_issues import find_label_issues
from stages.evaluation.out_of_fold import read_out_of_fold
from stages.reporting.gallery import cards
from stages.reporting.pictures import data_pictures, error_pictures
from stages.reporting.theme import COLORS

MOST = 120  # mistakes in the gallery


def headline(metrics: dict) -> list[dict]:
    """The scores, those of the 18 classes first; `key` is the color of each."""
    parts = [("all", "All 18 classes", metrics)] + [(a, a.capitalize(), metrics[a]) for a in ATTRIBUTES]
    return [{"key": key, "name": name, "f1": part["f1"], "accuracy": part["accuracy"],
             **metrics["interval"]["f1" if key == "all" else key]} for key, name, part in parts]


def wrong_photos(scored: pd.DataFrame) -> dict[str, int]:
    """How many photos have a wrong class, and how many of them a wrong mask, gender or age."""
    return {name: int((scored[name] != scored[f"{name}_true"]).sum()) for name in ("class", *ATTRIBUTES)}


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
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "reporting")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = environment.get_template("report.html.j2").render(
        photos=metrics["photos"], people=metrics["people"], draws=DRAWS, unreadable=sum(metrics["unreadable"].values()),
        scores=headline(metrics), wrong=wrong_photos(scored), errors=error_pictures(scored, plots),
        data=data_pictures(p, truth, years, combined, plots), cards=cards(scored, Faces(Path("data/faces")), p, MOST),
        classes=CLASSES, attributes=ATTRIBUTES, suspects=suspected(p, combined), colors=COLORS)
    with atomic_write("reports/index.html") as part:
        part.write_text(page, encoding="utf-8")
    print(f"reports/index.html: {len(page) / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main, words=False)
