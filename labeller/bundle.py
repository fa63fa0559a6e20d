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
from errno import ENOENT
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from labeller.card import check_card, names_of
from labeller.errors import BundleError
from labeller.mtcnn import Cascade
from labeller.onnx_runtime import onnxruntime

FORMAT = 1  # of card.json; another number is of another version of this package
CARD = "card.json"
EXTERNAL = b"\n\x08location\x12"  # before the name of a file of weights, which would be sought in the working folder
LARGEST = 10_000_000  # bytes of a card
DETECTORS = {  # MTCNN's networks: height and width of the input, and the outputs after the batch; None: any
    "pnet": ((None, None), [(4, None, None), (2, None, None)]), "rnet": ((24, 24), [(4,), (2,)]),
    "onet": ((48, 48), [(4,), (10,), (2,)])}


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
        self.classes: dict[str, list[str]] = card["classes"]
        self.detect, self.crop = SimpleNamespace(**card["detect"]), SimpleNamespace(**card["crop"])
        self.vote, self.specialists_weight = card["vote"], card["specialists_weight"]
        self.offsets = np.array(card["offsets"], float)
        self.cascade = Cascade({net: self.detector(net) for net in DETECTORS})
        self.models = [self.model(entry) for entry in card["models"]]

    def model(self, entry: dict) -> Model:
        """A model, whose networks tell the card's classes apart."""
        classes, networks = names_of(entry["attribute"], self.classes), []
        for each in entry["networks"]:
            session, size = self.load(each["file"]), tuple(each["image_size"])
            self.check_form(each["file"], session, "tensor(uint8)", size, [(len(classes),)])
            if session.get_modelmeta().custom_metadata_map.get("classes") != json.dumps(classes):
                raise BundleError(f"{self.folder / each['file']}: its classes are not those of a model of "
                                  f"{entry['attribute']}; export it again")
            networks.append(Network(first_of(session), size, each["temperature"]))
        return Model(entry["attribute"], entry["weight"], entry["views"], entry["grey"], networks)

    def detector(self, net: str):
        """A function from pixels to the list of outputs of one of MTCNN's networks."""
        name, (size, outputs) = f"{net}.onnx", DETECTORS[net]
        session = self.load(name)
        self.check_form(name, session, "tensor(float)", size, outputs)
        return all_of(session)

    def check_form(self, name: str, session, kind: str, size: tuple, outputs: list[tuple]) -> None:
        """Raise BundleError unless a network has one input, (N, *size, 3) of a kind, and such outputs; None: any length."""
        given, told = session.get_inputs(), session.get_outputs()
        fit = [like(each.shape, (None, *wanted)) for each, wanted in zip((*given, *told), ((*size, 3), *outputs))]
        if not (len(given) == 1 and given[0].type == kind and len(told) == len(outputs) and all(fit)):
            shapes = [each.shape for each in (*given, *told)]
            raise BundleError(f"{self.folder / name}: its inputs and outputs, {shapes}, do not fit the card; export it again")

    def load(self, name: str):
        """The session of an ONNX file."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # photos run side by side instead
        options.enable_cpu_mem_arena = False  # which keeps the largest photo's memory for good
        options.log_severity_level = 3
        data = self.read(name)
        if EXTERNAL in data:
            raise BundleError(f"{self.folder / name}: its weights lie in another file, unchecked; export it again")
        try:
            return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 ONNX Runtime raises a dozen kinds
            raise BundleError(f"{self.folder / name}: ONNX Runtime {onnxruntime.__version__} cannot load it "
                              f"({str(error).splitlines()[0][:150]})") from None

    def read(self, name: str) -> bytes:
        """A file's bytes; raises BundleError unless they are those that the card names."""
        if name not in self.card["files"] or Path(name).name != name:
            raise BundleError(f"{self.folder / CARD}: names no file {name!r}; export it again")
        return checked(self.folder / name, self.card["files"][name])


def read_card(folder: Path) -> dict:
    """The card of a bundle; raises BundleError if there is none, or one of another format."""
    try:
        path = folder / CARD
        if not path.is_file():  # a pipe would never end
            raise FileNotFoundError
        if path.stat().st_size > LARGEST:
            raise BundleError(f"{path}: {path.stat().st_size} bytes, and a card has at most {LARGEST}; export it again")
        card = json.loads(path.read_text(encoding="utf-8"))
        found = card["format"]
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(f"{folder}: no bundle, for it has no {CARD}; give the folder that `make bundle` writes, as in "
                          "label --bundle DIR") from None
    except OSError as error:
        raise BundleError(f"{folder / CARD}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BundleError(f"{folder / CARD}: not a card ({type(error).__name__}); export it again") from None
    if found != FORMAT:
        raise BundleError(f"{folder / CARD}: format {found}, and this version reads {FORMAT}; install the version that wrote "
                          "it, or export it again")
    check_card(card, folder / CARD)
    return card


def like(shape: list, wanted: tuple) -> bool:
    """Whether a network's shape, whose free lengths have names, is the wanted one, whose free lengths are None."""
    return len(shape) == len(wanted) and all(
        isinstance(length, str) if want is None else length == want for length, want in zip(shape, wanted))


def all_of(session):
    """A function from a network's input to the list of its outputs."""
    name = session.get_inputs()[0].name
    return lambda values: session.run(None, {name: values})


def first_of(session):
    """A function from a network's input to its first output."""
    run = all_of(session)
    return lambda values: run(values)[0]


def checked(path: Path, digest: str) -> bytes:
    """The bytes of a file of this SHA-256."""
    try:
        if path.exists() and not path.is_file():  # a pipe would never end
            raise FileNotFoundError(ENOENT, "")
        data = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: {os.strerror(error.errno)}; copy the bundle again") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise BundleError(f"{path}: damaged, since its hash is not the card's; copy the bundle again")
    return data
