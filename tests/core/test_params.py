"""A wrong value anywhere in params.yaml is one line that names the key, the value and what is allowed."""
import copy
import re

import pytest
import timm

from stages.core.backbone_names import backbones
from stages.core.classes import CONTEST
from stages.core.errors import UserError
from stages.core.model_params import YEAR_LOSSES
from stages.core.param_types import cores
from stages.core.params import COLUMNS, IGNORED_KEYS, parse, read_classes, read_params, with_training
from tests.conftest import ROOT
from tests.sections import SHIPPED

JOINT_YEAR_LOSSES = ("year_distribution", "mean_variance")
NOT_WITH_YEARS = {"head_layers": 2, "border_low": 28, "border_high": 58, "mixing_partners": "class",
                  "pseudo": "data/pseudo/x.csv"}


def changed(key: str, value) -> dict:
    values = copy.deepcopy(SHIPPED)
    *path, last = key.split(".")
    section = values
    for part in path:
        section = section[part]
    section[last] = value
    return values


def test_params_yaml_as_shipped_is_allowed():
    assert read_params(ROOT / "params.yaml").models == SHIPPED["models"]


@pytest.mark.parametrize("key, value, named", [
    ("age.loss", "focall", "'focal'"),
    ("age.backbone", "efficientnetv9", "timm.list_models()"),
    ("gender.augment", "r5", "'r4_age'"),
    ("gender.augment", ["light", "cutout"], "gender.augment.1 = 'cutout'"),
    ("age.mixing", "cut", "'half_cutmix'"),
    ("age.mixing_cells", [["men", 30, 39]], "there are male, female, any"),
    ("age.sampler", "imbalanced", "'cell'"),
    ("age.ema", 1, "less than 1"),
    ("age.frozen", 1.5, "less than or equal to 1"),
    ("age.warmup", 2, "schedule: 'one_cycle'"),
    ("age.freeze_epochs", SHIPPED["age"]["epochs"], f"must be below epochs, {SHIPPED['age']['epochs']}"),
    ("age.best", "auc", "'accuracy'"),
    ("combine.weights", {"age2": 1}, "'age2' is not in models"),
    ("combine.weights", {"age": 0}, "0 for every model of age"),
    ("combine.weights", {"specialists": 0}, "0 for all of specialists"),
    ("refit", ["age2"], "'age2' is not in models"),
    ("age.head_layers", 3, "less than or equal to 2"),
    ("age.head", "attributes", "unknown parameter"),
    ("age.pseudo", "mine.csv", "must be a file of data/pseudo"),
    ("joint.head", "three", "'classes'"),
    ("joint.attribute_losses", {"hair": "focal"}, "there are mask, gender, age"),
    ("combine.decision", "offset", "'offsets'"),
    ("mask.optimizer", "sgdd", "'adamw'"),
    ("mask.attribute", "hair", "there are mask, gender, age, and joint"),
    ("age.lr", 0, "greater than 0"),
    ("age.epochs", 10**9, "less than or equal to 1000000"),
    ("age.batch", 10**400, "less than or equal to 1000000"),
    ("split.n_folds", 10**9, "less than or equal to 1000000"),
    ("detect.min_face", 10**400, "less than or equal to 10000"),
    ("age.lr", float("nan"), "finite"),
    ("age.epochs", 2.5, "integer"),
    ("age.smoothing", 1, "less than 1"),
    ("age.year_sigma", 0, "greater than 0"),
    ("age.mean_weight", -1, "greater than or equal to 0"),
    ("age.variance_weight", -1, "greater than or equal to 0"),
    ("age.border_low", 70, "below border_high"),
    ("age.drop", [[59, 57]], "[first age, last age]"),
    ("age.drop", [[0, 29]], "leaves no age"),
    ("gender.border_low", 29, "unknown parameter"),
    ("age.typo", 1, "unknown parameter"),
    ("typo", 1, "unknown parameter"),
    ("detect.min_face", 5, "12"),
    ("detect.thresholds", [0.6, 0.7], "detect.thresholds.2"),
    ("crop.method", "faces", "'photo'"),
    ("predict.age.views", "flipp", "'flip'"),
    ("combine.vote", "loud", "'hard'"),
    ("machine.device", "gpu", "cuda"),
    ("split.n_folds", 1, "2"),
    ("split.groups", "twins.csv", "must be a file of data/groups, which the stage depends on, or null"),
    ("age.drop_rate", 1, "less than 1"),
    ("age.drop_path_rate", -0.1, "greater than or equal to 0"),
    ("age.head_lr", 0, "greater than 0"),
    ("age.layer_decay", 1.1, "less than or equal to 1"),
    ("age.grad_accum_steps", 0, "greater than or equal to 1"),
    ("training.precise_bn", -1, "greater than or equal to 0"),
    ("age.randaugment_magnitude", 31, "less than or equal to 30"),
    ("age.resized_crop_min", 0, "greater than 0"),
    ("age.soup", 2, "set pretrained to true, weights to a file, or soup to 1"),
    ("machine.compile", "yes please", "boolean"),
    ("machine.deterministic", "mostly", "boolean"),
    ("machine.workers", "all", "machine.workers = 'all'"),
    ("combine.calibration", "platt", "'temperature'"),
    ("combine.decision", "tied", "'cell_offsets'"),
    ("combine.by_person", True, "the contest's layout does not tell"),
    ("folds", [5], "split.n_folds"),
    ("folds", [], "folds"),
    ("folds", [0, 0], "twice"),
    ("models", ["mask", "hair"], "no section of its own"),
    ("models", ["age", "joint"], "none of age, joint learns mask or gender alone"),
    ("models", ["joint", "gender", "age"], "none of joint, gender, age learns mask alone"),
    ("predict.agee", {"views": "flip", "random_views": 1}, "no model of that name"),
    ("age.mixing_cells", [["any", 60, 57]], "[gender, first age, last age]"),
    ("age.epochs", True, "not allowed here"),
    ("folds", ["01"], "integer"),
    ("folds", [0.0], "integer"),
    ("data.table", "", "at least 1 character"),
    ("data.layout", "zip", "'utkface'"),
    ("data.columns", {"years": "age"}, "data.columns: there is no years to give a column to; there are photo, person"),
    ("data.columns", {"age": ""}, "at least 1 character"),
    ("data.columns", None, "data.columns"),
    ("labels.corrections", "", "at least 1 character"),
    ("sample", None, "sample"),
    ("refit", None, "refit: null is no list; an empty one is []"),
    ("folds", None, "folds: null is no list; an empty one is []"),
    ("refit", "age", "refit = 'age': input should be a valid list"),
])
def test_a_wrong_value_is_named_with_what_is_allowed(key, value, named):
    with pytest.raises(UserError) as error:
        parse(changed(key, value))
    line = str(error.value)
    assert line.startswith("params.yaml: ")
    assert key.split(".")[-1] in line
    assert named in line
    assert "\n" not in line


