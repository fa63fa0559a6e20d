"""A change reruns the stages that depend on it, and no others.

DVC itself is asked what it would run: `dvc repro --dry --force-downstream` names what a change makes stale and all that
follows. A change of each kind is run, too: then a stage that gives what it gave before ends the chain.
"""
import csv
import os

import pytest
import yaml
from dvc.repo import Repo

MODELS = ("mask", "gender", "age")
AFTER_TRAINING = {"combine", "evaluate", "report"}
LABELS = {f"labels@{m}" for m in MODELS}
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep")  # DVC's own
slow = pytest.mark.slow


def models(*names: str, fold: int = 0) -> set[str]:
    return {f"{stage}@{name}-{fold}" for stage in ("train", "predict") for name in names}


ALL_BUT_SAMPLE = {"index", "split", "detect", "crop"} | LABELS | models(*MODELS) | AFTER_TRAINING
CHANGES = {  # section: (a parameter of it, what it can rerun)
    "models": ({"models": ["mask", "gender", "age", "age2"]},
               {"labels@age2"} | models("age2") | AFTER_TRAINING),
    "refit": ({"refit": ["age"]}, {"refit@age", "predict_refit@age"} | AFTER_TRAINING),
    "folds": ({"folds": [0, 1]}, models(*MODELS, fold=1) | AFTER_TRAINING),
    "classes": ({"classes__mask": ["worn", "incorrect", "bare", "other"]}, ALL_BUT_SAMPLE),
    "sample": ({"sample__seed": 1}, {"sample"} | ALL_BUT_SAMPLE),
    "paint": ({"paint__seed": 1}, set()),  # paint.sets lists nothing
    "data": ({"data__root": "data/other"}, ALL_BUT_SAMPLE),
    "labels": ({"labels__corrections": "data/corrections/contest.csv"}, LABELS | models(*MODELS) | AFTER_TRAINING),
    "split": ({"split__seed": 1}, {"split"} | models(*MODELS) | AFTER_TRAINING),
    "detect": ({"detect__max_bad": 7}, {"detect", "crop"} | models(*MODELS) | AFTER_TRAINING),
    "crop": ({"crop__margin": 0.5}, {"crop"} | models(*MODELS) | AFTER_TRAINING),
    "training": ({"training__ema": 0.9}, models(*MODELS) | AFTER_TRAINING),
    "mask": ({"mask__augment": "r4_mask"}, models("mask") | AFTER_TRAINING),
    "gender": ({"gender__lr": 0.01}, models("gender") | AFTER_TRAINING),
    "age": ({"age__loss": "focal"}, models("age") | AFTER_TRAINING),
    "joint": ({"joint__loss": "focal"}, set()),  # models does not list it
    "predict": ({"predict__age__views": "flip"}, {"predict@age-0"} | AFTER_TRAINING),
    "combine": ({"combine__vote": "hard"}, AFTER_TRAINING),
    "export": ({"export__licence": "CC0"}, set()),  # no stage of dvc.yaml
    "machine": ({"machine__workers": 1}, set()),
}
PACKAGES = {  # package: what an edit of it can rerun; DVC runs everything after the first of them
    "stages/core": {"sample"} | ALL_BUT_SAMPLE,
    "stages/synthetic": {"sample"} | ALL_BUT_SAMPLE,
    "stages/readers": ALL_BUT_SAMPLE,
    "stages/shards": ALL_BUT_SAMPLE,
    "stages/painting": set(),
    "stages/engine": {"detect", "crop"} | models(*MODELS) | AFTER_TRAINING,
    "stages/resume": ALL_BUT_SAMPLE,
    "stages/faces": {"detect", "crop"} | models(*MODELS) | AFTER_TRAINING,
    "labeller/faces": {"detect", "crop"} | models(*MODELS) | AFTER_TRAINING,
    "labeller/inputs": ALL_BUT_SAMPLE,
    "stages/modeling": models(*MODELS) | AFTER_TRAINING,
    "stages/voting": AFTER_TRAINING,
    "labeller/voting": AFTER_TRAINING,
    "stages/evaluation": AFTER_TRAINING,
    "stages/reporting": {"report"},
    "stages/exporting": set(),
    "labeller": set(),
    "labeller/service": set(),
}


