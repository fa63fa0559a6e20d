"""A change reruns the stages that depend on it, and no others. DVC names only the first stale stage, so these run."""
import csv
import shutil

import pytest
import yaml

MODELS = ("mask", "gender", "age")
AFTER_TRAINING = {"combine", "evaluate", "report"}
LABELS = {f"labels@{m}" for m in MODELS}


def models(*names: str, fold: int = 0) -> set[str]:
    return {f"{stage}@{name}-{fold}" for stage in ("train", "predict") for name in names}


def test_a_second_run_runs_nothing(ran):
    assert ran.repro() == set()


EVERYTHING = {"sample", "index", "split", "detect", "crop"} | LABELS | models(*MODELS) | AFTER_TRAINING
CHANGES = {  # section: (a parameter of it, what it reruns)
    "models": ({"models": ["mask", "gender", "age", "age2"]},
               {"labels@age2"} | models("age2") | AFTER_TRAINING),
    "refit": ({"refit": ["age"]}, {"refit@age", "predict_refit@age"} | AFTER_TRAINING),
    "folds": ({"folds": [0, 1]}, models(*MODELS, fold=1) | AFTER_TRAINING),
    "sample": ({"sample__seed": 1}, EVERYTHING),
    "data": ({"data__root": "data/other"}, {"index", "detect", "crop"}),  # combine tracks data.table alone
    "labels": ({"labels__corrections": "data/corrections/contest.csv"}, LABELS),
    "split": ({"split__seed": 1}, {"split"} | models(*MODELS) | AFTER_TRAINING),
    "detect": ({"detect__max_bad": 7}, {"detect"}),
    "crop": ({"crop__margin": 0.5}, {"crop"} | models(*MODELS) | AFTER_TRAINING),
    "mask": ({"mask__augment": "r4_mask"}, models("mask") | AFTER_TRAINING),
    "gender": ({"gender__lr": 0.01}, models("gender") | AFTER_TRAINING),
    "age": ({"age__loss": "focal"}, models("age") | AFTER_TRAINING),
    "joint": ({"joint__loss": "focal"}, set()),  # models does not list it
    "predict": ({"predict__age__views": "flip"}, {"predict@age-0"} | AFTER_TRAINING),
    "combine": ({"combine__vote": "hard"}, AFTER_TRAINING),
    "machine": ({"machine__workers": 1}, set()),
}


def test_every_section_of_params_yaml_is_changed_here(ran):
    assert CHANGES.keys() == yaml.safe_load((ran.root / "params.yaml").read_text()).keys()


@pytest.mark.parametrize("section", CHANGES)
def test_a_parameter_reruns_what_depends_on_its_section_alone(own, section):
    change, reruns = CHANGES[section]
    params = yaml.safe_load((own.root / "params.yaml").read_text())
    if section == "models":  # a second model of an attribute is one more name and one more section
        change = change | {"age2": params["age"] | {"seed": 1}, "predict__age2": params["predict"]["age"]}
    if section == "data":  # the same photos in another folder
        shutil.copytree(own.root / "data/sample", own.root / "data/other")
    own.set(**change)
    assert own.repro() == reruns


@pytest.mark.parametrize("change", [{"age__mixing": "cutmix"}, {"age__sampler": "cell"}, {"age__augment": ["flip", "noise"]},
                                    {"age__ema": 0.9, "age__schedule": "cosine", "age__head_layers": 2}])
def test_how_age_is_trained_reruns_the_age_stages_alone(own, change):
    own.set(**change)
    assert own.repro() == models("age") | AFTER_TRAINING


def test_a_joint_model_is_one_more_model_and_may_stand_alone(own):
    own.set(models=[*MODELS, "joint"])
    assert own.repro() == {"labels@joint"} | models("joint") | AFTER_TRAINING
    own.set(models=["joint"])
    assert own.repro() == AFTER_TRAINING
    own.set(joint__head="classes18")
    assert own.repro() == models("joint") | AFTER_TRAINING


def test_pseudo_labels_of_age_rerun_the_age_stages_alone(own):
    done = own.python("tools.pseudo_label", "workspace", "age", "--confidence", "0")
    assert done.returncode == 0, done.stderr
    own.set(age__pseudo="data/pseudo/workspace-age.csv")
    assert own.repro() == LABELS | models("age") | AFTER_TRAINING


def correct(own, attribute: str) -> None:
    """Write data/corrections/mine.csv: a correction of one label of the first person."""
    with open(own.root / "data/given.csv", newline="") as file:
        row = next(csv.DictReader(file))
    old = "bare" if attribute == "mask" else row[attribute]  # everybody has a bare photo
    new = {"bare": "incorrect", "male": "female", "female": "male"}.get(old) or (45 if int(old) < 30 else 25)
    with open(own.root / "data/corrections/mine.csv", "w", newline="") as file:
        csv.writer(file).writerows([["person", "attribute", "old", "new", "source"],
                                    [row["person"], attribute, old, new, "a test"]])


@pytest.mark.parametrize("attribute", MODELS)
def test_a_corrected_label_reruns_only_what_follows_the_labels_of_its_attribute(own, attribute):
    correct(own, attribute)
    own.set(labels__corrections="data/corrections/mine.csv")
    assert own.repro() == LABELS | models(attribute) | AFTER_TRAINING


@pytest.mark.parametrize("module, reruns", [
    ("voting/vote", {"combine"}),
    ("modeling/multitask", models(*MODELS) | {"report"}),
    ("modeling/losses", models(*MODELS) | {"report"}),
    ("faces/boxes", {"detect", "crop"}),
])
def test_an_edited_module_reruns_the_stages_that_import_it(own, module, reruns):
    with open(own.root / f"stages/{module}.py", "a") as file:
        file.write("\n# edited\n")
    assert own.repro() == reruns
