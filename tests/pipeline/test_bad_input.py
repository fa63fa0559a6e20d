"""A user's mistake stops a run with one clear line, exit status 1 and nothing half-written; never with a traceback."""
import shutil

import pandas as pd
import pytest
import yaml


def said(done) -> str:
    """The one line of a command that failed as it should."""
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return line


@pytest.mark.parametrize("key, value, named", [
    ("age__loss", "focall", "age.loss = 'focall'"),
    ("gender__backbone", "resnet9000", "gender.backbone: 'resnet9000'"),
    ("mask__augment", ["cutout"], "mask.augment.0 = 'cutout'"),
    ("age__warmup", 3, "age.warmup: 3 epochs and schedule: 'one_cycle'"),
    ("crop__margin", -1, "crop.margin = -1"),
])
def test_a_wrong_parameter_stops_the_first_stage_that_runs_whichever_it_is(own, key, value, named):
    own.set(**{key: value, "combine__vote": "hard"})
    (own.root / "reports/submission.csv").unlink()
    assert named in said(own.sh("dvc", "repro", "--single-item", "combine"))
    assert not (own.root / "reports/submission.csv").exists()


def test_no_data_is_said_by_dvc_and_by_make(own):
    own.set(data__root="data/contest")
    done = own.sh("dvc", "repro")
    assert done.returncode != 0
    assert "data/contest" in done.stderr
    assert "Traceback" not in done.stderr
    assert "data.root: 'data/contest' is no folder" in said(own.python("tools.check"))


@pytest.mark.parametrize("root", [".", "data", "data/faces"])
def test_a_root_of_photos_that_holds_what_stages_write_is_named(own, root):
    own.set(data__root=root)
    assert f"data.root: '{root}' holds what the stages write" in said(own.python("tools.check"))


def test_a_photo_where_a_stage_would_delete_it_is_named_by_make(own):
    (own.root / "data/faces/me.jpg").write_bytes(b"mine")
    assert "data/faces: data/faces/me.jpg is no file of the stage crop" in said(own.python("tools.check"))
    (own.root / "data/faces/me.jpg").rename(own.root / "data/faces/.faces.npy.part")  # what a stage that was killed leaves
    assert own.python("tools.check").returncode == 0


def test_a_missing_table_is_named(own):
    own.set(data__table="people.csv")
    assert "data.table: 'data/sample/people.csv' is no file" in said(own.python("tools.check"))
    assert "data/sample/people.csv: no such file" in said(own.python("stages.index"))


def test_fewer_people_than_folds(own):
    own.set(split__n_folds=50)
    before = (own.root / "data/folds.csv").read_bytes()
    assert "split.n_folds: 50 folds for 12 people" in said(own.python("stages.split"))
    assert (own.root / "data/folds.csv").read_bytes() == before


def test_a_device_that_is_not_there(own):
    own.set(machine__device="cuda:99")
    assert "machine.device: 'cuda:99' is not there" in said(own.python("stages.detect"))


def test_an_age_out_of_range_in_train_csv(own):
    table = own.root / "data/sample/train/train.csv"
    people = pd.read_csv(table, dtype=str)
    people.loc[3, "age"] = "121"
    people.to_csv(table, index=False)
    assert f"age of {people.path[3]} is '121'" in said(own.python("stages.index"))


def test_broken_photos_and_corrections_are_listed_and_counted_and_the_run_goes_on(own):
    """One run with a broken photo in each part, junk, and corrections that do not match."""
    photos = pd.read_csv(own.root / "data/photos.csv", dtype=str, keep_default_na=False)
    folds = pd.read_csv(own.root / "data/folds.csv", dtype=str)
    held_out = photos[photos.person.isin(folds.person[folds.fold == "0"])].photo.iloc[0]
    to_label = photos[photos.part == "eval"].photo.iloc[3]
    shutil.copytree(own.root / "data/sample", own.root / "data/broken")
    for photo in (held_out, to_label):
        (own.root / "data/broken" / photo).write_bytes(b"not a photo")
    (own.root / "data/corrections/mine.csv").write_text("person,attribute,old,new,source\nnobody,gender,male,female,a test\n")
    own.set(data__root="data/broken", labels__corrections="data/corrections/mine.csv")
    own.repro()

    lost = pd.read_csv(own.root / "data/unreadable.csv")
    assert dict(zip(lost.photo, lost.part)) == {held_out: "train", to_label: "eval"}
    answers = pd.read_csv(own.root / "reports/submission.csv")
    assert list(answers.ImageID) == list(pd.read_csv(own.root / "data/broken/eval/info.csv").ImageID)
    metrics = yaml.safe_load((own.root / "reports/metrics.json").read_text())
    assert metrics["unreadable"] == {"train": 1, "eval": 1}
    assert metrics["photos"] == 7 * metrics["people"] - 1
    outcome = pd.read_csv(own.root / "data/corrected/gender.csv").outcome
    assert list(outcome) == ["no such person"]


def test_ones_own_photos_run_from_a_table(own):
    """The sample's photos under other names, given by a table."""
    photos = pd.read_csv(own.root / "data/photos.csv", dtype=str, keep_default_na=False)
    given = pd.read_csv(own.root / "data/given.csv", dtype=str)
    rows = photos.merge(given.drop(columns="person"), on="photo", how="left").fillna("")
    rows["new"] = [f"people/{i:04d}{photo[photo.rindex('.'):]}" for i, photo in enumerate(rows.photo)]
    for old, new in zip(rows.photo, rows.new):
        (own.root / "mine/people").mkdir(parents=True, exist_ok=True)
        shutil.copy(own.root / "data/sample" / old, own.root / "mine" / new)
    rows["person"] = rows.person.factorize()[0].astype(str)
    table = rows[["new", "person", "mask", "gender", "age", "part"]].rename(columns={"new": "photo"})
    table.to_csv(own.root / "mine/labels.csv", index=False)
    own.set(data__root="mine", data__table="labels.csv", crop__aspect=0.75, age__class_weights="balanced")
    own.repro()
    answers = pd.read_csv(own.root / "reports/submission.csv")
    assert list(answers.ImageID) == list(table.photo[table.part == "eval"])