@pytest.fixture(scope="module")
def copied(ran, tmp_path_factory):
    """A copy of the project that ran, for all questions of this file."""
    project = ran.copy(tmp_path_factory.mktemp("asked") / "project")
    (project.root / "data/other").mkdir()  # whatever lies there
    return project


@pytest.fixture
def asked(copied, monkeypatch):
    """The same, whose parameters and modules are as they were again after the test."""
    code = [file for folder in ("stages", "labeller") for file in (copied.root / folder).rglob("*.py")]
    before = {file: file.read_bytes() for file in (copied.root / "params.yaml", *code)}
    monkeypatch.chdir(copied.root)
    yield copied
    for file, content in before.items():
        if file.read_bytes() != content:
            file.write_bytes(content)


def would_run(project) -> set[str]:
    """What `dvc repro` would run, if everything came out otherwise."""
    with Repo(str(project.root)) as repo:
        return {stage.addressing.split(":")[-1] for stage in repo.reproduce(dry=True, force_downstream=True)}


def edit(project, module: str) -> None:
    with open(project.root / f"{module}.py", "a") as file:
        file.write("\n# edited\n")


def second_age_model(project) -> dict:
    """A second model of an attribute is one more name and one more section."""
    params = yaml.safe_load((project.root / "params.yaml").read_text())
    return {"models": [*MODELS, "age2"], "age2": params["age"] | {"seed": 1}, "predict__age2": params["predict"]["age"]}


def test_a_second_run_runs_nothing(ran):
    assert ran.repro() == set()


def test_every_section_of_params_yaml_is_changed_here(ran):
    assert CHANGES.keys() == yaml.safe_load((ran.root / "params.yaml").read_text()).keys()


def test_every_package_is_edited_here(ran):
    folders = ("stages/*", "labeller", "labeller/*")
    packages = [file.parent for folder in folders for file in ran.root.glob(f"{folder}/__init__.py")]
    assert PACKAGES.keys() == {str(package.relative_to(ran.root)) for package in packages}


@pytest.mark.parametrize("section", CHANGES)
def test_a_parameter_reruns_what_depends_on_its_section_alone(asked, section):
    change, reruns = CHANGES[section]
    asked.set(**(second_age_model(asked) if section == "models" else change))
    assert would_run(asked) == reruns


@pytest.mark.parametrize("package", PACKAGES)
def test_an_edited_package_reruns_the_stages_that_import_it_and_those_after_them(asked, package):
    edit(asked, f"{package}/__init__")
    assert would_run(asked) == PACKAGES[package]


def test_a_joint_model_is_one_more_model_and_may_stand_alone(asked):
    asked.set(models=[*MODELS, "joint"])
    assert would_run(asked) == {"labels@joint"} | models("joint") | AFTER_TRAINING
    asked.set(models=["joint"])
    assert would_run(asked) == {"labels@joint"} | models("joint") | AFTER_TRAINING


def correct(project, attribute: str) -> None:
    """Write data/corrections/mine.csv: a correction of one label of the first person."""
    with open(project.root / "data/given.csv", newline="") as file:
        row = next(csv.DictReader(file))
    old = "bare" if attribute == "mask" else row[attribute]  # everybody has a bare photo
    new = {"bare": "incorrect", "male": "female", "female": "male"}.get(old) or (45 if int(old) < 30 else 25)
    with open(project.root / "data/corrections/mine.csv", "w", newline="") as file:
        csv.writer(file).writerows([["person", "attribute", "old", "new", "source"],
                                    [row["person"], attribute, old, new, "a test"]])


