"""Read a bundle, the folder that stages/export.py wrote; nothing of it is used before its hash is checked.

    card.json       format, classes, models, detect, crop, vote, offsets, files (SHA-256 of each), and what it was made from
    *.onnx          MTCNN's three networks, and one network a model and fold
    *.safetensors   the same networks' weights, for training on
    README.md       what it is for and how well it does it

ONNX holds a graph of known operators and JSON holds data, so loading a bundle runs no code of it.
"""
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from labeller.errors import BundleError
from labeller.mtcnn import Cascade
from labeller.onnx_runtime import onnxruntime

FORMAT = 1  # of card.json; another number is of another version of this package
CARD = "card.json"


@dataclass
class Network:
    """One trained network: run gives probabilities (B, C) for crops (B, *size, 3) uint8, RGB."""

    run: callable
    size: tuple[int, int]
    temperature: float


@dataclass
class Model:
    """A model: its networks, one a fold, share its vote. attribute: "mask", ..., or "joint"; views: "none" or "flip"."""

    attribute: str
    weight: float
    views: str
    grey: bool
    networks: list[Network]


class Bundle:
    """A checked bundle. classes: the values of each attribute, in the order of the joint class's number."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.card = card = read_card(self.folder)
        try:
            self.classes: dict[str, list[str]] = card["classes"]
            self.detect, self.crop = SimpleNamespace(**card["detect"]), SimpleNamespace(**card["crop"])
            self.vote, self.specialists_weight = card["vote"], card["specialists_weight"]
            self.offsets = np.array(card["offsets"], float)
            self.cascade = Cascade({net: self.load(f"{net}.onnx") for net in ("pnet", "rnet", "onet")})
            self.models = [self.model(entry) for entry in card["models"]]
        except (KeyError, TypeError) as error:
            raise BundleError(f"{self.folder / CARD}: damaged ({type(error).__name__}: {error}); export it again") from None

    def model(self, entry: dict) -> Model:
        networks = [Network(self.load_one(each["file"]), tuple(each["image_size"]), each["temperature"])
                    for each in entry["networks"]]
        return Model(entry["attribute"], entry["weight"], entry["views"], entry["grey"], networks)

    def load(self, name: str):
        """A function from the input of an ONNX file to the list of its outputs."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # photos run side by side instead
        options.enable_cpu_mem_arena = False  # which keeps the largest photo's memory for good
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(self.read(name), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 ONNX Runtime raises a dozen kinds
            raise BundleError(f"{self.folder / name}: ONNX Runtime {onnxruntime.__version__} cannot load it "
                              f"({str(error).splitlines()[0][:150]})") from None
        [given] = session.get_inputs()
        return lambda values: session.run(None, {given.name: values})

    def load_one(self, name: str):
        run = self.load(name)
        return lambda values: run(values)[0]

    def read(self, name: str) -> bytes:
        """A file's bytes; raises BundleError unless they are those that the card names."""
        if name not in self.card["files"] or Path(name).name != name:
            raise BundleError(f"{self.folder / CARD}: names no file {name!r}; export it again")
        return checked(self.folder / name, self.card["files"][name])


def read_card(folder: Path) -> dict:
    """The card of a bundle; raises BundleError if there is none, or one of another format."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        found = card["format"]
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(f"{folder}: no bundle, for it has no {CARD}; `make bundle` writes one") from None
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise BundleError(f"{folder / CARD}: not a card ({type(error).__name__}); export it again") from None
    if found != FORMAT:
        raise BundleError(f"{folder / CARD}: format {found}, and this version reads {FORMAT}; install the version that wrote "
                          "it, or export it again")
    return card


def checked(path: Path, digest: str) -> bytes:
    """The bytes of a file of this SHA-256."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: {os.strerror(error.errno)}; copy the bundle again") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise BundleError(f"{path}: damaged, since its hash is not the card's; copy the bundle again")
    return data
