"""Networks by timm's names, with fresh, pretrained or local weights, and their heads."""
from pathlib import Path

import timm
import torch
from timm.models import get_pretrained_cfg, load_state_dict
from torch import Tensor, nn

from stages.core.errors import UserError
from stages.core.model_params import Model
from stages.modeling.age_distribution import YearsHead
from stages.modeling.arcface import CosineHead
from stages.modeling.freezing import parts_of_head
from stages.modeling.ordinal import OrdinalHead

PACKAGED = ("tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2")  # whose weights `make weights` brings


def make_network(backbone: str, outputs: int, size: tuple[int, int], pretrained: bool = False, **options) -> nn.Module:
    """A timm model with a head of `outputs` units; size (height, width) is for backbones of one fixed input size.

    options: timm's, such as drop_rate.
    """
    fixed = getattr(get_pretrained_cfg(backbone, allow_unregistered=True), "fixed_input_size", False)
    return timm.create_model(backbone, pretrained=pretrained, num_classes=outputs, **options,
                             **({"img_size": size} if fixed else {}))


def fit_head(network: nn.Module, kind: str, outputs: int, scale: float, borders: tuple[int, ...]) -> nn.Module:
    """Replace the head unless `kind` is "one": by "two" fully connected layers, "cosine" (ArcFace's), "years" or "ordinal".

    outputs: number of logits at prediction; of "years" the last are the age groups', and training has more. The hidden
    layer of "two" has half as many units as the backbone has features. borders: of the age groups. Raises ValueError where
    the backbone does not end in one fully connected layer.
    """
    if kind == "one":
        return network
    last, name = network.get_classifier(), network.default_cfg["classifier"]
    if not isinstance(last, nn.Linear) or type(name) is not str:
        raise ValueError("does not end in one fully connected layer")
    n = last.in_features
    make = {"two": lambda: nn.Sequential(nn.Linear(n, n // 2), nn.ReLU(), nn.Linear(n // 2, outputs)),
            "cosine": lambda: CosineHead(n, outputs, scale), "ordinal": lambda: OrdinalHead(n, borders),
            "years": lambda: YearsHead(n, borders, outputs - len(borders) - 1)}
    network.set_submodule(name, make[kind]())
    return network


def head_of(p: Model) -> str:
    """The kind of head (see fit_head) that a model's section asks for."""
    of_loss = {"arcface": "cosine", "year_distribution": "years", "mean_variance": "years", "ordinal": "ordinal"}
    return of_loss.get(p.loss_of(p.attributes[-1]), ("one", "two")[p.head_layers - 1])


def start_network(name: str, p: Model, size: tuple[int, int]) -> nn.Module:
    """The network at the start of training: fresh, with timm's pretrained weights, or with the local file `weights`.

    Its last layer starts at zero, so that all classes, or years, are equally likely at first; a cosine or ordinal head has
    a start of its own. timm initialises EfficientNet's from 1 / sqrt(classes), which is made for 1,000 classes: with three
    the first loss is 2.5 instead of 1.1, and undoing that takes epochs. Raises UserError if size, weights or head do not fit.
    """
    outputs = sum(p.heads)
    try:
        network = make_network(p.backbone, outputs, size)
        network.eval()(torch.zeros(1, 3, *size))
    except Exception as error:  # noqa: BLE001 timm's models raise anything
        raise UserError(f"params.yaml: {name}.backbone: {p.backbone!r} does not take photos of {size[0]}x{size[1]} pixels "
                        f"({first_line(error)}); change it, {name}.image_size or crop.aspect") from None
    network = with_drops(name, p, size) or network
    if p.layer_decay < 1 and not hasattr(network, "group_matcher"):
        raise UserError(f"params.yaml: {name}.layer_decay: {p.layer_decay} needs the order of the layers, which timm does not "
                        f"know for {p.backbone}; set it to 1")
    if p.pretrained:
        network = with_pretrained(name, p, size)
    elif p.weights:
        load_weights(network, name, p)
    try:
        fit_head(network, head_of(p), outputs, p.arcface_scale, p.classes.borders)
    except ValueError as error:
        own = f"loss: {p.loss!r}" if p.loss_of("age") == p.loss else f"attribute_losses: {p.attribute_losses}"
        asked = "head_layers: 2" if head_of(p) == "two" else own
        raise UserError(f"params.yaml: {name}.backbone: {p.backbone!r} {error}, so {name}.{asked} is impossible; "
                        "change one of them") from None
    for head in parts_of_head(network):
        if linear := [layer for layer in head.modules() if isinstance(layer, nn.Linear)]:
            nn.init.zeros_(linear[-1].weight)
            nn.init.zeros_(linear[-1].bias)
    return network


def drops(p: Model) -> dict[str, float]:
    """timm's options of dropout and stochastic depth, where they are above 0."""
    return {key: getattr(p, key) for key in ("drop_rate", "drop_path_rate") if getattr(p, key)}


def with_drops(name: str, p: Model, size: tuple[int, int]) -> nn.Module | None:
    """The network with dropout and stochastic depth, None without them; raises UserError if the backbone takes none."""
    if not drops(p):
        return None
    try:
        return make_network(p.backbone, sum(p.heads), size, **drops(p))
    except TypeError:
        asked = ", ".join(f"{name}.{key}: {value}" for key, value in drops(p).items())
        raise UserError(f"params.yaml: {asked}: {p.backbone} does not take all of these; set drop_path_rate to 0") from None


def with_pretrained(name: str, p: Model, size: tuple[int, int]) -> nn.Module:
    """The network with timm's pretrained weights, downloaded once; raises UserError if they are unavailable.

    The error names the file that `make weights` brings, if it brings one for the backbone.
    """
    try:
        return make_network(p.backbone, sum(p.heads), size, pretrained=True, **drops(p))
    except Exception as error:  # noqa: BLE001 the hub raises a dozen kinds, from DNS to disk
        plain = p.backbone.split(".")[0]
        file = (f"models/pretrained/{plain}.safetensors, which `make weights` brings without a hub" if plain in PACKAGED else
                "a local file if you have one")
        raise UserError(f"params.yaml: {name}.pretrained: true, but the weights of {p.backbone} could not be loaded "
                        f"({first_line(error)}); set training.pretrained (or {name}'s own) to false, and training.weights to "
                        f"{file}") from None


def first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0][:150]


def load_weights(network: nn.Module, name: str, p: Model) -> None:
    """Load a local file into the backbone; its head may be of other classes. Raises UserError if it does not fit."""
    if not Path(p.weights).is_file():
        raise UserError(f"params.yaml: {name}.weights: {p.weights!r} is no file; give a file of weights, or null")
    try:
        state = load_state_dict(p.weights, weights_only=True)  # never runs code from the file
    except Exception as error:  # noqa: BLE001 torch and safetensors raise anything for other files
        raise UserError(f"params.yaml: {name}.weights: {p.weights!r} holds no weights that can be read without running code "
                        f"({type(error).__name__}); save a network's state_dict()") from None
    heads = network.default_cfg["classifier"] or ()
    head = tuple(f"{prefix}." for prefix in ([heads] if isinstance(heads, str) else heads))
    body = {key: value for key, value in network.state_dict().items() if not key.startswith(head)
            and (key in state or not key.endswith("num_batches_tracked"))}  # a counter that older and converted files lack
    if wrong := [key for key, value in body.items() if getattr(state.get(key), "shape", None) != value.shape]:
        raise UserError(f"params.yaml: {name}.weights: {p.weights!r} does not fit {name}.backbone, {p.backbone}: "
                        f"{len(wrong)} of {len(body)} tensors are missing or of another shape, such as {wrong[0]}")
    network.load_state_dict({key: state[key] for key in body}, strict=False)


class Normalize(nn.Module):
    """Normalises uint8 crops (B, H, W, 3) by the network's mean and std: (B, 3, H, W) float, channels_last."""

    def __init__(self, network: nn.Module):
        super().__init__()
        for key in ("mean", "std"):
            self.register_buffer(key, 255 * torch.tensor(network.default_cfg[key]), persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        return ((crops.float() - self.mean) / self.std).permute(0, 3, 1, 2)
