"""The command lists what is suspected, says who was judged, and writes a file that labels.corrections takes."""
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from stages.core.classes import CONTEST
from stages.core.errors import UserError
from stages.evaluation.label_issues import find_label_issues
from tests.evaluation.test_label_issues import crowd, flipped
from tools.label_issues import check_same, describe


def test_the_counts_are_those_of_the_judged():
    given, combined = crowd(30)
    years = ["20", "27", "32", "33", "36", "57", "62", "63", "40", "45"] * 3
    wrong = flipped(given.assign(age=np.repeat(years, 7)), ["0001"])
    judged = wrong[wrong.person < "0010"]
    rows = find_label_issues(combined[combined.photo < "0010"], wrong, wrong, CONTEST)
    some = SimpleNamespace(folds=[0], split=SimpleNamespace(n_folds=3), classes=CONTEST)
    text = describe(rows, judged, wrong, some).splitlines()
    assert text[0] == "judged: 10 of 30 people to train on, 70 photos; the models learnt from the others, " \
        "and folds: [0, 1, 2] would judge everyone"
    assert text[1] == "gender: 1 people suspected"
    assert "; 4 of all are so near 30 or 60" in text[2]
    assert text[3] == "mask: 0 photos suspected"
    everyone = SimpleNamespace(folds=[0, 1, 2], split=SimpleNamespace(n_folds=3), classes=CONTEST)
    assert "no photo of the others could be read" in describe(rows, judged, wrong, everyone)
    assert describe(rows, wrong, wrong, some).splitlines()[0] == "judged: 30 of 30 people to train on, 210 photos"


def test_a_file_of_an_earlier_run_is_one_line():
    with pytest.raises(UserError, match=r"data/x: a.jpg is not in data/photos.csv any more; run dvc repro again"):
        check_same("data/x", ["b.jpg", "a.jpg"], ["b.jpg"])


def test_the_command_writes_a_file_that_corrections_take(own):
    done = own.python("tools.label_issues", "--out", "data/corrections/mine.csv", "--twins", "data/twins.csv")
    assert done.returncode == 0, done.stderr
    rows, pairs = pd.read_csv(own.root / "data/corrections/mine.csv"), pd.read_csv(own.root / "data/twins.csv")
    assert f"data/corrections/mine.csv: {len(rows)} rows" in done.stdout
    assert f"data/twins.csv: {len(pairs)} pairs" in done.stdout
    own.set(labels__corrections="data/corrections/mine.csv")
    for attribute in CONTEST.values:
        done = own.python("stages.labels", attribute)
        assert done.returncode == 0, done.stderr
        became = pd.read_csv(own.root / f"data/corrected/{attribute}.csv")
        assert became.outcome.str.startswith("applied to").all()
    before = (own.root / "data/corrections/mine.csv").read_bytes()
    done = own.python("tools.label_issues", "--out", "data/corrections/mine.csv")
    assert (done.returncode, (own.root / "data/corrections/mine.csv").read_bytes()) == (1, before)
    assert done.stderr.startswith("error: --out: data/corrections/mine.csv is labels.corrections")
    (own.root / "data/faces/faces.json").unlink()
    done = own.python("tools.label_issues")
    assert done.returncode == 1
    assert done.stderr == "error: data/faces/faces.json: no such file; `dvc repro` makes what earlier stages write\n"
