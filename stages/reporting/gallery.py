"""The most confident mistakes, each with its crop, where the network looked, and what it thought."""
import base64
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from stages.core.classes import Classes
from stages.core.face_store import Faces
from stages.core.params import SPECIALISTS, Params
from stages.evaluation.breakdown import confidence, joint_of, marginals
from stages.modeling.augment import Augment, at_test
from stages.modeling.checkpoints import restore
from stages.modeling.dataloader import Crops
from stages.reporting.grad_cam import grad_cam

BATCH = 8  # photos at once, since a large network keeps all its features of each for the gradient
PIXELS = 112  # height of a picture: the page stays small however large the crops are


def mistakes(scored: pd.DataFrame, most: int, classes: Classes) -> pd.DataFrame:
    """The rows of `scored` (see stages/evaluation/breakdown.py) with a wrong label, the most confident first, at most so many.

    Added are confidence (the probability of the class that was given) and attribute: the one of those that are wrong of
    which it was surest.
    """
    errs = {a: (scored[a] != scored[f"{a}_true"]) & (scored[f"{a}_true"] >= 0) for a in classes.attributes}
    wrong = scored[np.any(list(errs.values()), axis=0)]
    sure = {a: np.where(errs[a][wrong.index], confidence(wrong, a, classes), -1) for a in classes.attributes}
    wrong = wrong.assign(confidence=joint_of(wrong, classes)[np.arange(len(wrong)), wrong["class"]],
                         attribute=np.array(classes.attributes)[np.argmax(list(sure.values()), axis=0)])
    return wrong.sort_values(["confidence", "photo"], ascending=[False, True]).head(most)


def output_of(mistake: dict, heads: tuple[int, ...], classes: Classes) -> int:
    """Which of a network's outputs speaks for the label that it gave wrongly."""
    attribute = mistake["attribute"]
    if len(heads) > 1:
        return mistake[attribute] + sum(heads[: classes.attributes.index(attribute)])
    return mistake["class" if heads == (classes.count,) else attribute]


def voter(attribute: str, p: Params) -> str:
    """The first of the listed models that has a vote on the attribute: one that learns it alone, else a joint one."""
    weights = p.combine.weights
    alone = p.specialists(attribute) if weights.get(SPECIALISTS, 1) else []
    return next(name for name in [*alone, *p.joint] if weights.get(name, 1))


def looks(found: list[dict], faces: Faces, p: Params) -> dict[str, np.ndarray]:
    """What speaks for the wrong attribute to a network that votes on it, (H, W) from 0 to 1, by photo; found: mistakes as
    dicts, with `fold`.

    Of the models the first with a vote is asked, and of its folds the one that has not seen the person.
    """
    row_of, out = {photo: row for row, photo in enumerate(faces.photos)}, {}
    model_of = {attribute: voter(attribute, p) for attribute in p.classes.attributes}
    for key in sorted({(model_of[m["attribute"]], m["fold"]) for m in found}):
        own = [m for m in found if (model_of[m["attribute"]], m["fold"]) == key]
        network, settings = restore(Path("models", key[0], str(key[1])), faces)
        always = at_test(settings["augment"])
        for some in (own[i:i + BATCH] for i in range(0, len(own), BATCH)):
            crops = Crops(faces, [row_of[m["photo"]] for m in some], faces.size_at(settings["image_size"]),
                          Augment(always) if always else None)
            pixels = torch.stack([crops[i, 0][0] for i in range(len(some))])
            maps = grad_cam(network, pixels, torch.tensor([output_of(m, tuple(settings["heads"]), p.classes) for m in some]))
            if maps is not None:
                out |= {m["photo"]: one for m, one in zip(some, maps)}
    return out


def as_jpeg(picture: np.ndarray) -> str:
    """An RGB picture (H, W, 3) uint8 as a data: address, PIXELS high."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (round(PIXELS * width / height), PIXELS), interpolation=cv2.INTER_AREA)
    done, content = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()


def heated(crop: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The crop (H, W, 3) with the heat (h, w), 0 to 1, laid over it."""
    heat = np.clip(cv2.resize(heat.astype(np.float32), crop.shape[1::-1]), 0, 1)
    colors = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    share = 0.65 * heat[..., None]
    return (crop * (1 - share) + colors * share).astype(np.uint8)


def true_name(mistake: dict, classes: Classes) -> str:
    """The name of the true class, with a question mark for each missing label."""
    values = ((names, mistake[f"{attribute}_true"]) for attribute, names in classes.values.items())
    return "_".join(names[value] if value >= 0 else "?" for names, value in values)


def cards(scored: pd.DataFrame, faces: Faces, p: Params, most: int) -> list[dict]:
    """What the page shows of each mistake: pictures, true and given labels, and the probabilities of each attribute."""
    classes = p.classes
    found = mistakes(scored, most, classes).to_dict("records")
    seen, row_of = looks(found, faces, p), {photo: row for row, photo in enumerate(faces.photos)}
    chances = {a: marginals(pd.DataFrame(found), a, classes) for a in classes.attributes} if found else {}
    out = []
    for i, mistake in enumerate(found):
        crop = np.asarray(faces[row_of[mistake["photo"]]])
        heat = seen.get(mistake["photo"])
        out.append({
            "photo": mistake["photo"], "person": mistake["person"], "years": mistake.get("years", -1),
            "found": mistake["found"], "true": true_name(mistake, classes), "given": classes.names[mistake["class"]],
            "confidence": mistake["confidence"],
            "attribute": mistake["attribute"], "crop": as_jpeg(crop),
            "heat": None if heat is None else as_jpeg(heated(crop, heat)),
            "chances": {a: dict(zip(classes.values[a], chances[a][i].round(3).tolist())) for a in classes.attributes},
        })
    return out
