"""Words are read as values where nobody would read them otherwise."""
import pytest

from stages.core.classes import CONTEST, OLDEST
from stages.readers.values import part_of_shard, range_of, read_part, read_value


@pytest.mark.parametrize("word, years", [
    ("0", "0"), ("33", "33"), ("33.0", "33"), ("120", "120"), ("0-2", "1"), ("20-29", "24"), ("20 – 29", "24"),
    ("20_29", "24"), ("20to29", "24"), ("20 to 29", "24"), ("60+", "60"), ("60plus", "60"), ("60 and over", "60"),
    ("over 59", "60"), ("more than 59", "60"), (">70", "70"), ("more than 70", "70"), ("under30", "14"), ("<30", "14"),
    ("below 10", "4"), ("30to59", "44"), ("30-59", "44"), ("60-120", "90")])
def test_an_age_or_a_range_is_one_year_in_its_group(word, years):
    assert read_value(word, "age", CONTEST) == years
    if found := range_of(word, CONTEST):
        assert set(CONTEST.age_group(list(found[:2]))) == {CONTEST.age_group(int(years))}


@pytest.mark.parametrize("word", ["-1", "121", "1990", "33.5", "nan", "inf", "25-34", "20+", "under 40", "over 58", "29-20",
                                  "100-130", "under 0", "thirty", "1e99", "20-30-40", "<", "+", "9" * 400])
def test_what_is_no_age_or_in_two_groups_is_none(word):
    assert read_value(word, "age", CONTEST) is None


def test_years_are_never_older_than_the_oldest():
    assert read_value(str(OLDEST + 1), "age", CONTEST) is None


@pytest.mark.parametrize("attribute", ["mask", "gender", "age"])
def test_an_empty_cell_is_missing(attribute):
    assert read_value("", attribute, CONTEST) == ""


@pytest.mark.parametrize("word, part", [("train", "train"), ("Val", "train"), ("validation", "train"), ("test", "eval"),
                                        ("eval", "eval"), ("holdout", None), ("", None), ("1", None)])
def test_validation_is_training_and_test_is_not(word, part):
    assert read_part(word) == part


@pytest.mark.parametrize("photo, part", [
    ("data/train-00000-of-00002.parquet/7", "train"), ("validation-0.tar/a/b.jpg", "train"), ("test/0000.parquet/1", "eval"),
    ("shard-train.tar/a.jpg", ""), ("x.tar/test/a.jpg", "eval"), ("tests.tar/a.jpg", "")])
def test_the_name_of_a_shard_says_its_part_by_its_first_word(photo, part):
    assert part_of_shard(photo) == part
