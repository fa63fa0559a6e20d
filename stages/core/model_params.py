"""Schema of a model's section of params.yaml: allowed values, and values that exclude each other.

params.yaml and docs/training.md say what each parameter means.
"""
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, model_validator

from stages.core.augmentation_names import AUGMENTATIONS
from stages.core.backbone_names import is_backbone
from stages.core.classes import AGE, OLDEST, Classes
from stages.core.param_types import MOST, Age, Count, FileName, Section, Seed, a_name_is_a_list, null_is_none

PSEUDO = Path("data/pseudo")
OWN = ("attribute", "pseudo")  # not in `training`, since the stage labels depends on them by model

Loss = Literal["cross_entropy", "label_smoothing", "focal", "focal_smoothing", "class_balanced_focal", "f1", "arcface",
               "year_distribution", "ordinal", "mean_variance"]
YEAR_LOSSES = ("year_distribution", "ordinal", "mean_variance")  # learn age in years, and predict the groups
JOINT_YEARS = "year_distribution or mean_variance"  # those of them that a joint model's age can have


class Model(Section):
    """A model's section. Validate with the context {"classes": Classes}, those of the section `classes`."""

    attribute: str
    backbone: str
    pretrained: bool
    weights: FileName | None
    image_size: Annotated[int, Field(ge=16, le=1024)]
    epochs: Count
    batch: Annotated[int, Field(ge=2, le=MOST)]
    drop_rate: Annotated[float, Field(ge=0, lt=1)]
    drop_path_rate: Annotated[float, Field(ge=0, lt=1)]
    head_layers: Annotated[int, Field(ge=1, le=2)]
    optimizer: Literal["sgd", "adam", "adamw", "nadam", "adamp"]
    lr: Annotated[float, Field(gt=0, le=10)]
    head_lr: Annotated[float, Field(gt=0, le=10)] | None
    layer_decay: Annotated[float, Field(gt=0, le=1)]
    grad_accum_steps: Count
    halve_batch: bool
    devices: Annotated[int, Field(ge=1, le=1024)]
    weight_decay: Annotated[float, Field(ge=0, le=1)]
    clip_grad: Annotated[float, Field(ge=0)]
    schedule: Annotated[Literal["none", "cosine", "cosine_restarts", "step", "exponential", "one_cycle"], null_is_none]
    schedule_period: Count
    schedule_decay: Annotated[float, Field(gt=0, le=1)]
    warmup: Annotated[int, Field(ge=0)]
    frozen: Annotated[float, Field(ge=0, le=1)]
    freeze_epochs: Annotated[int, Field(ge=0)]
    precise_bn: Annotated[int, Field(ge=0, le=MOST)]
    ema: Annotated[float, Field(ge=0, lt=1)]
    loss: Loss
    focal_gamma: Annotated[float, Field(ge=0, le=10)]
    smoothing: Annotated[float, Field(ge=0, lt=1)]
    class_balanced_beta: Annotated[float, Field(ge=0, lt=1)]
    arcface_scale: Annotated[float, Field(gt=0, le=1000)]
    arcface_margin: Annotated[float, Field(ge=0, le=1.57)]
    year_sigma: Annotated[float, Field(gt=0, le=20)]
    mean_weight: Annotated[float, Field(ge=0, le=100)]
    variance_weight: Annotated[float, Field(ge=0, le=100)]
    class_weights: Annotated[Literal["none", "balanced"], null_is_none]
    sampler: Annotated[Literal["none", "class", "cell"], null_is_none]
    augment: Annotated[list[Literal[AUGMENTATIONS]], a_name_is_a_list]
    randaugment_magnitude: Annotated[int, Field(ge=0, le=30)]
    resized_crop_min: Annotated[float, Field(gt=0, le=1)]
    mixing: Annotated[Literal["none", "mixup", "cutmix", "half_cutmix"], null_is_none]
    mixing_share: Annotated[float, Field(gt=0, le=1)]
    mixing_alpha: Annotated[float, Field(gt=0, le=100)]
    mixing_partners: Literal["any", "class", "other"]
    mixing_within: Annotated[Literal["none", "gender"], null_is_none]
    mixing_cells: list[tuple[str, Age, Age]]
    pseudo: FileName | None
    best: Literal["f1", "accuracy", "loss"]
    patience: Count
    soup: Annotated[int, Field(ge=1, le=20)]
    seed: Seed

    _classes: Classes = PrivateAttr()

    def model_post_init(self, context):
        self._classes = context["classes"]

    @property
    def classes(self) -> Classes:
        """What it learns: the values of its attribute, or the joint classes of all."""
        return self._classes if self.attribute == "joint" else self._classes.only((self.attribute,))

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes it learns, in the order of the joint classes."""
        return self.classes.attributes

    @property
    def heads(self) -> tuple[int, ...]:
        """Number of classes of each head: one head, except for a joint model with a head for each attribute."""
        return (self.classes.count,)

    def loss_of(self, attribute: str) -> str:
        """The loss of the head that learns an attribute."""
        return self.loss

    @property
    def learns_years(self) -> bool:
        """Whether it learns age in years, of which its head makes the groups that it predicts."""
        return AGE in self.attributes and self.loss_of(AGE) in YEAR_LOSSES

    @property
    def training_heads(self) -> tuple[int, ...]:
        """Number of training classes of each head: as heads, but the years where it learns years; age is the last head."""
        return (*self.heads[:-1], OLDEST + 1) if self.learns_years else self.heads

    @property
    def targets(self) -> int:
        """Number of training targets: the classes, of which years are 121 in place of the groups where it learns years."""
        return prod(self.training_heads)

    @property
    def augment_options(self) -> dict[str, dict]:
        """Arguments of single augmentations, by name."""
        return {"randaugment": {"magnitude": self.randaugment_magnitude}, "resized_crop": {"smallest": self.resized_crop_min}}

    @model_validator(mode="after")
    def backbone_is_known(self):
        if not is_backbone(self.backbone):
            raise ValueError(f"backbone: {self.backbone!r} is not a model of timm; "
                             "see timm.list_models() for the names, such as 'tf_efficientnetv2_b0'")
        if self.pretrained and self.weights:
            raise ValueError(f"weights: {self.weights!r} and pretrained: true exclude each other; "
                             "set pretrained to false or weights to null")
        if self.soup > 1 and not (self.pretrained or self.weights):
            raise ValueError(f"soup: {self.soup} averages the weights of trainings, which fit together only if they start from "
                             "trained ones; set pretrained to true, weights to a file, or soup to 1")
        if self.soup > 1 and not self.precise_bn:
            raise ValueError(f"soup: {self.soup} and precise_bn: 0 exclude each other; averaged weights need statistics of "
                             "batch normalisation of their own")
        return self

    @model_validator(mode="after")
    def fits_together(self):
        if self.mixing != "none" and self.loss == "arcface":
            raise ValueError(f"mixing: {self.mixing!r} makes soft labels, which loss: 'arcface' cannot take; "
                             "set mixing to none or take another loss")
        if self.loss == "class_balanced_focal" and self.class_weights != "none":
            raise ValueError(f"class_weights: {self.class_weights!r} and loss: 'class_balanced_focal' both weigh the "
                             "classes; set class_weights to none")
        if self.loss == "f1" and self.class_weights != "none":
            raise ValueError(f"class_weights: {self.class_weights!r} and loss: 'f1' exclude each other; F1 counts every "
                             "class the same already, so set class_weights to none")
        if self.loss == "arcface" and self.head_layers == 2:
            raise ValueError("head_layers: 2 and loss: 'arcface' exclude each other; ArcFace is a head of its own, so "
                             "set head_layers to 1")
        if self.loss in YEAR_LOSSES and self.attribute != "age":
            raise ValueError(f"loss: {self.loss!r} learns years of age, and attribute is {self.attribute!r}; take another loss"
                             + f" (a joint model's age has its own in attribute_losses: {{age: {JOINT_YEARS}}})"
                             * (self.attribute == "joint"))
        if self.warmup and self.schedule in ("none", "one_cycle"):
            raise ValueError(f"warmup: {self.warmup} epochs and schedule: {self.schedule!r} exclude each other; set "
                             "warmup to 0, or schedule to cosine, cosine_restarts, step or exponential")
        for name in ("warmup", "freeze_epochs"):
            if getattr(self, name) >= self.epochs:
                raise ValueError(f"{name}: {getattr(self, name)} must be below epochs, {self.epochs}")
        genders = (*self._classes.values.get("gender", ()), "any")
        for gender, first, last in self.mixing_cells:
            if gender not in genders:
                raise ValueError(f"mixing_cells: {gender!r} is no gender; there are {', '.join(genders)}")
            if first > last:
                raise ValueError(f"mixing_cells: [{gender}, {first}, {last}] must be [gender, first age, last age]")
        return self

    @model_validator(mode="after")
    def a_batch_can_be_shared(self):
        if self.batch % self.devices:
            raise ValueError(f"batch: {self.batch} is shared by devices: {self.devices}, and must be a multiple of it")
        if self.devices > 1 and self.halve_batch:
            raise ValueError(f"devices: {self.devices} and halve_batch: true exclude each other, since memory may be short "
                             "on one of them alone; set halve_batch to false")
        return self

    @model_validator(mode="after")
    def pseudo_labels_fit(self):
        if self.pseudo and Path(self.pseudo).parent != PSEUDO:
            raise ValueError(f"pseudo: {self.pseudo!r} must be a file of {PSEUDO}, which the stage depends on, or null")
        asked = {"sampler": self.sampler == "cell", "mixing_within": self.mixing_within != "none",
                 "mixing_cells": bool(self.mixing_cells)}
        for name in [name for name, needs_the_person in asked.items() if self.pseudo and needs_the_person]:
            raise ValueError(f"{name}: {getattr(self, name)!r} asks for gender and age, and pseudo: {self.pseudo!r} brings "
                             f"photos without them; set {name} back, or pseudo to null")
        return self


class AgedModel(Model):
    """A model that learns age, alone or with the other attributes."""

    border_low: Annotated[Age, Field(ge=1)] | None
    border_high: Annotated[Age, Field(ge=1)] | None
    drop: list[tuple[Age, Age]]

    @property
    def moved(self) -> dict[str, int]:
        """The borders that are its own, by name."""
        return {name: own for name in ("border_low", "border_high") if (own := getattr(self, name)) is not None}

    @property
    def borders(self) -> tuple[int, ...]:
        """The borders of its age groups, in training only: the official ones, but for those of its own."""
        official = self.classes.borders
        if not self.moved:
            return official
        return self.moved.get("border_low", official[0]), self.moved.get("border_high", official[1])

    @model_validator(mode="after")
    def ranges_rise(self):
        for name, own in self.moved.items():
            if len(self.classes.borders) != 2:
                raise ValueError(f"{name}: {own} is one of two borders, and classes.age has {len(self.classes.borders)}; set "
                                 "it to null")
        if sorted(set(self.borders)) != list(self.borders):
            raise ValueError(f"border_low: {self.borders[0]} must be below border_high, {self.borders[1]}")
        for first, last in self.drop:
            if first > last:
                raise ValueError(f"drop: [{first}, {last}] must be [first age, last age]")
        if any(all(any(a <= age <= b for a, b in self.drop) for age in group) for group in self.groups()):
            raise ValueError(f"drop: {[list(r) for r in self.drop]} leaves no age in one of the {len(self.groups())} groups")
        return self

    @model_validator(mode="after")
    def fits_years(self):
        if not self.learns_years:
            return self
        asked = f"loss: {self.loss!r}" if self.attribute == "age" else f"attribute_losses: {self.attribute_losses}"
        for name, value, allowed, why in (
                ("head_layers", self.head_layers, 1, "has a head of its own"),
                *((name, own, None, "learns years, not groups") for name, own in self.moved.items()),
                ("mixing_partners", self.mixing_partners, "any", "learns years, not classes"),
                ("pseudo", self.pseudo, None, "asks for years, and pseudo labels are groups")):
            if value != allowed:
                raise ValueError(f"{name}: {value!r} and {asked}, which {why}, exclude each other; set "
                                 f"{name} to {'null' if allowed is None else allowed}, or take another loss")
        return self

    def groups(self) -> list[range]:
        """The ages of each group."""
        return [range(low, high) for low, high in pairwise((0, *self.borders, OLDEST + 1))]


class AgeModel(AgedModel):
    """A specialist for age."""

    attribute: Literal["age"]


class JointModel(AgedModel):
    """One network for all attributes."""

    attribute: Literal["joint"]
    head: Literal["attributes", "classes"]
    attribute_losses: dict[str, Loss]

    @property
    def heads(self) -> tuple[int, ...]:
        return self.classes.sizes if self.head == "attributes" else (self.classes.count,)

    def loss_of(self, attribute: str) -> str:
        return self.attribute_losses.get(attribute, self.loss)

    @model_validator(mode="after")
    def losses_fit_the_heads(self):
        if unknown := self.attribute_losses.keys() - set(self.attributes):
            raise ValueError(f"attribute_losses: {self.attribute_losses}: there is no attribute {', '.join(sorted(unknown))}; "
                             f"there are {', '.join(self.attributes)}")
        if self.head == "classes" and self.attribute_losses:
            raise ValueError(f"attribute_losses: {self.attribute_losses} and head: 'classes' exclude each other; it has "
                             "one loss, so set attribute_losses to {} or head to attributes")
        for attribute, loss in self.attribute_losses.items():
            if loss == "ordinal":
                raise ValueError(f"attribute_losses: {self.attribute_losses}: 'ordinal' is of specialists for age alone; take "
                                 f"{JOINT_YEARS}")
            if loss in YEAR_LOSSES and attribute != "age":
                raise ValueError(f"attribute_losses: {self.attribute_losses}: {loss!r} learns years of age, not {attribute}")
        if weighing := self.class_weights != "none" and {"f1", "class_balanced_focal"} & {*self.attribute_losses.values()}:
            raise ValueError(f"attribute_losses: {self.attribute_losses} and class_weights: {self.class_weights!r} exclude "
                             f"each other; {', '.join(sorted(weighing))} weighs the classes, so set class_weights to none")
        if self.head == "attributes" and "arcface" in (self.loss, *self.attribute_losses.values()):
            raise ValueError("loss: 'arcface' and head: 'attributes' exclude each other; ArcFace is a single head, so set "
                             "head to classes or take another loss")
        return self
