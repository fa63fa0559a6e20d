"""Schema of params.yaml. Every stage checks the whole file first, so a wrong value stops the first stage that runs.

Stages read params.yaml only through this module. Each class is a section and each field a parameter with its allowed
values; params.yaml says what they mean. `training` holds what all models share. Any section beyond the fixed ones
describes a model (stages/core/model_params.py).
"""
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, TypeAdapter, ValidationError, model_validator

from stages.core.classes import AGE, OLDEST, Classes, make_classes
from stages.core.errors import UserError
from stages.core.model_params import OWN, AgeModel, JointModel, Model
from stages.core.param_types import (
    MOST,
    MOST_WORKERS,
    NAME,
    Count,
    FileName,
    Name,
    Section,
    Seed,
    Thresholds,
    auto_is_the_cores,
    null_is_none,
)
from stages.core.yaml_file import read_yaml

FILE = Path("params.yaml")
CORRECTIONS = Path("data/corrections")
GROUPS = Path("data/groups")
PAINTED = "data/painted"  # the folder that stages/paint.py writes
SPECIALISTS = "specialists"  # in combine.weights: all models of a single attribute, together
TRAINING = "training"  # the section that all models share
CLASSES = "classes"  # the section of the attributes and their values
COLUMNS = ("photo", "person", "part", "class", "label", "fold", "found", "years", "wearing")  # of tables, beside attributes
IGNORED_KEYS = ("size", "nfiles")  # DVC's run cache ignores them, so it would take two values of one as the same


class Sample(Section):
    people: Count
    eval_people: Count
    seed: Seed


class Data(Section):
    root: FileName
    layout: Literal["auto", "contest", "table", "utkface", "fairface", "imdb", "folders", "parquet", "tar"]
    table: FileName | None
    columns: dict[str, FileName]

    @model_validator(mode="after")
    def table_is_in_the_root(self):
        if self.table and (Path(self.table).is_absolute() or ".." in Path(self.table).parts):
            raise ValueError(f"table: {self.table!r} must be a file in data.root, which the stage depends on, or null")
        return self

    @model_validator(mode="after")
    def no_parameter_is_left_unread(self):
        if self.table and self.layout not in ("auto", "table"):
            raise ValueError(f"table: {self.table!r} and layout: {self.layout!r} exclude each other; set layout to table, or "
                             "table to null")
        if self.columns and self.layout not in ("auto", "table", "parquet", "tar"):
            raise ValueError(f"columns: {self.columns}, which layout: {self.layout!r} does not read; set it to {{}}")
        return self

    @property
    def tells_people(self) -> bool:
        """Whether the layout is sure to have a place for the person of each photo to label."""
        return bool(self.table) or self.layout in ("table", "imdb", "folders", "parquet", "tar")


class Paint(Section):
    sets: Annotated[list[Literal["painted"]], Field(max_length=1)]
    source: Data
    worn: Annotated[int, Field(ge=0, le=100)]
    incorrect: Annotated[int, Field(ge=0, le=100)]
    bare: Annotated[int, Field(ge=0, le=100)]
    distractors: Annotated[float, Field(ge=0, le=1)]
    seed: Seed

    @model_validator(mode="after")
    def something_is_made(self):
        if not self.worn + self.incorrect + self.bare:
            raise ValueError("worn: 0, incorrect: 0 and bare: 0 make no photo; set one of them above 0")
        return self

    @model_validator(mode="after")
    def the_source_is_another_folder(self):
        if Path(self.source.root) == Path(PAINTED):
            raise ValueError(f"source.root: {self.source.root!r} is what the stage writes; name the folder of bare faces")
        return self


class Labels(Section):
    corrections: FileName | None

    @model_validator(mode="after")
    def corrections_are_in_their_folder(self):
        if self.corrections and Path(self.corrections).parent != CORRECTIONS:
            raise ValueError(f"corrections: {self.corrections!r} must be a file of {CORRECTIONS}, which the stage depends "
                             "on, or null")
        return self


class Split(Section):
    n_folds: Annotated[int, Field(ge=2, le=MOST)]
    groups: FileName | None
    seed: Seed

    @model_validator(mode="after")
    def groups_are_in_their_folder(self):
        if self.groups and Path(self.groups).parent != GROUPS:
            raise ValueError(f"groups: {self.groups!r} must be a file of {GROUPS}, which the stage depends on, or null")
        return self


class Detect(Section):
    min_face: Annotated[int, Field(ge=12, le=10_000)]
    thresholds: Thresholds
    second_look: bool
    sure_votes: Count
    sure_share: Annotated[float, Field(ge=0, lt=1)]
    lenient_min_face: Annotated[int, Field(ge=12, le=10_000)]
    lenient_thresholds: Thresholds
    lenient_evidence: Annotated[float, Field(ge=-100, le=100)]
    max_bad: Annotated[int, Field(ge=0)]