@pytest.mark.parametrize("attribute", MODELS)
def test_a_corrected_label_reruns_only_what_follows_the_labels_of_its_attribute(own, monkeypatch, attribute):
    correct(own, attribute)
    own.set(labels__corrections="data/corrections/mine.csv")
    assert own.repro(*LABELS) == LABELS
    monkeypatch.chdir(own.root)
    assert would_run(own) == models(attribute) | AFTER_TRAINING


def test_another_value_of_the_mask_writes_all_labels_and_makes_the_mask_model_alone_stale(own, monkeypatch):
    own.set(classes__mask=["worn", "incorrect", "bare", "other"])
    assert own.repro("split", *LABELS) == {"index", "split"} | LABELS
    monkeypatch.chdir(own.root)
    assert would_run(own) == models("mask") | AFTER_TRAINING


def test_pseudo_labels_of_age_rerun_the_age_stages_alone(own, monkeypatch):
    done = own.python("tools.pseudo_label", "workspace", "age", "--confidence", "0")
    assert done.returncode == 0, done.stderr
    own.set(age__pseudo="data/pseudo/workspace-age.csv")
    assert own.repro(*LABELS) == LABELS
    monkeypatch.chdir(own.root)
    assert would_run(own) == models("age") | AFTER_TRAINING


@slow
def test_what_a_changed_training_reruns_and_what_it_leaves_alone(own):
    own.set(age__loss="focal", age__mixing="cutmix", age__sampler="cell", age__augment=["flip", "noise"], age__ema=0.9,
            age__schedule="cosine", age__head_layers=2)
    assert own.repro() == models("age") | AFTER_TRAINING


@slow
def test_other_crops_train_every_model_anew(own):
    own.set(crop__margin=0.5)
    assert own.repro() == {"crop"} | models(*MODELS) | AFTER_TRAINING


@slow
def test_a_corrected_gender_trains_the_gender_model_anew(own):
    correct(own, "gender")
    own.set(labels__corrections="data/corrections/mine.csv")
    assert own.repro() == LABELS | models("gender") | AFTER_TRAINING


@slow
def test_another_value_of_the_mask_trains_the_mask_model_alone(own):
    own.set(classes__mask=["worn", "incorrect", "bare", "other"])
    done = own.repro()
    assert {stage for stage in done if stage.startswith("train")} == {"train@mask-0"}
    assert not done & {"detect", "crop"}


@slow
def test_one_model_more_trains_no_other_model_anew(own):
    own.set(**second_age_model(own))
    assert own.repro() == {"labels@age2"} | models("age2") | AFTER_TRAINING


@slow
def test_a_joint_model_is_trained_beside_the_others_or_in_their_stead(own):
    own.set(models=[*MODELS, "joint"])
    assert own.repro("combine") == {"labels@joint"} | models("joint") | {"combine"}
    own.set(models=["joint"])
    assert own.repro("combine") == {"combine"}
    own.set(joint__head="classes")
    assert own.repro() == models("joint") | AFTER_TRAINING


@slow
def test_an_edit_that_changes_no_result_ends_where_it_begins(own):
    edit(own, "labeller/faces/boxes")
    edit(own, "labeller/voting/vote")
    assert own.repro() == {"detect", "crop", "combine"}


@slow
def test_the_same_photos_in_another_folder_are_read_anew_and_nothing_more(own):
    os.rename(own.root / "data/sample", own.root / "data/other")
    own.set(data__root="data/other")
    assert own.repro() == {"index", "detect", "crop"}  # combine tracks data.table alone


def test_the_order_of_the_lines_that_dvc_keeps_in_gitignore_reruns_nothing(own):
    """They stand in the order in which stages first ran, in folders that other stages depend on."""
    for file in ("data/labels/.gitignore", "data/corrected/.gitignore"):
        lines = (own.root / file).read_text().splitlines()
        assert len(lines) > 1
        (own.root / file).write_text("\n".join(reversed(lines)) + "\n")
    assert own.repro() == set()
