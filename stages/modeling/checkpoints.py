"""Files of weights: safetensors plus a JSON of settings, so that loading a model cannot run code; and the scratch
checkpoint from which a training that was killed goes on."""
import hashlib
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from stages.core.face_store import Faces
from stages.core.files import atomic_write, write_json
from stages.modeling.networks import fit_head, make_network

WEIGHTS, SETTINGS = "weights.safetensors", "model.json"


def save_model(state: dict, settings: dict, folder: Path) -> None:
    with atomic_write(folder / WEIGHTS) as part:
        save_file({key: value.contiguous() for key, value in state.items()}, part)
    write_json(settings, folder / SETTINGS)


def load_model(folder: Path) -> tuple[dict, dict]:
    """The state and the settings of a model that save_model wrote."""
    return load_file(folder / WEIGHTS), json.loads((folder / SETTINGS).read_text())


def restore(folder: Path, faces: Faces) -> tuple[nn.Module, dict]:
    """The network of a folder that stages/modeling/training_run.py wrote, for crops of these faces, and its settings."""
    state, settings = load_model(folder)
    outputs = sum(settings["heads"])
    network = make_network(settings["backbone"], outputs, faces.size_at(settings["image_size"]))
    network = fit_head(network, settings["last_layers"], outputs, settings["arcface_scale"])
    network.load_state_dict(state)
    return network.eval(), settings


def key_of(*parts) -> str:
    """A key of settings, inputs and the code that is loaded; another key means that a checkpoint is of another run."""
    digest = hashlib.sha256(json.dumps(parts, default=str).encode())
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] in ("stages", "__main__") and getattr(module, "__file__", None):
            digest.update(Path(module.__file__).read_bytes())
    return digest.hexdigest()


class Resume:
    """The scratch checkpoint of one training. It lies outside the stage's outs, which DVC deletes before a run."""

    def __init__(self, path: Path, key: str):
        self.path, self.key = path, key

    def load(self) -> dict | None:
        """What the last finished epoch left, on the host, or None: nothing, or left by other parameters, inputs or code."""
        if not self.path.is_file():
            return None
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception:  # noqa: BLE001 half a file, or one of a torch that this one cannot read: begin anew
            return None
        return state if state["key"] == self.key else None

    def save(self, **state) -> None:
        with atomic_write(self.path) as part:
            torch.save({"key": self.key, **state}, part)

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)
