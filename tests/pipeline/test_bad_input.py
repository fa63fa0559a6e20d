"""A user's mistake stops a run with one clear line and nothing half-written, soon and in little memory; never with a traceback.

tests/pipeline/bad_input.py lists the mistakes; below are those that need DVC, a pipe or a whole run.
"""
import ast
import os
import re
import shutil

import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT
from tests.pipeline.bad_input import CASES
from tests.pipeline.refusals import Workshop, change, output_of


@pytest.fixture(scope="module")
def workshop(exported, tmp_path_factory) -> Workshop:
    return Workshop(exported.root, tmp_path_factory.mktemp("workshop") / "project")


@pytest.mark.parametrize("command, changes, line", CASES, ids=[f"{i}-{command}" for i, (command, *_) in enumerate(CASES)])
def test_a_mistake_ends_in_one_line_and_leaves_nothing_half_written(workshop, command, changes, line):
    try:
        change(workshop.root, changes)
        status, _, err = output_of(workshop.root, command)
    finally:
        others = workshop.mend()
    *_, last = err.splitlines()
    assert status in (1, 2)
    assert err.count("error: ") == last.count("error: ")
    assert re.fullmatch(re.escape(line).replace(r"\.\.\.", ".*"), last.removeprefix("error: ")), last
    changed = ["params.yaml", *(path.removeprefix("./").rstrip("/") for path in changes if "/" in path)]
    assert [path for path in others if not any(path == own or path.startswith(f"{own}/") for own in changed)] == []


REFUSALS = {"UserError", "BundleError", "Refused", "Unreadable", "YAMLError", "Wrong"}


def texts_of(node: ast.AST) -> list[str]:
    """The fixed parts of the texts in a piece of code; parts that stand side by side are one."""
    return [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def refusals() -> list[tuple[str, list[str]]]:
    """Place and fixed parts of each text that the code refuses something with."""
    out = []
    for file in sorted(path for folder in ("stages", "labeller", "tools") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            call = node.exc if isinstance(node, ast.Raise) else None
            name = getattr(getattr(call, "func", None), "id", getattr(getattr(call, "func", None), "attr", ""))
            if name in REFUSALS or (name == "ValueError" and file.name in ("params.py", "model_params.py")):
                out.append((f"{file.relative_to(ROOT)}:{node.lineno}", [text for text in texts_of(call) if len(text) > 7]))
    return out


def test_every_refusal_of_the_code_is_in_a_test():
    said = "\n".join(text for file in (ROOT / "tests").rglob("*.py") for text in texts_of(ast.parse(file.read_text())))
    said = said.replace("\\", "")  # of regular expressions
    sites = refusals()
    assert len(sites) > 200
    assert [place for place, parts in sites if parts and not any(part.strip()[:30] in said for part in parts)] == []


def said(done) -> str:
    """The one line of a command that failed as it should."""
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return line


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


def test_a_photo_where_a_stage_would_delete_it_is_named_by_make(own):
    (own.root / "data/faces/me.jpg").write_bytes(b"mine")
    assert "data/faces: data/faces/me.jpg is no file of the stage crop" in said(own.python("tools.check"))
    (own.root / "data/faces/me.jpg").rename(own.root / "data/faces/.0000.npy.part")  # what a stage that was killed leaves
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