class Crop(Section):
    method: Literal["face", "center", "photo"]
    margin: Annotated[float, Field(ge=0, le=2)]
    height: Annotated[int, Field(ge=16, le=1024)]
    aspect: Annotated[float, Field(ge=0.25, le=4)]


class Views(Section):
    views: Annotated[Literal["none", "flip", "random"], null_is_none]
    random_views: Count


class Combine(Section):
    vote: Literal["soft", "hard"]
    weights: dict[str, Annotated[float, Field(ge=0, le=1000)]]
    calibration: Annotated[Literal["none", "temperature"], null_is_none]
    by_person: bool
    decision: Literal["argmax", "offsets", "cell_offsets"]

    @model_validator(mode="after")
    def offsets_need_probabilities(self):
        if self.vote == "hard" and self.decision != "argmax":
            raise ValueError(f"decision: {self.decision!r} and vote: 'hard' exclude each other; offsets found on one network's "
                             "probabilities do not fit shares of votes, so set vote to soft")
        return self


class Export(Section):
    precision: Literal["float32", "int8"]
    licence: Annotated[str, Field(min_length=1, max_length=1000)] | None


class Machine(Section):
    engine: Literal["local", "ray"]
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")]
    workers: Annotated[int, Field(ge=0, le=MOST_WORKERS), auto_is_the_cores]
    batch: Count
    deterministic: bool
    compile: bool


Value = Annotated[str, Field(pattern=r"^[a-z0-9]+$")]  # no _, which joins the values of a joint class
ClassesSection = TypeAdapter(dict[Name, list[Annotated[int, Field(ge=1, le=OLDEST, strict=True)] | Value]])


class Params(Section):
    """All of params.yaml. `sections` holds every model's section by its name, even if `models` does not list it.

    Validate with the context {"classes": Classes}, those of the section `classes`.
    """

    models: list[Name]
    folds: list[Annotated[int, Field(ge=0, strict=True)]]
    refit: list[Name]
    sample: Sample
    paint: Paint
    data: Data
    labels: Labels
    split: Split
    detect: Detect
    crop: Crop
    predict: dict[str, Views]
    combine: Combine
    export: Export
    machine: Machine
    sections: dict[Name, JointModel | AgeModel | Model]
    _classes: Classes = PrivateAttr()

    def model_post_init(self, context):
        self._classes = context["classes"]

    @property
    def all_classes(self) -> Classes:
        """Those of the section `classes`."""
        return self._classes

    @property
    def classes(self) -> Classes:
        """What the listed models learn, of the section `classes`."""
        return self._classes.only({a for name in self.models for a in self.sections[name].attributes})

    @model_validator(mode="after")
    def lists_fit(self):
        if not self.models:
            raise ValueError(f"models: [] trains nothing; list some of {', '.join(self.sections)}")
        for name, values in (("models", self.models), ("folds", self.folds), ("refit", self.refit)):
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: {values} names one of them twice")
        if not self.folds:
            raise ValueError("folds: [] trains nothing" + f", and refit: {self.refit} needs the epochs that folds found"
                             * bool(self.refit) + f"; list some from 0 to {self.split.n_folds - 1}")
        if max(self.folds) >= self.split.n_folds:
            raise ValueError(f"folds: {max(self.folds)} is not below split.n_folds, {self.split.n_folds}")
        for name in self.models:
            if name not in self.sections:
                raise ValueError(f"models: {name!r} has no section of its own; found are {', '.join(self.sections)}")
            if name not in self.predict:
                raise ValueError(f"predict: no section for {name!r}, which models lists; add predict.{name}.views")
        for name in self.refit:
            if name not in self.models:
                raise ValueError(f"refit: {name!r} is not in models, {', '.join(self.models)}")
        for name in self.predict:
            if name not in self.sections:
                raise ValueError(f"predict.{name}: there is no model of that name; there are {', '.join(self.sections)}")
        return self

    @model_validator(mode="after")
    def what_is_read_is_painted(self):
        if Path(self.data.root) == Path(PAINTED) and not self.paint.sets:
            raise ValueError(f"paint.sets: [] paints nothing, and data.root is {self.data.root!r}; set it to [painted]")
        return self

    @model_validator(mode="after")
    def columns_are_known(self):
        known = ("photo", "person", "part", *self.all_classes.attributes)
        if unknown := (self.data.columns.keys() | self.paint.source.columns.keys()) - set(known):
            raise ValueError(f"data.columns: there is no {', '.join(sorted(unknown))} to give a column to; there are "
                             f"{', '.join(known)}")
        return self

    @model_validator(mode="after")
    def specialists_learn_all_or_nothing(self):
        lacking = [attribute for attribute in self.classes.attributes if not self.specialists(attribute)]
        if 0 < len(lacking) < len(self.classes.attributes):
            raise ValueError(f"models: none of {', '.join(self.models)} learns {' or '.join(lacking)} alone; list one that "
                             "does, or joint models only")
        return self

    @model_validator(mode="after")
    def somebody_votes(self):
        weights = self.combine.weights
        for name in weights:
            if name not in [*self.models, SPECIALISTS]:
                raise ValueError(f"combine.weights: {name!r} is not in models, {', '.join(self.models)} (or "
                                 f"{SPECIALISTS}: those of one attribute each, together)")
        for attribute in self.classes.attributes:
            names = self.specialists(attribute)
            if names and weights.get(SPECIALISTS, 1) and not any(weights.get(name, 1) for name in names):
                raise ValueError(f"combine.weights: 0 for every model of {attribute} in models; leave one its vote")
        ballots = [*self.joint, *([SPECIALISTS] if any(map(self.specialists, self.classes.attributes)) else [])]
        if not any(weights.get(name, 1) for name in ballots):
            raise ValueError(f"combine.weights: 0 for all of {', '.join(ballots)}; leave one its vote")
        return self

    @model_validator(mode="after")
    def people_are_known(self):
        if self.combine.by_person and self.combine.decision == "offsets":
            raise ValueError("combine.decision: 'offsets' and by_person: true exclude each other; offsets that differ by mask "
                             "could give one person two ages, so set decision to cell_offsets or argmax")
        if self.combine.by_person and not self.data.tells_people:
            raise ValueError("combine.by_person: true needs the person of each photo to label, which the contest's layout does "
                             "not tell, nor do UTKFace and FairFace; set it to false, give a table in data.table, or say in "
                             f"data.layout, {self.data.layout!r}, which other layout it is")
        return self

    @model_validator(mode="after")
    def random_views_have_augmentations(self):
        for name in self.models:
            if self.predict[name].views == "random" and not self.sections[name].augment:
                raise ValueError(f"predict.{name}.views: 'random' draws by {name}.augment, which is []; list augmentations "
                                 "there, or set views to none or flip")
        return self

    @property
    def joint(self) -> list[str]:
        """Names of the listed joint models, in their order."""
        return [name for name in self.models if self.sections[name].attribute == "joint"]

    def specialists(self, attribute: str) -> list[str]:
        """Names of the listed models that learn this attribute alone, in their order."""
        return [name for name in self.models if self.sections[name].attribute == attribute]


