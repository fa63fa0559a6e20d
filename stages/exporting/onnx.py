"""Networks as ONNX files: what normalises, what decides on probabilities, and the names of the classes are inside."""
import contextlib
import io
import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.onnx import OnnxExporterError

from stages.core.errors import UserError
from stages.core.files import atomic_write
from stages.modeling.networks import Normalize, first_line

OPSET = 20


class Probabilities(nn.Module):
    """A trained network from crops (B, H, W, 3) uint8, RGB, to probabilities (B, C) of its classes."""

    def __init__(self, network: nn.Module, heads: tuple[int, ...]):
        super().__init__()
        self.network, self.heads, self.normalize = network, tuple(heads), Normalize(network)

    def forward(self, crops: Tensor) -> Tensor:
        first, *others = (part.softmax(1) for part in self.network(self.normalize(crops)).split(self.heads, 1))
        for part in others:  # independent heads
            first = (first[:, :, None] * part[:, None]).flatten(1)
        return first


class Prelu(nn.Module):
    """What nn.PReLU computes, bit by bit, of operators that ONNX Runtime does in half the time of its own PRelu."""

    def __init__(self, slopes: Tensor):
        super().__init__()
        self.slopes, self.gentle = nn.Parameter(slopes.detach()), bool(slopes.max() <= 1)

    def forward(self, x: Tensor) -> Tensor:
        slopes = self.slopes.view(-1, *[1] * (x.dim() - 2))
        return torch.maximum(x, slopes * x) if self.gentle else x.relu() + slopes * x.clamp(max=0)


class Detector(nn.Module):
    """One of MTCNN's networks, from pixels (B, H, W, 3) float32, 0 to 255."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        for name, module in list(network.named_children()):
            if isinstance(module, nn.PReLU):
                setattr(network, name, Prelu(module.weight))

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        return self.network(((pixels - 127.5) * 0.0078125).permute(0, 3, 1, 2))


def write_onnx(network: nn.Module, example: Tensor, free: dict[int, str], inputs: str, outputs: list[str], metadata: dict,
               file: Path) -> None:
    """Write a network in evaluation mode; `free` names the axes of its input that any length fits.

    Raises UserError where torch cannot export it.
    """
    axes = {axis: torch.export.Dim(name) if name == "batch" else torch.export.Dim.DYNAMIC for axis, name in free.items()}
    try:
        with quiet():
            program = torch.onnx.export(network.eval(), (example,), dynamo=True, dynamic_shapes=(axes,), opset_version=OPSET,
                                        input_names=[inputs], output_names=outputs, verbose=False)
    except OnnxExporterError as error:
        raise UserError(f"{file.stem}: torch {torch.__version__} cannot export this network as ONNX "
                        f"({first_line(error.__cause__ or error)}); change its backbone") from None
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # the exporter's notes name files of this machine
    program.model.metadata_props.update(metadata)
    with atomic_write(file) as part:
        program.save(part, external_data=False)


@contextlib.contextmanager
def quiet():
    """Without what torch's exporter prints and warns of; none of it is about the user's parameters."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
