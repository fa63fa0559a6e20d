"""Train on a folder of your own photos and bundle what comes out. Run: python -m tools.own ROOT [KEY=VALUE ...]

Reads which labels the photos have. Where none has one of mask, masks are painted on the faces (stages/paint.py). An attribute
without labels gets no model. Then runs recipes/own.yaml as one experiment, KEY=VALUE on top (data.table=labels.csv,
paint.worn=3, age.epochs=8), and exports bundle/model. `make own ROOT=...` brings the recipe's pretrained weights first.
"""
import subprocess
import sys
from pathlib import Path

from labeller.parser import Parser
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.params import PAINTED, Params, parse
from stages.core.yaml_file import load
from stages.readers.layouts import read_photos
from tools.shared.overrides import apply_overrides, check_values, committed, merge, read_recipe, read_settings, sources_of

RECIPE = "own"
READ = "data."  # settings that say how the photos are read


def count_labels(root: str, p: Params) -> dict[str, int]:
    """Photos to train on with a label, by attribute."""
    rows, _ = read_photos(Path(root), p.data, p.all_classes, p.machine.workers)
    train = rows[rows.part == "train"]
    return {attribute: int((train[attribute] != "").sum()) for attribute in p.all_classes.attributes}


def settings_for(root: str, labels: dict[str, int], read: dict) -> dict:
    """Overrides of params.yaml for the photos in `root`: where they are read, and a model for each attribute with labels.

    labels: of count_labels. read: the user's settings of `data`, which say how they are read. Raises UserError without labels.
    """
    if not any(labels.values()):
        raise UserError(f"{root}: no photo to train on has a label of {', '.join(labels)}; docs/own-photos.md says how "
                        "labels are read")
    paint = labels.get("mask") == 0
    models = [name for name, count in labels.items() if count or (paint and name == "mask")]
    without = [name for name in labels if name not in models]
    print(f"models: {', '.join(models)}" + f"; without labels, and so without a model: {', '.join(without)}" * bool(without)
          + "; masks are painted, since no photo has a label of mask" * paint)
    to = "paint.source." if paint else READ
    return ({"data.root": PAINTED, "paint.sets": ["painted"]} if paint else {}) | {f"{to}root": root, "models": models} | {
        to + key.removeprefix(READ): value for key, value in read.items()}


def main():
    parser = Parser(prog="python -m tools.own", description=__doc__.split("\n\n")[0])
    parser.add_argument("root", metavar="ROOT", help="folder of the photos, in any layout of docs/own-photos.md")
    parser.add_argument("settings", metavar="KEY=VALUE", nargs="*", default=[], help="parameters that override the recipe's")
    args = parser.parse_args()
    if not Path(args.root).is_dir():
        raise UserError(f"{args.root}: no folder")
    root, given = Path(args.root).as_posix(), read_settings(args.settings)
    check_values(merge(read_recipe(RECIPE), given), load(committed()), sources_of([RECIPE, *args.settings]))
    read = {key: value for key, value in given.items() if key.startswith(READ)}
    shipped = apply_overrides({"data.root": root, **read}, load(committed()), dict.fromkeys(["data.root", *read], "KEY=VALUE"))
    found = settings_for(root, count_labels(root, parse(shipped)), read)
    words = [f"{key}={value}" for key, value in found.items()] + [w for w in args.settings if not w.startswith(READ)]
    for command in (["tools.recipe", RECIPE, *words], ["stages.export"]):
        if failed := subprocess.run([sys.executable, "-m", *command], check=False).returncode:
            sys.exit(failed)


if __name__ == "__main__":
    run(main)