def check_devices(machine: Machine, p: Model, name: str) -> None:
    """Raise UserError if GPUs are to share the batches of a model, and no cluster is there to do it."""
    if p.devices > 1 and machine.engine != "ray":
        raise UserError(f"{FILE}: {name}.devices: {p.devices} and machine.engine: {machine.engine!r} exclude each other; set "
                        "devices to 1, or engine to ray, which also takes the GPUs of this machine alone")


def with_training(values: dict) -> dict:
    """The values of a params.yaml, with each model's section completed from `training`."""
    shared = values.get(TRAINING) or {}
    return {name: shared | section if is_model(section) else section for name, section in values.items() if name != TRAINING}


def is_model(section) -> bool:
    """Whether a section describes a model: it has an `attribute`."""
    return isinstance(section, dict) and "attribute" in section


def parse(values) -> Params:
    """Check the values of params.yaml; raises UserError naming every wrong key, its value and what is allowed."""
    if not isinstance(values, dict):
        raise UserError(f"{FILE}: holds no parameters")
    known = Params.model_fields.keys() - {"sections"}
    fixed = {key: value for key, value in values.items() if key in known}
    models = {key: value for key, value in values.items() if key not in known and key not in (TRAINING, CLASSES)}
    context = {"classes": read_classes(values.get(CLASSES))}
    shared = values.get(TRAINING)
    if not isinstance(shared, dict):
        others = [name for name, section in models.items() if not is_model(section)]
        raise UserError(f"{FILE}: {TRAINING}: missing; it holds what all models share"
                        + f"; unknown is {', '.join(map(str, others))}" * bool(others))
    problems = [f"{TRAINING}.{key}: {'each model has its own' if key in OWN else 'unknown parameter'}"
                for key in shared if key in OWN or key not in Model.model_fields]
    sections = {}
    for name, section in models.items():
        if name in (SPECIALISTS, *IGNORED_KEYS):
            why = "combine.weights has it for all specialists together" if name == SPECIALISTS else "DVC's run cache ignores it"
            problems.append(f"{name}: no name for a model, since {why}")
        elif is_model(section) and not NAME.fullmatch(str(name)):
            problems.append(f"{name}: no name for a model; allowed are letters a to z, digits and _, a letter first")
        elif not is_model(section):
            problems.append(f"{name}: unknown parameter (a model's section has an `attribute`)")
        elif section["attribute"] not in (*context["classes"].attributes, "joint"):
            problems.append(f"{name}.attribute = {section['attribute']!r}: {CLASSES} has no such attribute; there are "
                            f"{', '.join(context['classes'].attributes)}, and joint")
        else:
            kind = {"age": AgeModel, "joint": JointModel}.get(str(section["attribute"]), Model)
            try:
                sections[name] = kind.model_validate(shared | section, context=context)
            except ValidationError as error:
                problems += [describe(problem, origin(problem, name, section, shared)) for problem in error.errors()]
    if not problems:
        try:
            return Params.model_validate(fixed | {"sections": sections}, context=context)
        except ValidationError as error:
            problems = [describe(problem) for problem in error.errors()]
    raise UserError(f"{FILE}: " + "; ".join(dict.fromkeys(problems)))


