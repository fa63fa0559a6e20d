"""Check that the files, folders and GPUs named by the parameters can be had."""
import os
import re
from pathlib import Path

from stages.core.errors import UserError
from stages.core.params import FILE, PAINTED, Params, check_devices
from stages.readers.layouts import layout_of

SAMPLE = Path("data/sample")  # data/dvc.yaml draws it
FACES = Path("data/faces")
OF_CROP = re.compile(r"\d+\.npy|faces\.json|faces\.npy")  # the last by earlier versions
PRETRAINED = Path("models/pretrained")  # `make weights` fills it


def special_file(root: Path) -> Path | None:
    """A pipe, a socket or a device below a folder, or a link to one; DVC would read it for ever."""
    for folder, _, files in os.walk(root):
        for file in (Path(folder, name) for name in files):
            if not file.is_file() and file.exists() and not file.is_dir():
                return file
    return None


def check_files(p: Params, sources: dict[str, str]) -> None:
    """Raise UserError if a named folder or file is missing, data.root has no clear layout, stages would empty a folder, or the
    sample or the machine is too small.

    sources: the file that sets a key, if not params.yaml.
    """
    data, key = (p.paint.source, "paint.source") if Path(p.data.root) == Path(PAINTED) else (p.data, "data")
    root, source = Path(data.root), sources.get(f"{key}.root", FILE)
    if FACES.resolve().is_relative_to(root.resolve()):
        raise UserError(f"{source}: {key}.root: {data.root!r} holds what the stages write, such as {FACES}, or is that; put "
                        "the photos into a folder of their own, such as data/mine")
    if others := sorted(str(file) for file in FACES.glob("[!.]*") if not OF_CROP.fullmatch(file.name)):
        raise UserError(f"{FACES}: {others[0]} is no file of the stage crop, which empties the folder; put photos into a "
                        "folder of their own, such as data/mine")
    if root != SAMPLE and not root.is_dir():
        raise UserError(f"{source}: {key}.root: {data.root!r} is no folder; put the photos there as "
                        f"docs/own-photos.md says, or set {key}.root to {SAMPLE} for the drawn sample")
    if special := special_file(root):
        raise UserError(f"{special}: a pipe, a socket or a device; take it out of {key}.root, which DVC reads")
    if root == SAMPLE and p.sample.people < p.split.n_folds:
        raise UserError(f"{sources.get('sample.people', FILE)}: sample.people: {p.sample.people}, fewer than split.n_folds: "
                        f"{p.split.n_folds}, and each fold needs one; raise the one or lower the other")
    files = {f"{key}.table": data.table and root / data.table, "labels.corrections": p.labels.corrections,
             "split.groups": p.split.groups}
    shared = len({section.weights for section in p.sections.values()}) == 1
    for name in p.models:
        check_devices(p.machine, p.sections[name], name)
        key = "training.weights" if shared and f"{name}.weights" not in sources else f"{name}.weights"
        files |= {key: p.sections[name].weights, f"{name}.pseudo": p.sections[name].pseudo}
    for key, file in files.items():
        if file and not Path(file).is_file():
            known = key.endswith(".weights") and Path(file).parent == PRETRAINED
            way = "`make weights` brings those that it has, or " if known else ""
            raise UserError(f"{sources.get(key, FILE)}: {key}: {str(file)!r} is no file; {way}give the path of one, or null")
    if root.is_dir():  # the sample may not be drawn yet
        layout_of(root, data, p.all_classes)