def test_a_missing_key_is_named():
    values = copy.deepcopy(SHIPPED)
    del values["age"]["lr"]
    with pytest.raises(UserError, match=r"params.yaml: age.lr: missing"):
        parse(values)


def test_a_listed_model_needs_views_of_its_own():
    values = changed("models", [*SHIPPED["models"], "age2"]) | {"age2": SHIPPED["age"]}
    with pytest.raises(UserError, match="predict.age2.views"):
        parse(values)


def test_a_rate_that_dvc_writes_as_text_is_a_number():
    assert parse(changed("age.lr", "3e-05")).sections["age"].lr == 3e-5


def test_null_stands_for_none_where_none_is_a_name():
    assert parse(changed("age.mixing", None)).sections["age"].mixing == "none"


def test_pretrained_and_local_weights_exclude_each_other():
    values = changed("age.weights", "some.safetensors")
    values["age"]["pretrained"] = True
    with pytest.raises(UserError, match="age.weights.*pretrained"):
        parse(values)


@pytest.mark.parametrize("text", ["a: [", "", "- 1"])
def test_a_file_that_holds_no_parameters_is_one_line(here, text):
    (here / "params.yaml").write_text(text)
    with pytest.raises(UserError, match="params.yaml"):
        read_params()


def test_every_backbone_of_timm_is_known_without_importing_it():
    assert set(timm.list_models()) <= backbones()


