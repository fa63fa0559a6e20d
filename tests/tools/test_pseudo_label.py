"""Pseudo labels come from a named experiment, where it was sure, and of the photos to label alone."""
import numpy as np
import pandas as pd
import pytest

from stages.core.classes import CONTEST
from tests.sections import section
from tools.pseudo_label import confident_labels


@pytest.fixture
def combined():
    """Two photos to label and one of the training part, all of class worn_male_under30 or bare_male_under30."""
    chances = np.zeros((3, 18))
    chances[:, 0], chances[:, 12] = [0.9, 0.5, 0.9], [0.1, 0.5, 0.1]
    table = pd.DataFrame(chances, columns=[f"class_{i}" for i in range(18)])
    return table.assign(photo=list("abc"), part=["eval", "eval", "train"])


@pytest.mark.parametrize("model, confidence, want", [
    ("age", 0.99, [("a", "under30", 1), ("b", "under30", 1)]),
    ("mask", 0.9, [("a", "worn", 0.9)]),
    ("mask", 0.95, []),
    ("joint", 0.8, [("a", CONTEST.names[0], 0.9)]),
    ("joint", 0.5, [("a", CONTEST.names[0], 0.9), ("b", CONTEST.names[0], 0.5)]),
])
def test_only_what_the_model_learns_has_to_be_sure(combined, model, confidence, want):
    got = confident_labels(combined, section(model), CONTEST, confidence)
    assert list(got.itertuples(index=False, name=None)) == [(*row[:2], pytest.approx(row[2])) for row in want]


@pytest.mark.parametrize("changes, said", [({}, False), ({"folds": [0, 1]}, True), ({"refit": ["age"]}, True)])
def test_labels_of_models_that_learnt_from_everyone_are_said_to_flatter(own, changes, said):
    own.set(**changes)
    done = own.python("tools.pseudo_label", "workspace", "age")
    assert done.returncode == 0, done.stderr
    assert ("flatter the score" in done.stdout) == said


@pytest.mark.slow
def test_an_earlier_experiment_is_read_by_its_name_and_its_labels_are_learnt(own):
    done = own.sh("dvc", "exp", "run", "-n", "first", "-S", "age.lr=0.01")
    assert done.returncode == 0, done.stderr
    first = pd.read_parquet(own.root / "data/combined.parquet").set_index("photo")
    own.git("stash", "-q")  # the workspace goes on with something else
    done = own.python("tools.pseudo_label", "first", "gender", "--confidence", "0")
    assert done.returncode == 0, done.stderr
    file = own.root / "data/pseudo/first-gender.csv"
    labels = pd.read_csv(file)
    male = first.loc[labels.photo, [f"class_{i}" for i in range(18) if i // 3 % 2 == 0]].sum(axis=1)
    assert list(labels.label) == ["male" if chance >= 0.5 else "female" for chance in male]
    assert f"{len(labels)} of {len(labels)} photos" in done.stdout
    own.set(gender__pseudo="data/pseudo/first-gender.csv")
    assert own.python("stages.labels", "gender").returncode == 0
    assert list(pd.read_csv(own.root / "data/extra/gender.csv").photo) == list(labels.photo)


@pytest.mark.parametrize("words, named", [
    (("nowhere", "age"), "error: nowhere: its data/combined.parquet cannot be had"),
    (("workspace", "hair"), "error: params.yaml: 'hair' is no model's section; there are mask, gender, age, joint"),
    (("workspace", "age", "--confidence", "90"), "error: --confidence: 90.0 is not between 0 and 1"),
])
def test_what_cannot_be_is_one_line(own, words, named):
    done = own.python("tools.pseudo_label", *words)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(named)
    assert not list((own.root / "data/pseudo").glob("*.csv"))


def test_a_joint_model_is_as_confident_as_in_its_least_certain_attribute():
    """The product of three probabilities of .9 is .73, and would leave hardly any photo."""
    joint = np.einsum("a,b,c->abc", [0.9, 0.05, 0.05], [0.9, 0.1], [0.92, 0.04, 0.04]).reshape(1, -1)
    table = pd.DataFrame(joint, columns=[f"class_{i}" for i in range(18)]).assign(photo="a", part="eval")
    [row] = confident_labels(table, section("joint"), CONTEST, 0.85).itertuples(index=False, name=None)
    assert row == ("a", CONTEST.names[0], pytest.approx(0.9))
