"""The networks of a bundle: which ones vote, written as ONNX and safetensors, and what the card says of them."""
import hashlib
import json
import shutil
from pathlib import Path

import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from stages.core.face_store import Faces
from stages.core.params import Params
from stages.core.progress import progress
from stages.exporting.onnx import Detector, Probabilities, write_onnx
from stages.modeling.augment import at_test
from stages.modeling.checkpoints import WEIGHTS, restore

MTCNN = {  # network: class, height and width of an example, axes of any length, outputs
    "pnet": (PNet, (40, 30), {0: "batch", 1: "height", 2: "width"}, ["shifts", "probabilities"]),
    "rnet": (RNet, (24, 24), {0: "batch"}, ["shifts", "probabilities"]),
    "onet": (ONet, (48, 48), {0: "batch"}, ["shifts", "landmarks", "probabilities"]),
}


def members(p: Params) -> list[tuple[str, str, Path]]:
    """Model, fold and folder of each network that labels a new photo: a refitted one in the stead of its folds."""
    out = []
    for name in p.models:
        if name in p.refit:
            out.append((name, "refit", Path("models/refit", name)))
        else:
            out += [(name, str(fold), Path("models", name, str(fold))) for fold in p.folds]
    return out


def write_mtcnn(folder: Path) -> None:
    """pnet.onnx, rnet.onnx and onet.onnx, with facenet-pytorch's weights."""
    for net, (make, shape, free, outputs) in MTCNN.items():
        write_onnx(Detector(make()), torch.full((2, *shape, 3), 127.0), free, "pixels", outputs,
                   {"network": net, "input": "(batch, height, width, 3) float32, RGB, 0 to 255"}, folder / f"{net}.onnx")


def write_networks(folder: Path, faces: Faces, p: Params, temperatures: dict) -> list[dict]:
    """Write each network that votes; returns the card's `models`."""
    models: dict[str, dict] = {}
    for name, fold, source in progress(members(p), "exporting", unit="network"):
        network, settings = restore(source, faces)
        size, attribute = faces.size_at(settings["image_size"]), p.sections[name].attribute
        file = f"{name}-{fold}.onnx"
        classes = p.sections[name].classes.names
        about = {"model": name, "fold": fold, "classes": json.dumps(classes), "height": str(size[0]), "width": str(size[1]),
                 "input": "(batch, height, width, 3) uint8, RGB", "output": "(batch, classes) float32, probabilities"}
        write_onnx(Probabilities(network, settings["heads"]), torch.zeros(2, *size, 3, dtype=torch.uint8), {0: "batch"},
                   "crops", ["probabilities"], about, folder / file)
        shutil.copyfile(source / WEIGHTS, folder / f"{name}-{fold}.safetensors")
        entry = models.setdefault(name, {
            "name": name, "attribute": attribute, "weight": p.combine.weights.get(name, 1.0),
            "views": "none" if p.predict[name].views == "none" else "flip",
            "grey": bool(at_test(settings["augment"])), "networks": []})
        entry["networks"].append({"file": file, "image_size": list(size), "temperature": temperatures[name][fold],
                                  "backbone": settings["backbone"]})
    return list(models.values())


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of the bundle."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}
