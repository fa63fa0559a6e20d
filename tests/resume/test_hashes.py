"""A photo or a shard is read once, and again only where it changed; what is noted is never of another version."""
import os
from types import SimpleNamespace

import pytest

from stages.resume.hashes import NOWHERE, mark_of, md5s_of

LETTERS = "abcdefgh"


@pytest.fixture
def read(here):
    """A function that gives the MD5s of batches of files in this folder, and the paths that it had to read."""
    def md5s(batches: list[list[tuple[str, list[str]]]], notes=here / "notes.txt") -> tuple[list[str], list[str]]:
        paths = []

        def reader(found):
            for path in found:
                paths.append(str(path))
                yield path.name[0] * 32

        return list(md5s_of([[(here / name, photos) for name, photos in batch] for batch in batches], reader, notes)), \
            [os.path.relpath(path, here) for path in paths]

    for letter in LETTERS:
        (here / letter).write_text(letter)
    return md5s


LOOSE = [[("a", [""]), ("b", [""])], [("c", [""])]]
SHARD = [[("d", ["x.jpg", "y.jpg", "z.jpg"])]]


def test_each_photo_is_read_once_and_noted(read):
    first, paths = read(LOOSE + SHARD)
    assert paths == ["a", "b", "c", "d/x.jpg", "d/y.jpg", "d/z.jpg"]
    assert [md5[0] for md5 in first] == list("abcxyz") and {len(md5) for md5 in first} == {32}
    assert read(LOOSE + SHARD) == (first, [])
    assert read(SHARD + LOOSE[::-1]) == ([*first[3:], first[2], *first[:2]], [])


def test_a_new_photo_and_a_new_shard_cost_only_themselves(read):
    first, _ = read(LOOSE + SHARD)
    again, paths = read([[("a", [""]), ("e", [""]), ("b", [""])], [("c", [""])], *SHARD, [("f", ["x.jpg"])]])
    assert paths == ["e", "f/x.jpg"]
    assert [again[0], *again[2:7]] == first


@pytest.mark.parametrize("change", [
    lambda file: file.write_text("longer"),
    lambda file: (file.write_text("D"), os.utime(file, ns=(1, 1))),
    lambda file: os.utime(file, ns=(0, 0)),
    lambda file: (file.rename(f"{file}2"), file.write_text("d")),
])
def test_a_file_that_changed_is_read_again(read, here, change):
    read(LOOSE + SHARD)
    change(here / "d")
    assert read(LOOSE + SHARD)[1] == ["d/x.jpg", "d/y.jpg", "d/z.jpg"]
    assert read(LOOSE + SHARD)[1] == []


@pytest.mark.parametrize("field", ["st_size", "st_mtime_ns", "st_ctime_ns", "st_ino"])
def test_each_of_what_tells_versions_apart_counts(monkeypatch, field):
    seen = {"st_size": 1, "st_mtime_ns": 2, "st_ctime_ns": 3, "st_ino": 4}
    marks = []
    for value in (seen[field], 5):
        monkeypatch.setattr("os.stat", lambda path, now=seen | {field: value}: SimpleNamespace(**now))
        marks.append(mark_of("x", [""]))
        monkeypatch.undo()
    assert marks[0] != marks[1]


def test_a_shard_with_other_photos_is_read_again(read):
    """As where another column of labels refuses some."""
    read(SHARD)
    assert read([[("d", ["x.jpg", "z.jpg"])]])[1] == ["d/x.jpg", "d/z.jpg"]


def test_what_was_read_before_a_kill_is_noted(read, here):
    with pytest.raises(KeyError):
        for md5 in md5s_of([[(here / "a", [""])], [(here / "b", [""])]], lambda paths: [{"a": "a" * 32}[p.name] for p in paths],
                           here / "notes.txt"):
            assert md5 == "a" * 32
    notes = here / "notes.txt"
    notes.write_bytes(notes.read_bytes() + b"0123")
    assert read(LOOSE)[1] == ["b", "c"]
    assert read(LOOSE)[1] == []


def test_a_damaged_note_is_none(read, here):
    read(LOOSE)
    notes = here / "notes.txt"
    data = notes.read_bytes()
    at = data.index(b"bbbb")
    notes.write_bytes(data[:at] + b"c" + data[at + 1:])
    assert read(LOOSE)[1] == ["b"]


def test_notes_of_files_that_are_gone_go_too(read, here):
    for batches, kept in ((LOOSE + SHARD, True), (LOOSE[1:], False)):
        read(batches)
        assert (f'{here}/d"'.encode() in (here / "notes.txt").read_bytes()) is kept
    assert read(LOOSE[1:])[1] == []


def test_notes_of_files_that_change_do_not_pile_up(read, here):
    for turn in range(20):
        os.utime(here / "a", ns=(turn, turn))
        assert read(LOOSE)[1] == (["a"] if turn else ["a", "b", "c"])
    assert len((here / "notes.txt").read_bytes().splitlines()) <= 6


def test_nowhere_keeps_nothing(read):
    for _ in range(2):
        assert read(LOOSE, NOWHERE)[1] == ["a", "b", "c"]
