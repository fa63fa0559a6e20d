"""A user's mistake stops a run with one clear line, exit status 1 and nothing half-written; never with a traceback."""
import os
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


@pytest.mark.parametrize("stage, out, key, value, named", [
    ("index", "data/given.csv", "age__loss", "focall", "age.loss = 'focall'"),
    ("split", "data/folds.csv", "gender__backbone", "resnet9000", "gender.backbone: 'resnet9000'"),
    ("crop", "data/faces/faces.json", "mask__augment", ["cutout"], "mask.augment.0 = 'cutout'"),
    ("combine", "reports/submission.csv", "age__warmup", 3, "age.warmup: 3 epochs and schedule: 'one_cycle'"),
    ("evaluate", "reports/metrics.json", "crop__margin", -1, "crop.margin = -1"),
])
def test_a_wrong_parameter_stops_every_stage_whichever_it_is_of(own, stage, out, key, value, named):
    own.set(**{key: value, "combine__vote": "hard", "split__seed": 1})
    before = (own.root / out).read_bytes()
    assert named in said(own.python(f"stages.{stage}"))
    assert (own.root / out).read_bytes() == before


def test_with_dvc_a_wrong_parameter_stops_the_first_stage_that_runs(own):
    own.set(age__loss="focall", combine__vote="hard")
    (own.root / "reports/submission.csv").unlink()
    assert "age.loss = 'focall'" in said(own.sh("dvc", "repro", "--single-item", "combine"))
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


def test_a_pipe_among_the_photos_is_named_before_dvc_reads_it_for_ever(own):
    pipe = own.root / "data/sample/train/images/pipe.jpg"
    os.mkfifo(pipe)
    assert said(own.python("tools.check")).startswith("error: data/sample/train/images/pipe.jpg: a pipe, a socket or a device")
    pipe.rename(own.root / "elsewhere")
    pipe.symlink_to(own.root / "elsewhere")
    assert "pipe.jpg: a pipe, a socket or a device" in said(own.python("tools.check"))
    pipe.unlink()
    pipe.symlink_to("nowhere")  # index lists it
    assert own.python("tools.check").returncode == 0


def test_a_list_that_was_left_out_is_named_by_make_where_dvc_says_unexpected_error(own):
    own.set(refit=None)
    assert said(own.python("tools.check")) == "error: params.yaml: refit: null is no list; an empty one is []"


def test_a_missing_table_is_named(own):
    own.set(data__table="people.csv")
    assert "data.table: 'data/sample/people.csv' is no file" in said(own.python("tools.check"))
    assert "data/sample/people.csv: no such file" in said(own.python("stages.index"))


def test_photos_whose_layout_is_not_clear_are_named_by_make_before_dvc_hashes_them(own):
    for folder in ("mine/male", "mine/female"):
        (own.root / folder).mkdir(parents=True)
        shutil.copy(next((own.root / "data/sample/eval/images").glob("*.jpg")), own.root / folder / "20_0_1_2017.jpg")
    own.set(data__root="mine")
    for command in ("tools.check", "stages.index"):
        assert "mine: its layout may be utkface (2 of 2 photos" in (line := said(own.python(command)))
        assert line.endswith("say which in data.layout of params.yaml")
    own.set(data__layout="folders")
    assert own.python("tools.check").returncode == 0


def test_fewer_people_than_folds(own):
    own.set(split__n_folds=50)
    before = (own.root / "data/folds.csv").read_bytes()
    assert "split.n_folds: 50 folds for 12 people" in said(own.python("stages.split"))
    assert (own.root / "data/folds.csv").read_bytes() == before


def test_a_device_that_is_not_there(own):
    own.set(machine__device="cuda:99")
    assert "machine.device: 'cuda:99' is not there" in said(own.python("stages.detect"))


def test_a_person_of_an_age_out_of_range_is_left_out_and_said(own):
    table = own.root / "data/sample/train/train.csv"
    people = pd.read_csv(table, dtype=str)
    people.loc[3, "age"] = "121"
    people.to_csv(table, index=False)
    done = own.python("stages.index")
    assert f"train/images/{people.path[3]}/incorrect_mask.jpg: age is '121'; allowed are whole years" in done.stdout
    assert done.returncode == 0
    assert not set(pd.read_csv(own.root / "data/unused.csv").file) & set(pd.read_csv(own.root / "data/photos.csv").photo)


@pytest.fixture(scope="module")
def mine(ran, tmp_path_factory):
    """A run of one's own photos: the sample's under other names, given by a table, and a correction of nobody.

    Two photos are broken, `held_out` and `to_label`.
    """
    project = ran.copy(tmp_path_factory.mktemp("mine") / "project")
    photos = pd.read_csv(project.root / "data/photos.csv", dtype=str, keep_default_na=False)
    given = pd.read_csv(project.root / "data/given.csv", dtype=str)
    rows = photos.merge(given.drop(columns="person"), on="photo", how="left").fillna("")
    rows["new"] = [f"people/{i:04d}{photo[photo.rindex('.'):]}" for i, photo in enumerate(rows.photo)]
    (project.root / "mine/people").mkdir(parents=True)
    for old, new in zip(rows.photo, rows.new):
        shutil.copy(project.root / "data/sample" / old, project.root / "mine" / new)
    rows["person"] = rows.person.factorize()[0].astype(str)
    table = rows[["new", "person", "mask", "gender", "age", "part"]].rename(columns={"new": "photo"})
    table.to_csv(project.root / "mine/labels.csv", index=False)
    (project.root / "data/corrections/mine.csv").write_text(
        "person,attribute,old,new,source\nnobody,gender,male,female,a test\n")
    project.set(data__root="mine", data__table="labels.csv", labels__corrections="data/corrections/mine.csv",
                crop__aspect=0.75, age__class_weights="balanced")
    for stage in ("index", "split"):
        assert project.python(f"stages.{stage}").returncode == 0
    folds = pd.read_csv(project.root / "data/folds.csv", dtype=str)
    project.held_out = table.photo[(table.part == "train") & table.person.isin(folds.person[folds.fold == "0"])].iloc[0]
    project.to_label = table.photo[table.part == "eval"].iloc[3]
    for photo in (project.held_out, project.to_label):
        (project.root / "mine" / photo).write_bytes(b"not a photo")
    project.repro()
    return project


def test_ones_own_photos_run_from_a_table_and_every_one_to_label_has_its_row(mine):
    table, answers = (pd.read_csv(mine.root / file) for file in ("mine/labels.csv", "reports/submission.csv"))
    assert list(answers.ImageID) == list(table.photo[table.part == "eval"])


def test_broken_photos_are_listed_and_counted_and_the_run_goes_on(mine):
    lost = pd.read_csv(mine.root / "data/unreadable.csv")
    assert dict(zip(lost.photo, lost.part)) == {mine.held_out: "train", mine.to_label: "eval"}
    metrics = yaml.safe_load((mine.root / "reports/metrics.json").read_text())
    assert metrics["unreadable"] == {"train": 1, "eval": 1}
    assert metrics["photos"] == 7 * metrics["people"] - 1


def test_a_correction_of_nobody_is_said_and_the_run_goes_on(mine):
    assert list(pd.read_csv(mine.root / "data/corrected/gender.csv").outcome) == ["no such person"]
