"""Trained models (safetensors and a JSON of settings, so that loading cannot run code), and the scratch checkpoint from
which a killed training resumes."""
import copy
import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors.torch import load, save_file
from torch import nn

from stages.core.face_store import Faces
from stages.core.files import atomic_write, damaged, write_json
from stages.modeling.networks import fit_head, make_network

WEIGHTS, SETTINGS = "weights.safetensors", "model.json"


def save_model(state: dict, settings: dict, folder: Path) -> None:
    """Write the weights and settings, each atomically; the settings name the stage that trains, and a hash of both files."""
    settings = {"stage": stage_of(folder), **settings}
    with atomic_write(folder / WEIGHTS) as part:
        save_file({key: value.contiguous() for key, value in state.items()}, part)
        digest = hash_of(part.read_bytes(), settings)
    write_json(settings | {"sha256": digest}, folder / SETTINGS)


def load_model(folder: Path) -> tuple[dict, dict]:
    """The state dict and settings that save_model wrote there.

    Raises UserError unless both are byte by byte what the stage of this folder wrote: other settings would make another
    network of the same weights, and another model's weights may fit.
    """
    weights, stage = (folder / WEIGHTS).read_bytes(), stage_of(folder)
    try:
        settings = json.loads((folder / SETTINGS).read_bytes())
        digest = settings.pop("sha256")
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise damaged(folder / SETTINGS, "not what a training writes", folder, stage) from None
    if digest != hash_of(weights, settings):
        raise damaged(folder, f"{WEIGHTS} and {SETTINGS} are not those of one training", folder, stage)
    if settings["stage"] != stage:
        raise damaged(folder, f"holds the model of {settings['stage']}", folder, stage)
    return load(weights), settings


def hash_of(weights: bytes, settings: dict) -> str:
    """SHA-256 of the file of weights and of the settings."""
    return hashlib.sha256(weights + json.dumps(settings, sort_keys=True).encode()).hexdigest()


def stage_of(folder: Path) -> str:
    """The stage whose output is a model's folder: models/<model>/<fold> or models/refit/<model>."""
    above, name = folder.parts[-2:]
    return f"refit@{name}" if above == "refit" else f"train@{above}-{name}"


def restore(folder: Path, faces: Faces) -> tuple[nn.Module, dict]:
    """A trained network in evaluation mode, for crops of these faces, and its settings."""
    state, settings = load_model(folder)
    outputs = sum(settings["heads"])
    network = make_network(settings["backbone"], outputs, faces.size_at(settings["image_size"]))
    network = fit_head(network, settings["last_layers"], outputs, settings["arcface_scale"], settings.get("age_borders", ()))
    network.load_state_dict(state)
    return network.eval(), settings


def run_digest(*parts) -> str:
    """Hash of the parts (settings and inputs) and the loaded code; a checkpoint with another key is of another run."""
    digest = hashlib.sha256(json.dumps(parts, default=str).encode())
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] in ("stages", "__main__") and getattr(module, "__file__", None):
            digest.update(Path(module.__file__).read_bytes())
    return digest.hexdigest()


class Resume:
    """The scratch checkpoint of one training, outside the stage's outs, which DVC deletes before a run.

    It is written by a thread while the next epoch trains, from a copy on the host.
    """

    def __init__(self, path: Path, key: str):
        self.path, self.key = path, key
        self.thread, self.writing = ThreadPoolExecutor(1), None

    def load(self) -> dict | None:
        """The state after the last finished epoch, on the host, or None: none there, or parameters, inputs or code changed."""
        if not self.path.is_file():
            return None
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception:  # noqa: BLE001 a partial file, or one of another torch: start over
            return None
        return state if state["key"] == self.key else None

    def save(self, **state) -> None:
        """Start writing the state; raises what the previous write raised, such as OSError on a full disk."""
        self.wait()
        self.writing = self.thread.submit(self.write, on_host({"key": self.key, **state}))

    def write(self, state: dict) -> None:
        with atomic_write(self.path) as part:
            torch.save(state, part)

    def wait(self) -> None:
        """Until the last state is written."""
        if self.writing:
            self.writing.result()

    def clear(self) -> None:
        self.wait()
        self.path.unlink(missing_ok=True)


def on_host(state):
    """A copy of a state in nested dicts and lists, its tensors on the host, that later training steps leave alone."""
    if isinstance(state, torch.Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {key: on_host(value) for key, value in state.items()}
    return [on_host(value) for value in state] if isinstance(state, list) else copy.copy(state)
