"""Experiments are found by name, and what git cannot answer is one line."""
import pytest

from stages.core.classes import CONTEST
from stages.core.errors import UserError
from tests.sections import SHIPPED
from tools.shared.revisions import classes_of, git, kept_labels, params_at, revisions


def committed(epochs: int, monkeypatch) -> str:
    """Commit other parameters on a day of its own; the commit."""
    with open("params.yaml", "w") as file:
        print(f"age: {{epochs: {epochs}}}", file=file)
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"2026-01-0{epochs}T00:00:00")
    git("add", "params.yaml")
    git("-c", "user.name=name", "-c", "user.email=name@example.org", "commit", "-m", "parameters")
    return git("rev-parse", "HEAD")


def keep(commit: str, name: str) -> None:
    """Name a commit as DVC names an experiment's."""
    git("update-ref", f"refs/exps/{commit[:2]}/{commit[2:]}/{name}", commit)


def test_of_two_experiments_of_one_name_the_later_counts(here, monkeypatch):
    git("init")
    first, second = committed(1, monkeypatch), committed(2, monkeypatch)
    for commit, name in ((second, "focal"), (first, "focal"), (first, "offsets")):
        keep(commit, name)
    git("update-ref", "refs/exps/exec/EXEC_HEAD", second)
    assert revisions() == {"focal": second, "offsets": first}
    assert params_at(revisions()["focal"]) == {"age": {"epochs": 2}}


def test_a_folder_that_is_no_repository_is_one_line(here):
    with pytest.raises(UserError, match=r"^git for-each-ref: fatal: not a git repository[^\n]*$"):
        revisions()


def test_columns_of_a_kept_table_are_no_experiments(here):
    (here / "reports").mkdir()
    (here / "reports/final-labels.csv").write_text("photo,person,true,base\na.jpg,ann,3,4\n")
    assert kept_labels("base").values.tolist() == [["a.jpg", "ann", 3, 4]]
    assert [kept_labels(name) for name in ("photo", "person", "true", "other")] == [None] * 4


def test_a_revision_labels_photos_as_what_its_models_learn_and_an_old_one_as_the_contest_does():
    assert classes_of(SHIPPED) == classes_of(SHIPPED | {"models": ["joint"]}) == CONTEST
    assert classes_of(SHIPPED | {"models": ["gender", "age"]}) == CONTEST.only(["gender", "age"])
    assert classes_of({key: value for key, value in SHIPPED.items() if key != "classes"}) == CONTEST
    four = classes_of(SHIPPED | {"classes": SHIPPED["classes"] | {"age": [20, 40, 60]}})
    assert four.count == 24 and four.borders == (20, 40, 60)