@pytest.mark.parametrize("changes, named", [
    ({"mixing": "mixup", "loss": "arcface"}, ("age.mixing: 'mixup'", "loss: 'arcface'")),
    ({"head_layers": 2, "loss": "arcface"}, ("age.head_layers: 2", "loss: 'arcface'")),
    ({"class_weights": "balanced", "loss": "class_balanced_focal"}, ("age.class_weights: 'balanced'", "class_balanced_focal")),
    ({"class_weights": "balanced", "loss": "f1"}, ("age.class_weights: 'balanced'", "loss: 'f1'")),
    ({"warmup": 1, "schedule": "none"}, ("age.warmup: 1", "schedule: 'none'")),
    ({"pseudo": "data/pseudo/x.csv", "sampler": "cell"}, ("age.sampler: 'cell'", "pseudo: 'data/pseudo/x.csv'")),
    ({"pseudo": "data/pseudo/x.csv", "mixing_within": "gender"}, ("age.mixing_within: 'gender'", "pseudo: ")),
    *(({"loss": loss, name: value}, (f"age.{name}: {value!r}", f"loss: '{loss}'")) for loss in YEAR_LOSSES
      for name, value in NOT_WITH_YEARS.items()),
    ({"pseudo": "data/pseudo/x.csv", "mixing_cells": [["male", 30, 39]]}, ("age.mixing_cells: [('male', 30, 39)]", "pseudo: ")),
])
def test_values_that_make_no_sense_together_are_named_both(changes, named):
    with pytest.raises(UserError) as error:
        parse(SHIPPED | {"age": SHIPPED["age"] | changes})
    assert all(name in str(error.value) for name in named)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("changes, named", [
    ({"joint": SHIPPED["joint"] | {"head": "classes", "attribute_losses": {"age": "focal"}}},
     ("joint.attribute_losses: {'age': 'focal'}", "head: 'classes'")),
    *(({name: SHIPPED[name] | {"loss": loss}}, (f"{name}.loss: '{loss}'", f"attribute is '{name}'"))
      for loss in YEAR_LOSSES for name in ("mask", "gender", "joint")),
    ({"joint": SHIPPED["joint"] | {"attribute_losses": {"age": "f1"}, "class_weights": "balanced"}},
     ("joint.attribute_losses: {'age': 'f1'}", "class_weights: 'balanced'")),
    ({"specialists": SHIPPED["age"]}, ("specialists: no name for a model", "combine.weights")),
    ({"joint": SHIPPED["joint"] | {"attribute_losses": {"age": "ordinal"}}},
     ("joint.attribute_losses: {'age': 'ordinal'}", "specialists for age alone; take year_distribution or mean_variance")),
    *(({"joint": SHIPPED["joint"] | {"attribute_losses": {other: loss}}},
       (f"joint.attribute_losses: {{'{other}': '{loss}'}}", f"learns years of age, not {other}"))
      for loss in JOINT_YEAR_LOSSES for other in ("mask", "gender")),
    *(({"joint": SHIPPED["joint"] | {"attribute_losses": {"age": loss}, name: value}},
       (f"joint.{name}: {value!r}", f"attribute_losses: {{'age': '{loss}'}}"))
      for loss in JOINT_YEAR_LOSSES for name, value in NOT_WITH_YEARS.items()),
    ({"joint": SHIPPED["joint"] | {"head": "classes", "attribute_losses": {"age": "year_distribution"}}},
     ("joint.attribute_losses: {'age': 'year_distribution'}", "head: 'classes'")),
    ({"joint": SHIPPED["joint"] | {"loss": "arcface"}}, ("joint.loss: 'arcface'", "head: 'attributes'")),
    ({"folds": [], "refit": ["age"]}, ("folds: []", "refit: ['age']")),
    ({"age": SHIPPED["age"] | {"augment": []}, "predict": SHIPPED["predict"] | {"age": {"views": "random", "random_views": 2}}},
     ("predict.age.views: 'random'", "age.augment, which is []")),
])
def test_sections_that_make_no_sense_together_are_named_both(changes, named):
    with pytest.raises(UserError) as error:
        parse(SHIPPED | changes)
    assert all(name in str(error.value) for name in named)
    assert "\n" not in str(error.value)


def test_a_joint_model_learns_all_three_by_one_head_or_by_three():
    section = parse(SHIPPED).sections["joint"]
    assert (section.attributes, section.heads, section.classes.count) == (("mask", "gender", "age"), (3, 2, 3), 18)
    assert parse(changed("joint.head", "classes")).sections["joint"].heads == (18,)
    assert section.classes.names == CONTEST.names


