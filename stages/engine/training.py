"""A training, here or by a node of a Ray cluster."""
from pathlib import Path

from stages.core.params import Machine
from stages.engine.cluster import on_cluster, once
from stages.modeling.train_model import train_model


def train(machine: Machine, name: str, fold: int | None, out: Path, epochs: int | None = None) -> None:
    """As train_model; a training whose node is lost goes on after its last epoch on another."""
    if on_cluster(machine):
        once("stages.modeling.train_model.train_model", (name, fold, out, epochs), machine)
    else:
        train_model(name, fold, out, epochs)
