"""Other attributes and values than the contest's, and photos with a part of the labels, go all the way without code."""
import json

import pandas as pd
import pytest
import yaml

from stages.core.classes import make_classes

GLASSES = {"mask": ["worn", "incorrect", "bare"], "glasses": ["without", "with"], "gender": ["male", "female"],
           "age": [25, 40, 60]}


def save_table(project) -> pd.DataFrame:
    """The sample's photos as a table, with a fourth attribute, and a third of each attribute's labels missing."""
    given = pd.read_csv(project.root / "data/given.csv", dtype=str)
    given = given.assign(glasses=given.person.str[5].map(lambda digit: ("without", "with")[int(digit) % 2]), part="train")
    for i, attribute in enumerate(GLASSES):
        given.loc[given.index % 6 == i, attribute] = ""
    photos = pd.read_csv(project.root / "data/photos.csv", dtype=str, keep_default_na=False)
    table = pd.concat([given, photos.loc[photos.part == "eval", ["photo", "part"]]]).fillna("")
    table.to_csv(project.root / "data/sample/mine.csv", index=False)
    return given


def learn_glasses(project) -> None:
    """A model of the fourth attribute, with the section of the mask's."""
    values = yaml.safe_load((project.root / "params.yaml").read_text())
    values |= {"glasses": values["mask"] | {"attribute": "glasses"}, "models": ["mask", "glasses", "gender", "age"]}
    values["predict"]["glasses"] = values["predict"]["mask"]
    values["classes"] = GLASSES
    values["data"]["table"] = "mine.csv"
    (project.root / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))


@pytest.fixture(scope="module")
def wide(ran, tmp_path_factory):
    """A run by four attributes, 3 x 2 x 2 x 4 classes, of photos whose labels are partly missing, and its bundle."""
    project = ran.copy(tmp_path_factory.mktemp("wide") / "project")
    given = save_table(project)
    learn_glasses(project)
    for words in (["index"], *(["labels", name] for name in GLASSES), ["split"], ["detect"], ["crop"],
                  *([stage, name, "0"] for name in GLASSES for stage in ("train", "predict")),
                  ["combine"], ["evaluate"], ["report"]):
        done = project.python(f"stages.{words[0]}", *words[1:])
        assert done.returncode == 0, done.stderr
    return project, given, done


def test_the_scores_are_of_all_classes_and_count_the_photos_whose_labels_are_known(wide):
    project, given, _ = wide
    metrics = json.loads((project.root / "reports/metrics.json").read_text())
    classes = make_classes(GLASSES, (25, 40, 60))
    assert list(metrics["f1_by_class"]) == list(classes.names)
    assert metrics["classes"] == 3 * 2 * 2 * 4
    folds = pd.read_csv(project.root / "data/folds.csv", dtype=str).set_index("person").fold
    held_out = given[given.person.map(folds) == "0"]
    for attribute in GLASSES:
        assert metrics[attribute]["photos"] == (held_out[attribute] != "").sum()
    assert metrics["photos"] == (held_out[list(GLASSES)] != "").all(axis=1).sum()


def test_the_submission_and_the_page_have_the_same_classes(wide):
    project, _, _ = wide
    answers = pd.read_csv(project.root / "reports/submission.csv")
    combined = pd.read_parquet(project.root / "data/combined.parquet").set_index("photo")
    names = [f"class_{i}" for i in range(48)]
    best = combined.loc[answers.ImageID, names].to_numpy().argmax(1)
    assert answers.ans.tolist() == best.tolist()
    page = (project.root / "reports/index.html").read_text()
    assert "Mask, glasses, gender and age from a face photo" in page
    assert "macro F1\nover 48 classes" in page
    assert page.count("25to39") > 3


def test_an_attribute_that_no_model_learns_is_left_out_of_the_classes(own):
    own.set(models=["gender", "age"])
    for stage in ("combine", "evaluate", "report"):
        done = own.python(f"stages.{stage}")
        assert done.returncode == 0, done.stderr
    metrics = json.loads((own.root / "reports/metrics.json").read_text())
    assert metrics["classes"] == 6
    assert set(metrics["interval"]) == {"f1", "gender", "age"}
    assert pd.read_csv(own.root / "reports/submission.csv").ans.between(0, 5).all()
    done = own.python("tools.compare", "HEAD", "workspace")
    assert done.stderr == ("error: HEAD labels photos by mask, gender, age (18 classes), and workspace by gender, age (6): "
                           "their scores are of other things\n")


def test_without_a_photo_that_has_all_labels_the_attributes_have_scores_and_the_classes_none(own):
    for name, photos in (("mask", slice(0, None, 2)), ("age", slice(1, None, 2))):
        labels = pd.read_csv(own.root / f"data/labels/{name}.csv", dtype=str)
        labels.loc[photos, name] = ""
        labels.to_csv(own.root / f"data/labels/{name}.csv", index=False)
    for stage in ("combine", "evaluate", "report"):
        done = own.python(f"stages.{stage}")
        assert done.returncode == 0, done.stderr
        if stage == "evaluate":
            assert "no photo has labels of all attributes, so 18 classes (mask x gender x age) have no score" in done.stdout
    metrics = json.loads((own.root / "reports/metrics.json").read_text())
    assert metrics["f1"] is None and metrics["photos"] == 0
    assert all(metrics[attribute]["photos"] for attribute in ("mask", "gender", "age"))
    done = own.python("tools.baseline")
    assert done.stderr == "error: data/labels: no photo has labels of all of mask, gender, age; nothing to score\n"
    done = own.python("tools.compare", "workspace", "HEAD")
    assert done.stderr == ("error: workspace: no photo that it scored has labels of all of mask, gender, age, so its 18 "
                           "classes have no score\n")


def test_masks_alone_are_classes_too(own):
    values = yaml.safe_load((own.root / "params.yaml").read_text())
    values = {key: value for key, value in values.items() if key not in ("gender", "age", "joint")} | {"models": ["mask"]}
    for section in ("classes", "predict"):
        values[section] = {"mask": values[section]["mask"]}
    (own.root / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    for words in (["index"], ["labels", "mask"], ["split"], ["train", "mask", "0"], ["predict", "mask", "0"], ["combine"],
                  ["evaluate"], ["report"]):
        done = own.python(f"stages.{words[0]}", *words[1:])
        assert done.returncode == 0, done.stderr
    metrics = json.loads((own.root / "reports/metrics.json").read_text())
    assert metrics["classes"] == 3 and metrics["f1"] == metrics["mask"]["f1"]
    assert pd.read_csv(own.root / "reports/submission.csv").ans.between(0, 2).all()
