"""Whatever stands in a bundle's folder, it labels a photo or is refused."""
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeller import Labeller
from labeller.bundle import CARD
from labeller.errors import BundleError
from labeller.service.app import about
from labeller.service.limits import Limits
from tests.fuzz.bounds import bounded, fuzzed
from tests.fuzz.made import damaged, readable, texts
from tests.readers.files import jpeg

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts.map(readable)
    | st.sampled_from([0, 1, 2, 3, -1, 0.5, 10**400, 1e308, 2**31, "soft", "joint", "mask", "age-0.onnx", "../card.json",
                       "pnet.onnx"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts.map(readable), inner, max_size=3), max_leaves=6)


@pytest.fixture(scope="module")
def whole(exported) -> Path:
    return exported.root / "bundle/model"


@pytest.fixture(scope="module")
def folder(whole, tmp_path_factory) -> Path:
    """The bundle again, by links, with a card and a network of its own to damage."""
    folder = tmp_path_factory.mktemp("bundle")
    for file in whole.iterdir():
        os.link(file, folder / file.name)
    return folder


def label(folder: Path, card: bytes) -> None:
    (folder / CARD).unlink(missing_ok=True)
    (folder / CARD).write_bytes(card)
    with bounded(BundleError):
        labeller = Labeller(folder)
        about(labeller.bundle, Limits())
        labeller.label(jpeg("a")).to_dict()


def places(value, path=()):
    """The path to each value within a card, but for what labelling does not read."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        if key not in ("params", "shares", "f1_by_class", "by_how_found"):
            yield from places(value[key], (*path, key))


@fuzzed
@given(data=st.data())
def test_a_card_with_other_values(whole, folder, data):
    card = json.loads((whole / CARD).read_bytes())
    for path in data.draw(st.lists(st.sampled_from([*places(card)]), min_size=1, max_size=2)):
        *above, last = path
        section = card
        try:
            for key in above:
                section = section[key]
            how = data.draw(st.sampled_from(["set", "set", "delete", "double"]))
            if how == "set":
                section[last] = data.draw(values)
            elif how == "delete":
                del section[last]
            else:
                section[data.draw(texts.map(readable))] = section[last]  # where it is a map
        except (KeyError, IndexError, TypeError):  # an earlier change took it away
            pass
    label(folder, json.dumps(card).encode())


@fuzzed
@given(data=st.data())
def test_damaged_cards(whole, folder, data):
    label(folder, data.draw(damaged((whole / CARD).read_bytes()) | st.binary(max_size=50) | st.sampled_from(
        [b"[" * 5000, b'{"format": 1}', b'{"format": NaN}', b"3", b'{"format": ' + b"9" * 5000 + b"}"])))


@fuzzed
@given(data=st.data(), name=st.sampled_from(["pnet.onnx", "rnet.onnx", "age-0.onnx"]))
def test_damaged_networks_of_the_right_hash(whole, folder, data, name):
    card, network = json.loads((whole / CARD).read_bytes()), (whole / name).read_bytes()
    changed = data.draw(damaged(network) | st.binary(max_size=50) | st.sampled_from([(whole / other).read_bytes()
                                                                                     for other in ("onet.onnx", "mask-0.onnx",
                                                                                                   "gender-0.onnx",
                                                                                                   "age-0.safetensors")]))
    card["files"][name] = hashlib.sha256(changed).hexdigest()
    (folder / name).unlink()
    (folder / name).write_bytes(changed)
    try:
        label(folder, json.dumps(card).encode())
    finally:
        (folder / name).write_bytes(network)