def read_classes(values) -> Classes:
    """The classes that the section `classes` describes; raises UserError naming what is not allowed in it."""
    try:
        section = ClassesSection.validate_python(values)
    except ValidationError as error:
        raise UserError(f"{FILE}: " + "; ".join(dict.fromkeys(map(describe_classes, error.errors())))) from None
    taken = [*COLUMNS, *IGNORED_KEYS, "joint"]
    for name, each in section.items():
        if name in taken:
            raise UserError(f"{FILE}: {CLASSES}.{name}: no name for an attribute; taken are {', '.join(taken)}")
        if name == AGE and (not each or any(isinstance(border, str) for border in each) or sorted(set(each)) != each):
            raise UserError(f"{FILE}: {CLASSES}.{name}: {each} must be the first ages of all groups but the first, rising, "
                            "such as [30, 60]")
        if name != AGE and (len(each) < 2 or len(set(each)) < len(each) or any(isinstance(value, int) for value in each)):
            raise UserError(f"{FILE}: {CLASSES}.{name}: {each} must be two values or more, each a name and another one")
    if not section:
        raise UserError(f"{FILE}: {CLASSES}: no attribute; needed is one or more, such as mask: [worn, incorrect, bare]")
    return make_classes(section, tuple(section.get(AGE, ())))


def describe_classes(problem: dict) -> str:
    """One of pydantic's problems in the section `classes`, whose values are two kinds of things."""
    name, *place = problem["loc"][:2] or [""]
    if not place or place == ["[key]"]:
        return describe(problem | {"loc": [name] if name else []}, CLASSES)
    return (f"{CLASSES}.{name}.{place[0]} = {problem['input']!r}: should be an age from 1 to {OLDEST}, or a name of letters "
            "a to z and digits")


def origin(problem: dict, name: str, section: dict, shared: dict) -> str:
    """The section that holds a model's wrong value: its own, or `training`."""
    key = problem["loc"][0] if problem["loc"] else problem["msg"].removeprefix("Value error, ").split(":")[0]
    return TRAINING if key in shared and key not in section else name


def describe(problem: dict, *prefix: str) -> str:
    """One of pydantic's problems as a line, such as `age.loss = 'focall': input should be 'cross_entropy', ...`."""
    key = ".".join(str(part) for part in (*prefix, *problem["loc"]))
    text = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":  # from the validators here, whose texts name the key
        return f"{key}.{text}" if key else text
    if problem["type"] == "missing":
        return f"{key}: missing"
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown parameter"
    if problem["type"] == "tuple_type":
        return f"{key} = {problem['input']!r}: should be several values in brackets, such as [1, 2]"
    if problem["type"] in ("model_type", "dict_type"):
        return f"{key} = {problem['input']!r}: should be a section, with a line for each parameter"
    if problem["type"] == "list_type" and problem["input"] is None:  # as YAML reads a value that was left out
        return f"{key}: null is no list; an empty one is []"
    return f"{key} = {problem['input']!r}: {text[0].lower()}{text[1:]}"


def read_params(path: Path = FILE) -> Params:
    """Read and check params.yaml."""
    return parse(read_yaml(path))


def read_model(name: str) -> tuple[Params, Model]:
    """params.yaml, and the section of the model `name`; raises UserError if `models` does not list it."""
    p = read_params()
    if name not in p.models:
        raise UserError(f"{FILE}: models: {name!r} is not listed; listed are {', '.join(p.models)}")
    return p, p.sections[name]
