"""Export the networks that vote as one bundle, which labels photos without torch. Run: python -m stages.export

Reads   models/, data/decision.json, data/combined.parquet, data/faces/, data/boxes.csv and its photos, data/photos.csv,
        reports/metrics.json, reports/plots/
Writes  bundle/model/           see labeller/bundle.py; what a user of the labels needs, and nothing else

It is no stage of dvc.yaml: an experiment need not wait for it, and a `dvc pull` needs no bundle. It ends in an error where
the bundle's faces, probabilities or labels are not the pipeline's. Views by random augmentation need the training's code, so
a bundle looks at the photo and its mirror image instead.
"""
import shutil
import subprocess
import tempfile
from pathlib import Path

import pandas as pd

from labeller.bundle import CARD, FORMAT
from labeller.labeller import SPECIALISTS, Labeller
from stages.core.command_line import run
from stages.core.face_store import Faces
from stages.core.files import read_csv, write_json
from stages.core.params import FILE, Params, read_params
from stages.core.yaml_file import read_yaml
from stages.evaluation.out_of_fold import read_combined
from stages.evaluation.plots import read_plot
from stages.evaluation.tables import read_json
from stages.exporting.card import readme
from stages.exporting.int8 import check_f1, cost_of_int8, quantize
from stages.exporting.networks import digests, write_mtcnn, write_networks
from stages.exporting.parity import check_boxes, check_labels, check_networks, check_params

BUNDLE = Path("bundle/model")
CODE = ["params.yaml", "dvc.yaml", "stages", "labeller"]  # what decides on a bundle, beside the data


def revision() -> dict:
    """The last commit that changed code or parameters, None outside a git repository, and whether they differ from it."""
    def git(*words: str) -> str | None:
        done = subprocess.run(["git", *words, "--", *CODE], check=False, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None
    return {"revision": git("log", "-1", "--format=%H") or None, "changed": bool(git("status", "--porcelain"))}


def made_card(models: list[dict], decision: dict, p: Params) -> dict:
    """card.json but for the hashes of the files."""
    photos = read_csv("data/photos.csv", ["photo", "person", "part"])
    trained = photos[photos.part == "train"]
    return {
        "format": FORMAT, "name": "mask-gender-age", "licence": p.export.licence, "precision": p.export.precision,
        "classes": p.classes.values,
        "models": models, "vote": p.combine.vote, "specialists_weight": p.combine.weights.get(SPECIALISTS, 1.0),
        "offsets": decision["offsets"], "detect": p.detect.model_dump(), "crop": p.crop.model_dump(),
        "metrics": read_json("reports/metrics.json", ["f1"], "evaluate"),
        "made_from": revision() | {"people": trained.person.nunique(), "photos": len(trained)}, "params": read_yaml(FILE),
    }


def main():
    p = read_params()
    if random := [name for name in p.models if p.predict[name].views == "random"]:
        print(f"note: {', '.join(random)}: a bundle sees the photo and its mirror image instead of random views")
    check_params()
    BUNDLE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUNDLE.parent) as scratch:  # in place only once it is checked
        folder = Path(scratch, BUNDLE.name)
        folder.mkdir()
        said = write_checked(folder, p)
        shutil.rmtree(BUNDLE, ignore_errors=True)
        folder.rename(BUNDLE)
    print(f"{BUNDLE}: {said}")


def readable(folder: Path, card: dict, tables: dict[str, pd.DataFrame]) -> Labeller:
    """Write the model card and card.json of the networks in a folder, and read the bundle that it is by now."""
    (folder / CARD).unlink(missing_ok=True)
    (folder / "README.md").write_text(readme(card, tables["labels"], tables))
    write_json(card | {"files": digests(folder)}, folder / CARD)
    return Labeller(folder)


def write_checked(folder: Path, p: Params) -> str:
    """Write the bundle into an empty folder and check it; returns what was found, in one line."""
    decision, faces = read_json("data/decision.json", ["temperatures", "offsets"], "combine"), Faces(Path("data/faces"))
    write_mtcnn(folder)
    card = made_card(write_networks(folder, faces, p, decision["temperatures"]), decision, p)
    tables = {name: read_plot(name) for name in ("labels", "wearing", "found")}
    labeller = readable(folder, card, tables)
    worst = check_networks(labeller, faces, p)
    boxes = read_csv("data/boxes.csv", ["photo", "found"])
    same = check_boxes(labeller, Path(p.data.root), boxes[boxes.found != "unreadable"], p)
    found = (f"probabilities within {worst:.1g} of the trained networks', the same faces on {same} photos, "
             f"{check_labels(labeller, faces, read_combined(p.classes), p)}")
    if p.export.precision == "int8":
        quantize(folder, card["models"], faces)
        card["int8"] = check_f1(labeller, readable(folder, card, tables), faces, tables["labels"], p.classes)
        readable(folder, card, tables)
        found += f"; {cost_of_int8(card['int8'])}"
    return f"{sum(file.stat().st_size for file in folder.iterdir()) / 1e6:.1f} MB; {found}"


if __name__ == "__main__":
    run(main, words=False)