def test_a_model_that_learns_years_has_them_in_training_in_place_of_the_groups_that_it_is_scored_by():
    age = parse(changed("age.loss", "mean_variance")).sections["age"]
    assert (age.heads, age.training_heads, age.targets) == ((3,), (121,), 121)
    joint = parse(changed("joint.attribute_losses", {"age": "year_distribution"})).sections["joint"]
    assert (joint.heads, joint.training_heads, joint.targets) == ((3, 2, 3), (3, 2, 121), 726)
    plain = parse(SHIPPED).sections["joint"]
    assert (plain.training_heads, plain.targets) == ((3, 2, 3), 18)


def test_age_and_joint_share_the_deviation_of_years_and_each_can_have_its_own():
    sections = parse(SHIPPED | {"training": SHIPPED["training"] | {"year_sigma": 4.0},
                                "age": SHIPPED["age"] | {"year_sigma": 2.0}}).sections
    assert [sections[name].year_sigma for name in ("age", "joint")] == [2.0, 4.0]


@pytest.mark.parametrize("value, names", [("light", ["light"]), (None, []), ("none", []),
                                          (["flip", "noise"], ["flip", "noise"])])
def test_one_augmentation_may_be_named_without_a_list_and_none_by_null(value, names):
    assert parse(changed("age.augment", value)).sections["age"].augment == names


def test_a_model_has_the_values_of_training_where_its_section_has_none_of_its_own():
    sections = parse(SHIPPED | {"training": SHIPPED["training"] | {"ema": 0.9}, "age": SHIPPED["age"] | {"ema": 0.5}}).sections
    assert [sections[name].ema for name in ("mask", "gender", "age")] == [0.9, 0.9, 0.5]
    assert with_training(SHIPPED)["age"] == SHIPPED["training"] | SHIPPED["age"]


@pytest.mark.parametrize("key, value, line", [
    ("training.ema", 1, "params.yaml: training.ema = 1: input should be less than 1"),
    ("training.emma", 1, "params.yaml: training.emma: unknown parameter"),
    ("training.pseudo", None, "params.yaml: training.pseudo: each model has its own"),
    ("training.image_size", 8, "params.yaml: training.image_size = 8: input should be greater than or equal to 16"),
    ("training", None, "params.yaml: training: missing; it holds what all models share"),
    ("size", SHIPPED["age"], "params.yaml: size: no name for a model, since DVC's run cache ignores it"),
])
def test_what_is_wrong_for_all_models_is_said_once_and_where_it_stands(key, value, line):
    with pytest.raises(UserError) as error:
        parse(changed(key, value))
    assert str(error.value) == line


@pytest.mark.parametrize("decision", ["offsets", "cell_offsets"])
def test_offsets_ask_for_probabilities_and_not_for_shares_of_votes(decision):
    values = changed("combine.decision", decision)
    values["combine"]["vote"] = "hard"
    with pytest.raises(UserError, match=f"combine.decision: '{decision}' and vote: 'hard' exclude each other"):
        parse(values)


@pytest.mark.parametrize("data, named", [
    ({"layout": "utkface", "table": "photos.csv"}, "data.table: 'photos.csv' and layout: 'utkface' exclude each other"),
    ({"layout": "folders", "columns": {"age": "years"}}, "data.columns: {'age': 'years'}, which layout: 'folders' does not"),
])
def test_a_parameter_that_no_reader_would_read_is_named(data, named):
    values = changed("data.root", "data/own")
    values["data"] |= data
    with pytest.raises(UserError, match=re.escape(named)):
        parse(values)


@pytest.mark.parametrize("layout, told", [("contest", False), ("utkface", False), ("fairface", False), ("auto", False),
                                          ("table", True), ("imdb", True), ("folders", True), ("parquet", True), ("tar", True)])
def test_one_vote_for_a_person_needs_a_layout_that_tells_the_people_of_photos_to_label(layout, told):
    values = changed("combine.by_person", True)
    values["data"] |= {"root": "data/own", "layout": layout}
    if told:
        assert parse(values).combine.by_person
    else:
        with pytest.raises(UserError, match="combine.by_person: true needs the person of each photo to label"):
            parse(values)


