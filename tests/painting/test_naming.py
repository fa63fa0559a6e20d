"""Any person and photo has a file name of its own that every system takes."""
import re

import pytest

from stages.painting.naming import folder_of, name_of, suffix_of


@pytest.mark.parametrize("person", ["000101_male_Asian_22", "a/b c", "../..", ".hidden", "\udcff", "x" * 300, "a" * 60 + "/",
                                    "", "김"])
def test_a_person_has_one_plain_folder(person):
    assert re.fullmatch(r"[\w-]{1,70}", folder_of(person))
    assert not folder_of(person).startswith(".")


def test_people_and_photos_that_look_alike_have_names_of_their_own():
    assert len({folder_of(person) for person in ("a b", "a/b", "a_b", "a  b", "")}) == 5
    assert len({name_of(photo, "a", "well1", ".jpg") for photo in ("x/1.jpg", "y/1.jpg", "x/1.png", "x.tar/1.jpg")}) == 4


@pytest.mark.parametrize(("data", "suffix"), [(b"\xff\xd8\xff", ".jpg"), (b"\x89PNG\r\n", ".png"), (b"RIFF1234WEBP", ".webp"),
                                              (b"BM1", ".bmp")])
def test_a_photo_without_a_name_has_the_suffix_of_its_format(data, suffix):
    assert suffix_of(data) == suffix
