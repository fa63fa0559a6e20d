"""The gate of an export: the bundle finds the same faces as the pipeline and gives the same probabilities and labels."""
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from labeller.faces.detector import find_faces
from labeller.labeller import Labeller, resized_all
from labeller.voting.probabilities import logs_of
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.params import FILE, Params
from stages.core.yaml_file import read_yaml
from stages.exporting.networks import members
from stages.faces.mtcnn import Cascade
from stages.modeling.checkpoints import restore
from stages.modeling.multitask import class_logs
from stages.modeling.networks import Normalize
from stages.shards.photos import read_or_reason

PHOTOS, CROPS = 32, 64  # looked at; spread over all
MOST = 1e-4  # largest difference of a probability


def check_params() -> None:
    """Raise UserError if parameters of detection, crops or votes changed since the run that the models and labels are of."""
    stages, now = read_yaml(Path("dvc.lock"))["stages"], read_yaml(FILE)
    for stage in ("detect", "crop", "combine"):
        was = stages[stage]["params"][str(FILE)][stage]
        for key, value in now[stage].items():
            if value != was.get(key):
                raise UserError(f"{FILE}: {stage}.{key}: {value!r}, and the last run was with {was.get(key)!r}; set it back, "
                                "or run dvc repro")


def check_networks(labeller: Labeller, faces: Faces, p: Params) -> float:
    """The largest difference of a network's probabilities on crops from torch's; raises UserError above MOST."""
    rows = np.linspace(0, len(faces) - 1, min(CROPS, len(faces))).astype(int)
    crops, worst = np.stack([faces[row] for row in rows]), 0.0
    exported = iter([network for model in labeller.bundle.models for network in model.networks])
    for (name, fold, folder), network in zip(members(p), exported, strict=True):
        trained, settings = restore(folder, faces)
        given = resized_all(crops, network.size)
        with torch.inference_mode():
            logits = trained(Normalize(trained)(torch.from_numpy(given)))
            wanted = class_logs(logits, settings["heads"]).exp().numpy()
        difference = float(np.abs(wanted - network.run(given)).max())
        if not difference <= MOST:
            raise UserError(f"{name}, fold {fold}: the exported network's probabilities differ by up to {difference:.2g} from "
                            f"the trained one's, more than {MOST:g}; change {name}.backbone, or report it")
        worst = max(worst, difference)
    return worst


def check_boxes(labeller: Labeller, root: Path, boxes: pd.DataFrame, p: Params) -> int:
    """The number of photos on which the bundle found the same face as torch on a CPU; raises UserError for another one."""
    photos = [photo for photo in map(read_or_reason, (root / name for name in spread(boxes.photo, PHOTOS)))
              if not isinstance(photo, str)]
    cascade = Cascade(torch.device("cpu"))
    for photo in photos:
        [wanted], [found] = (find_faces([photo], each, p.detect) for each in (cascade, labeller.bundle.cascade))
        if wanted[0] != found[0] or max(abs(a - b) for a, b in zip(wanted[1:5], found[1:5])) > 0:
            raise UserError(f"the bundle finds another face than the pipeline: {found[:5]} instead of {wanted[:5]}; report it")
    return len(photos)


def check_labels(labeller: Labeller, faces: Faces, combined: pd.DataFrame, p: Params) -> str:
    """On how many photos the bundle gives the pipeline's labels, or why it is not known; raises UserError for another label.

    They are photos to label; without any, held-out ones, if each model is one network. With several folds, no held-out photo
    has the votes of all networks.
    """
    if p.combine.by_person:
        return "labels not compared: a person's other photos decide, too (combine.by_person)"
    if any(p.predict[name].views == "random" for name in p.models):
        return "labels not compared: a bundle has no random views"
    voters = combined[combined.part == "eval"]
    if voters.empty and len(p.folds) == 1 and not p.refit:
        voters = combined
    if voters.empty:
        return "labels not compared: no photo on which all networks vote"
    voters = voters.set_index("photo").loc[spread(voters.photo, CROPS)]
    row = {photo: i for i, photo in enumerate(faces.photos)}
    numbers, _ = labeller.classify(np.stack([faces[row[photo]] for photo in voters.index]))
    logs = logs_of(voters[[f"class_{i}" for i in range(p.classes.count)]].to_numpy()) + labeller.bundle.offsets
    wanted = voters["class"].to_numpy()
    if (voters.part == "train").any():  # their classes are by offsets of other people, not by the bundle's
        wanted = logs.argmax(1)
    close = np.sort(logs, 1)
    tie = close[:, -1] - close[:, -2] < 10 * MOST  # rounding may break it either way
    if (wrong := (numbers != wanted) & ~tie).any():
        raise UserError(f"the bundle labels {voters.index[wrong][0]} as class {numbers[wrong][0]} and the pipeline as "
                        f"{wanted[wrong][0]}; run dvc repro, or report it")
    return f"the same labels on {len(voters)}"


def spread(values, count: int) -> list:
    """At most `count` of the values, evenly spread."""
    values = list(values)
    return [values[i] for i in np.unique(np.linspace(0, len(values) - 1, min(count, len(values))).astype(int))]
