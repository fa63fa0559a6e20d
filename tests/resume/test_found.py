"""A killed detection goes on, a new photo costs only itself, and what is noted is never of another photo or setting."""
import json

import pandas as pd
import pytest

from stages.core.params import read_params
from stages.resume.found import Found
from stages.resume.key import key_of
from tests.conftest import ROOT

MD5S = ["a" * 32, "b" * 32, "c" * 32]
ROWS = [("mtcnn", 1, 2, 3, 4, 0.1 + 0.2, 1, ""), ("center", 5, 6, 7, 8, 0.0, 0, ""),
        ("unreadable", "", "", "", "", "", 0, "bad")]

pytestmark = pytest.mark.usefixtures("here")


def test_what_is_noted_comes_back_and_only_the_rest_is_found():
    assert list(Found("a").together(MD5S[:2], ROWS[:2])) == ROWS[:2]
    again = Found("a")
    assert list(again.together(MD5S, ROWS[2:])) == ROWS
    assert list(Found("a").together(MD5S[::-1], ROWS[2:])) == ROWS[::-1]


def test_a_photo_that_could_not_be_read_is_read_again():
    """The disk may have been at fault."""
    list(Found("a").together(MD5S, ROWS))
    now = [*ROWS[:2], ("mtcnn", 1, 1, 9, 9, 0.9, 1, "")]
    assert list(Found("a").together(MD5S, now[2:])) == now


def test_what_was_found_is_noted_where_the_caller_stops_early():
    rows = Found("a").together(MD5S, ROWS)
    next(rows), next(rows)
    rows.close()
    assert len(Found("a").rows) == 2


def test_what_a_kill_cut_off_is_found_again(here):
    list(Found("a").together(MD5S, ROWS))
    file = here / "data/.resume/faces-a.txt"
    file.write_bytes(file.read_bytes()[:-4])
    assert list(Found("a").together(MD5S, ROWS[1:])) == ROWS
    assert list(Found("a").together(MD5S, ROWS[2:])) == ROWS


def test_another_key_begins_anew_and_leaves_nothing(here):
    list(Found("a").together(MD5S, ROWS))
    assert Found("b").rows == {}
    assert not list((here / "data/.resume").glob("faces-a*"))


def test_the_key_is_of_the_parameters_and_of_what_chooses_an_algorithm(monkeypatch):
    p = read_params(ROOT / "params.yaml").detect
    first = key_of(p, "cpu")
    assert key_of(p, "cpu") == first
    assert key_of(p, "cuda") != first
    assert key_of(p.model_copy(update={"min_face": 11}), "cpu") != first
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    assert key_of(p, "cpu") != first


@pytest.mark.slow
def test_detect_goes_on_in_the_same_bytes(own, ran):
    [file] = (own.root / "data/.resume").glob("faces-*.txt")
    whole = file.read_bytes().splitlines(True)
    file.write_bytes(b"".join(whole[:40]) + whole[40][:20])
    md5s = pd.read_csv(own.root / "data/photos.csv").md5
    known = md5s.isin([json.loads(line[9:])[0] for line in whole[:40]]).sum()
    done = own.python("stages.detect")
    assert f"{known} of {len(md5s)} photos have their faces from an earlier run, in {file.relative_to(own.root)}" in done.stdout
    for name in ("boxes.csv", "unreadable.csv"):
        assert (own.root / "data" / name).read_bytes() == (ran.root / "data" / name).read_bytes()
    done = own.python("stages.detect")
    assert f"{len(md5s)} of {len(md5s)} photos have their faces" in done.stdout
