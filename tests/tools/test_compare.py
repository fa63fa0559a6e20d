"""A difference is called real as often as it is: paired, over people, and over seeds where there are several."""
import re

import numpy as np
import pandas as pd
import pytest

from stages.core.classes import CONTEST, make_classes
from stages.core.errors import UserError
from stages.core.metrics import macro_f1
from stages.evaluation.bootstrap import interval
from tools.compare import check_people, common_classes, draws_of, on_labels_of, report, score_of

CELLS = [0.14, 0.18, 0.08, 0.22, 0.28, 0.10]  # gender x age group of the people


def crowd(rng, people: int) -> pd.DataFrame:
    """Photos of people as the contest has them: seven each, five with a mask; nobody has guessed yet."""
    cell = np.repeat(np.sort(rng.choice(6, people, p=CELLS)), 7)
    masks = np.tile([0, 0, 0, 0, 0, 1, 2], people)
    person = np.repeat(np.arange(people), 7)
    return pd.DataFrame({"photo": np.arange(7 * people), "person": person, "true": CONTEST.encode(masks, cell // 3, cell % 3)})


def guessed(table: pd.DataFrame, rng, hard: np.ndarray, skill: float) -> pd.DataFrame:
    """Labels of a system: a person who is `hard` (0 to 1, by person) is taken for the next age group more often."""
    wrong = rng.random(len(table)) < hard[table.person] * (1 - skill)
    return table.assign(guess=np.where(wrong, table.true - table.true % 3 + (table.true + 1) % 3, table.true))


def test_a_run_differs_from_itself_by_nothing():
    rng = np.random.default_rng(0)
    table = guessed(crowd(rng, 60), rng, rng.random(60), 0.4)
    draws = draws_of([table], 0, CONTEST)["f1"] - draws_of([table.copy()], 1, CONTEST)["f1"]
    assert (draws == 0).all()
    assert "+0.0000 (+0.0000 to +0.0000)" in report({"a": [table], "b": [table.copy()]}, CONTEST)


def test_shuffled_labels_are_a_clear_loss():
    rng = np.random.default_rng(1)
    table = guessed(crowd(rng, 100), rng, rng.random(100), 0.5)
    shuffled = table.assign(guess=rng.permutation(table.guess))
    _, high = interval(draws_of([shuffled], 0, CONTEST)["f1"] - draws_of([table], 1, CONTEST)["f1"])
    assert high < -0.1
    [line] = [line for line in report({"a": [table], "b": [shuffled]}, CONTEST).splitlines() if line.startswith("18 classes")]
    assert line.endswith("*")


@pytest.mark.parametrize("samples, least, most", [(40, 0.8, 1), pytest.param(500, 0.93, 0.97, marks=pytest.mark.slow)])
def test_intervals_hold_the_true_difference_as_often_as_they_say(samples, least, most):
    """Of 300 people from one population, whose difference is that of 60,000 of them."""
    def two_systems(rng, people):
        hard = rng.beta(0.6, 0.9, people)
        table = crowd(rng, people)
        return guessed(table, rng, hard, 0.1), guessed(table, rng, hard, 0.25)

    a, b = two_systems(np.random.default_rng(99), 60_000)
    true = macro_f1(b.true, b.guess, 18) - macro_f1(a.true, a.guess, 18)
    held = []
    for seed in range(samples):
        a, b = two_systems(np.random.default_rng(seed), 300)
        low, high = interval(draws_of([b], 0, CONTEST, 500)["f1"] - draws_of([a], 1, CONTEST, 500)["f1"])
        held.append(low <= true <= high)
    assert least <= np.mean(held) <= most


def test_seeds_that_differ_widen_the_interval_and_count_by_their_mean():
    rng = np.random.default_rng(2)
    table, hard = crowd(rng, 200), rng.random(200)
    seeds = [guessed(table, np.random.default_rng(seed), hard, skill) for seed, skill in enumerate([0.1, 0.5, 0.9])]
    assert score_of(seeds, CONTEST)["f1"] == pytest.approx(np.mean([macro_f1(t.true, t.guess, 18) for t in seeds]))
    wide, narrow = interval(draws_of(seeds, 0, CONTEST)["f1"]), interval(draws_of(seeds[1:2], 0, CONTEST)["f1"])
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])
    assert "over people and seeds (one seed of b)," in report({"a": seeds, "b": seeds[:1]}, CONTEST)
    assert "over people and seeds," in report({"a": seeds, "b": seeds[1:]}, CONTEST)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_draws_of_few_seeds_vary_as_their_mean_does(count):
    """Of seeds that are right on different shares of a very large crowd, whose people add next to nothing."""
    rng = np.random.default_rng(5)
    table, skills = crowd(rng, 4000), np.linspace(0.1, 0.9, count)
    seeds = [guessed(table, np.random.default_rng(seed), np.ones(4000), skill) for seed, skill in enumerate(skills)]
    each = [macro_f1(seed.true, seed.guess, 18) for seed in seeds]
    assert draws_of(seeds, 0, CONTEST)["f1"].std() == pytest.approx(np.std(each, ddof=1) / count ** 0.5, rel=0.1)


def test_people_who_went_from_wrong_to_right_are_counted():
    rng = np.random.default_rng(3)
    table = crowd(rng, 10)
    right = table.assign(guess=table.true)
    wrong = right.assign(guess=np.where(table.person < 3, (table.true + 1) % 18, table.true))
    text = report({"a": [wrong], "b": [right]}, CONTEST)
    assert "70 photos of 10 people, of whom 3 went from wrong to right and 0 back" in text


def relabelled(table: pd.DataFrame) -> pd.DataFrame:
    """With other labels of the first person's seven photos."""
    return table.assign(true=table.true.where(table.person > 0, (table.true + 1) % 18))


def test_other_people_or_other_labels_cannot_be_compared_and_the_line_says_what_to_type():
    table = crowd(np.random.default_rng(4), 10).assign(guess=0)
    fewer = table[table.person < 9].reset_index(drop=True)
    with pytest.raises(UserError, match="a and b scored different photos: 63 of 70 and 63 in common; give runs of one split "
                                        "and fold, or compare these alone: python -m tools.compare a b --labels b$"):
        check_people({"a": table}, {"b": fewer})
    with pytest.raises(UserError, match="give runs of one split and fold$"):
        check_people({"a": table[table.person > 8].reset_index(drop=True)}, {"b": fewer})
    with pytest.raises(UserError, match="a and c were scored by different labels of 7 photos; score both by those of one, "
                                        "c or a: python -m tools.compare a,b c --labels c$"):
        check_people({"a": table, "b": table}, {"c": relabelled(table)})


def test_revisions_that_label_photos_as_something_else_are_not_compared(monkeypatch):
    other = {"a2": make_classes(CONTEST.values, (30, 60)), "b": make_classes(CONTEST.values, (20, 40, 60)),
             "c": CONTEST.only(["gender", "age"]), "moved": make_classes(CONTEST.values, (28, 60))}
    monkeypatch.setattr("tools.compare.classes_at", ({"a": CONTEST} | other).get)
    assert common_classes(["a", "a2"]) == CONTEST
    with pytest.raises(UserError, match=r"^a labels photos by mask, gender, age \(18 classes\), and b by mask, gender, age "
                                        r"\(24\): their scores are of other things$"):
        common_classes(["a", "a2", "b"])
    with pytest.raises(UserError, match=r"^c labels photos by gender, age \(6 classes\), and a by mask, gender, age \(18\)"):
        common_classes(["c", "a"])
    with pytest.raises(UserError, match="their scores are of other things"):
        common_classes(["a", "moved"])


@pytest.mark.parametrize("revision, scores", [("old", (1, 0)), ("new", (0, 1))])
def test_runs_of_different_labels_are_both_scored_by_those_of_the_one_named(revision, scores):
    """Each run labels all photos as its own labels say; the seven photos that differ are all of their classes."""
    table = crowd(np.random.default_rng(4), 10)
    table["true"] = np.where(table.person == 0, 4, 7)
    table["guess"] = table.true
    new = relabelled(table).assign(guess=relabelled(table).true)
    a, b, said = on_labels_of(revision, {"old": table}, {"new": new})
    assert a["old"].true.equals(b["new"].true)
    assert [(t.true == t.guess)[t.person == 0].mean() for t in (a["old"], b["new"])] == list(scores)
    other = {"old": "new", "new": "old"}[revision]
    assert said == (f"scored by the labels of {revision}: 70 photos compared, 0 left out that not all runs have; "
                    f"7 have another label in {other}")


def test_photos_that_not_all_runs_have_are_left_out_and_counted():
    rng = np.random.default_rng(4)
    table = guessed(crowd(rng, 10), rng, rng.random(10), 0.5)
    first, last = (table[people].reset_index(drop=True) for people in (table.person < 8, table.person > 1))
    a, b, said = on_labels_of("a2", {"a1": table, "a2": first}, {"b": last})
    assert {tuple(t.person.unique()) for t in (*a.values(), *b.values())} == {(2, 3, 4, 5, 6, 7)}
    want = table.guess[table.person.between(2, 7)].tolist()
    assert all(t.guess.tolist() == want for t in (*a.values(), *b.values()))
    assert "42 photos compared, 28 left out that not all runs have; 0 have another label in a1; 0 have" in said
    check_people(a, b)


def test_labels_of_no_run_compared_and_runs_without_a_photo_in_common_are_one_line():
    table = crowd(np.random.default_rng(4), 10).assign(guess=0)
    with pytest.raises(UserError, match="--labels: 'c' is none of the revisions compared, a, b"):
        on_labels_of("c", {"a": table}, {"b": table})
    with pytest.raises(UserError, match="a, b: no photo was scored by all of them"):
        on_labels_of("a", {"a": table[table.person < 5]}, {"b": table[table.person > 4]})


def test_the_command_that_the_refusal_names_compares_a_run_with_corrected_labels(own):
    """The workspace's labels after a correction of one person's gender; what the networks said stays."""
    file = own.root / "reports/plots/labels.csv"
    labels = pd.read_csv(file, dtype=str)
    of_one = labels.person == labels.person[0]
    swap = {"male": "female", "female": "male"}
    labels.loc[of_one, "class_true"] = [re.sub("female|male", lambda m: swap[m[0]], name) for name in
                                        labels.class_true[of_one]]
    labels.to_csv(file, index=False)
    done = own.python("tools.compare", "HEAD", "workspace")
    [line] = done.stderr.splitlines()
    assert f"different labels of {of_one.sum()} photos" in line
    done = own.python(*line.split("python -m ")[1].split())
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("+0.0000 (+0.0000 to +0.0000)") == 4
    assert done.stdout.splitlines()[-1] == (f"scored by the labels of workspace: {len(labels)} photos compared, 0 left out "
                                            f"that not all runs have; {of_one.sum()} have another label in HEAD")
    assert own.python("tools.compare", "--labels", "HEAD", "HEAD", "workspace").returncode == 0
    assert own.python("tools.compare", "HEAD", "--labels", "HEAD", "workspace").returncode == 0


@pytest.mark.slow
def test_experiments_and_the_workspace_are_compared_by_name(own):
    done = own.sh("dvc", "exp", "run", "-n", "hard", "-S", "combine.vote=hard")
    assert done.returncode == 0, done.stderr
    done = own.python("tools.compare", "HEAD", "hard")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("18 classes")
    same = own.python("tools.compare", "hard", "workspace")
    assert same.stdout.count("+0.0000 (+0.0000 to +0.0000)") == 4


@pytest.mark.parametrize("words, named", [
    (("HEAD", "nowhere"), "error: nowhere: its reports/plots/labels.csv cannot be had"),
    (("HEAD",), "error: needs A B, and got HEAD"),
    (("HEAD", "workspace", "--labels", "x"), "error: --labels: 'x' is none of the revisions compared, HEAD, workspace"),
    (("HEAD,HEAD", "workspace"), "error: 'HEAD,HEAD': names HEAD twice"),
    ((",", "HEAD"), "error: ',': names no revision"),
    (("HEAD~1", "HEAD"), "error: HEAD~1: its reports/plots/labels.csv cannot be had"),
])
def test_a_revision_without_results_is_one_line(own, words, named):
    done = own.python("tools.compare", *words)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(named)