def test_a_table_may_tell_the_people_of_photos_to_label():
    values = changed("combine.by_person", True)
    values["data"] |= {"root": "data/own", "table": "photos.csv"}
    assert parse(values).combine.by_person


def test_a_soup_needs_statistics_of_its_own():
    values = changed("age.soup", 2)
    values["training"] |= {"pretrained": True, "precise_bn": 0}
    with pytest.raises(UserError, match="soup: 2 and precise_bn: 0 exclude each other"):
        parse(values)


def test_workers_are_never_more_than_allowed_where_there_are_more_cores(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(384), raising=False)
    assert parse(changed("machine.workers", "auto")).machine.workers == 256


def test_offsets_that_differ_by_mask_exclude_one_vote_for_a_person():
    values = changed("combine.by_person", True)
    values["data"] |= {"root": "data/own", "table": "photos.csv"}
    values["combine"]["decision"] = "offsets"
    with pytest.raises(UserError, match="combine.decision: 'offsets' and by_person: true exclude each other"):
        parse(values)
    values["combine"]["decision"] = "cell_offsets"
    assert parse(values).combine.by_person


def test_workers_are_as_many_as_cores_unless_said():
    assert parse(SHIPPED).machine.workers == cores()
    assert parse(changed("machine.workers", 3)).machine.workers == 3


@pytest.mark.parametrize("changes, named", [
    (None, "classes = None: should be a section, with a line for each parameter"),
    ({}, "classes: no attribute; needed is one or more"),
    ({"Mask": ["a", "b"]}, "classes.Mask"),
    ({"mask": ["worn"]}, "classes.mask: ['worn'] must be two values or more"),
    ({"mask": ["worn", "worn"]}, "must be two values or more, each a name and another one"),
    ({"mask": ["worn", 1]}, "must be two values or more, each a name and another one"),
    ({"mask": ["no", "worn_well"]}, "classes.mask.1"),  # _ joins the values of a joint class
    ({"mask": [True, False]}, "classes.mask.0"),  # what YAML makes of yes and no
    ({"age": [60, 30]}, "classes.age: [60, 30] must be the first ages of all groups but the first, rising, such as [30, 60]"),
    ({"age": ["young", "old"]}, "must be the first ages of all groups but the first"),
    ({"age": []}, "must be the first ages of all groups but the first"),
    ({"age": [30, 30]}, "must be the first ages of all groups but the first, rising"),
    ({"age": [30, "old"]}, "classes.age: [30, 'old'] must be the first ages of all groups but the first"),
    ({"age": [0, 30]}, "classes.age.0"),
    ({"mask": None}, "classes.mask: null is no list"),
    ({"mask": "worn"}, "classes.mask = 'worn': input should be a valid list"),
    ({"gender": ["male", 1]}, "classes.gender: ['male', 1] must be two values or more, each a name and another one"),
    ({"age": [30, 121]}, "classes.age.1"),
    ({"person": ["a", "b"]}, "classes.person: no name for an attribute; taken are photo, person"),
    ({"joint": ["a", "b"]}, "classes.joint: no name for an attribute"),
    ({"size": ["a", "b"]}, "classes.size: no name for an attribute"),
])
def test_classes_that_cannot_be_are_named_with_what_is_allowed(changes, named):
    with pytest.raises(UserError) as error:
        parse(SHIPPED | {"classes": changes})
    line = str(error.value)
    assert line.startswith("params.yaml: classes")
    assert named in line
    assert "\n" not in line


def test_the_order_of_the_keys_which_dvc_does_not_see_changes_no_class():
    asked = {"zebra": ["a", "b"], "age": [30, 60], "glasses": ["no", "yes"], "gender": ["male", "female"],
             "mask": ["on", "off"]}
    one, other = (read_classes(dict(items)) for items in (asked.items(), reversed(asked.items())))
    assert one == other and one.names == other.names
    assert one.attributes == ("mask", "glasses", "zebra", "gender", "age")


def test_other_classes_are_those_of_the_models_and_of_the_joint_one():
    classes = {"mask": ["on", "off"], "gender": ["male", "female"], "age": [20, 40, 60]}
    p = parse(SHIPPED | {"classes": classes})
    assert p.classes.sizes == (2, 2, 4)
    assert (p.sections["age"].heads, p.sections["joint"].heads) == ((4,), (2, 2, 4))
    assert p.sections["age"].borders == (20, 40, 60)
    with pytest.raises(UserError, match=r"age.border_low: 25 is one of two borders, and classes.age has 3; set it to null"):
        parse(SHIPPED | {"classes": classes, "age": SHIPPED["age"] | {"border_low": 25}})


