"""A trained network back from its folder."""
from pathlib import Path

from torch import nn

from stages.lib.checkpoints import load_model
from stages.lib.facefile import Faces
from stages.lib.networks import fit_head, make_network


def restore(folder: Path, faces: Faces) -> tuple[nn.Module, dict]:
    """The network of a folder that stages/lib/training.py wrote, for crops of these faces, and its settings."""
    state, settings = load_model(folder)
    outputs = sum(settings["heads"])
    network = make_network(settings["backbone"], outputs, faces.size_at(settings["image_size"]))
    network = fit_head(network, settings["last_layers"], outputs, settings["arcface_scale"])
    network.load_state_dict(state)
    return network.eval(), settings
