"""Photos from outside are labelled as the pipeline labels them, and every one has its row."""
import shutil

import numpy as np
import pandas as pd
import pytest

from stages.core.classes import CLASSES
from stages.evaluation.breakdown import confidence


def label(project, *words) -> pd.DataFrame:
    done = project.python("tools.label", *words, "--out", "out.csv")
    assert done.returncode == 0, done.stderr
    return pd.read_csv(project.root / "out.csv", dtype={"class": "Int64"})


def submitted(project) -> pd.Series:
    return pd.read_csv(project.root / "reports/submission.csv").set_index("ImageID").ans


@pytest.mark.parametrize("changes", [
    {},
    pytest.param({"combine__decision": "offsets", "predict__age__views": "flip", "folds": [0, 1]}, marks=pytest.mark.slow),
    pytest.param({"models": ["mask", "gender", "age", "joint"], "refit": ["age"], "combine__vote": "hard"},
                 marks=pytest.mark.slow),
])
def test_photos_get_the_labels_that_the_pipeline_gives_them(own, changes):
    if changes:
        own.set(**changes)
        own.repro("combine")
    table = label(own, "data/sample/eval/images")
    assert table.set_index(table.photo.str.rsplit("/", n=1).str[1])["class"].to_dict() == submitted(own).to_dict()
    names = table["mask"] + "_" + table.gender + "_" + table.age
    assert names.tolist() == np.array(CLASSES)[table["class"]].tolist()
    combined = pd.read_parquet(own.root / "data/combined.parquet").set_index("photo")
    voted = combined.loc[table.photo.str.removeprefix("data/sample/")]
    for attribute in ("mask", "gender", "age"):
        assert table[f"p_{attribute}"].tolist() == pytest.approx(confidence(voted, attribute).tolist(), abs=2e-4)


def test_every_photo_has_a_row_and_other_files_are_counted(own):
    folder = own.root / "new"
    (folder / "deeper").mkdir(parents=True)
    photos = sorted((own.root / "data/sample/eval/images").iterdir())
    shutil.copy(photos[0], folder / "a.jpg")
    shutil.copy(photos[1], folder / "deeper/b.jpg")
    (folder / "broken.jpg").write_text("no photo")
    (folder / "notes.txt").write_text("no photo")
    done = own.python("tools.label", "new", "new/a.jpg")
    assert done.returncode == 0, done.stderr
    assert "not photos, by their names: 1" in done.stdout
    table = pd.read_csv(own.root / "labels.csv").set_index("photo")
    assert sorted(table.index) == ["new/a.jpg", "new/broken.jpg", "new/deeper/b.jpg"]
    assert table.found["new/broken.jpg"] == "unreadable"
    assert table["class"].isna().to_dict() == {"new/a.jpg": False, "new/broken.jpg": True, "new/deeper/b.jpg": False}


def test_nothing_but_the_table_is_written(own):
    before = own.sh("dvc", "status").stdout, own.sh("git", "status", "--short").stdout
    label(own, "data/sample/eval/images")
    (own.root / "out.csv").unlink()
    assert (own.sh("dvc", "status").stdout, own.sh("git", "status", "--short").stdout) == before


def test_a_name_that_is_no_text_is_named_before_anything_runs(own):
    (own.root / "new").mkdir()
    with open(bytes(own.root / "new") + b"/caf\xe9.jpg", "w"):
        pass
    done = own.python("tools.label", "new")
    assert (done.returncode, done.stderr) == (1, "error: new/caf\\xe9.jpg: the name is not UTF-8; rename it\n")


@pytest.mark.parametrize("words, said", [
    (["nowhere"], "nowhere: no such file or folder"),
    (["recipes"], "recipes: no photos"),
])
def test_a_path_without_photos_is_named_in_one_line(own, words, said):
    done = own.python("tools.label", *words)
    assert done.returncode == 1
    assert done.stderr == f"error: {said}\n"


def test_a_photo_or_a_folder_is_no_table(own):
    photo = next((own.root / "data/sample/eval/images").iterdir())
    before = photo.read_bytes()
    for out in ("reports", str(photo)):
        done = own.python("tools.label", str(photo), "--out", out)
        assert (done.returncode, done.stderr) == (1, f"error: --out: {out}: name a file that ends in .csv\n")
    assert photo.read_bytes() == before


@pytest.mark.parametrize("key, value, said", [
    ("crop__margin", 0.5, "crop.margin: 0.5, and the models learnt from crops made with 0.25"),
    ("detect__min_face", 40, "detect.min_face: 40, "),
])
def test_faces_that_the_models_did_not_learn_from_are_refused(own, key, value, said):
    own.set(**{key: value})
    done = own.python("tools.label", "data/sample/eval/images")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: params.yaml: {said}")


def test_a_model_that_is_not_there_is_named(own):
    shutil.rmtree(own.root / "models/age/0")
    done = own.python("tools.label", "data/sample/eval/images")
    assert done.returncode == 1
    assert done.stderr == "error: models/age/0: no trained model; run dvc repro, or dvc pull\n"