def test_classes_are_of_what_the_listed_models_learn():
    two = parse(SHIPPED | {"models": ["gender", "age"]})
    assert two.classes.attributes == ("gender", "age")
    assert two.all_classes == CONTEST == parse(SHIPPED).classes
    assert parse(SHIPPED | {"models": ["joint"]}).classes == CONTEST
    with pytest.raises(UserError, match=r"mask.attribute = 'mask': classes has no such attribute; there are gender, age, and"):
        parse(SHIPPED | {"classes": {key: SHIPPED["classes"][key] for key in ("gender", "age")}})


def test_a_border_left_out_is_the_official_one():
    age = parse(changed("age.border_high", 58)).sections["age"]
    assert age.borders == (30, 58)
    assert parse(SHIPPED).sections["age"].borders == (30, 60)


@pytest.mark.parametrize("name", [*COLUMNS, *IGNORED_KEYS, "joint"])
def test_no_attribute_has_the_name_of_a_column_or_of_all_attributes(name):
    with pytest.raises(UserError, match=rf"^params.yaml: classes.{name}: no name for an attribute; taken are photo, person, "):
        read_classes({name: ["a", "b"], "age": [30]})


@pytest.mark.parametrize("section", [{"mask": ["worn", "bare"]}, {"gender": ["male", "female"]}, {"age": [18]},
                                     {"mask": ["worn", "bare"], "age": [30, 60]}])
def test_no_attribute_must_be_among_the_classes(section):
    assert read_classes(section).attributes == tuple(section)


@pytest.mark.parametrize("borders, high", [([18], 2), ([20, 40, 60], 4)])
@pytest.mark.parametrize("name", ["age", "joint"])
@pytest.mark.parametrize("key", ["border_low", "border_high"])
def test_borders_of_its_own_are_of_a_model_of_three_age_groups(name, key, borders, high):
    classes = SHIPPED["classes"] | {"age": borders}
    assert parse(SHIPPED | {"classes": classes}).sections[name].classes.sizes[-1] == high
    with pytest.raises(UserError, match=rf"{name}.{key}: 25 is one of two borders, and classes.age has {len(borders)}"):
        parse(SHIPPED | {"classes": classes, name: SHIPPED[name] | {key: 25}})


def test_a_model_of_an_attribute_more_is_one_more_specialist():
    classes = SHIPPED["classes"] | {"glasses": ["without", "with"]}
    more = {"classes": classes, "glasses": SHIPPED["mask"] | {"attribute": "glasses"},
            "predict": SHIPPED["predict"] | {"glasses": SHIPPED["predict"]["mask"]}}
    p = parse(SHIPPED | more | {"models": ["mask", "glasses", "gender", "age"]})
    assert (p.classes.attributes, p.classes.count) == (("mask", "glasses", "gender", "age"), 36)
    assert p.sections["joint"].heads == (3, 2, 2, 3)
    left_out = parse(SHIPPED | more)  # which models do not list
    assert (left_out.classes, left_out.all_classes.count) == (CONTEST, 36)


def test_cells_to_mix_are_of_the_genders_that_there_are():
    classes = SHIPPED["classes"] | {"gender": ["man", "woman"]}
    cells = [["woman", 30, 39], ["any", 57, 60]]
    mixed = parse(SHIPPED | {"classes": classes, "age": SHIPPED["age"] | {"mixing_cells": cells}})
    assert mixed.sections["age"].mixing_cells == [("woman", 30, 39), ("any", 57, 60)]
    with pytest.raises(UserError, match=r"age.mixing_cells: 'female' is no gender; there are man, woman, any"):
        parse(SHIPPED | {"classes": classes, "age": SHIPPED["age"] | {"mixing_cells": [["female", 30, 39]]}})


def test_painted_photos_need_a_painter():
    with pytest.raises(UserError, match=r"paint.sets: \[\] paints nothing, and data.root is 'data/painted'; set it to"):
        parse(changed("data.root", "data/painted"))
