"""A killed crop goes on after the parts that it wrote, a new photo costs only its part, and a damaged part is cut again."""
import zlib
from pathlib import Path

import numpy as np
import pytest

from stages import crop
from stages.core import face_store
from stages.core.face_store import Faces, part_name, write_faces
from stages.resume.kept_crops import KeptCrops, place

CROPS = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3)).astype(np.uint8)


@pytest.fixture
def kept(here):
    """A part, kept as `a`."""
    return KeptCrops({"a"}).add("a", CROPS, (3, 4, 4))


def test_a_kept_part_is_found_and_placed_in_its_bytes(kept, here):
    assert KeptCrops({"a"}).find("a") == kept
    place(kept, here / "faces/0007.npy")
    assert (np.load(here / "faces/0007.npy") == CROPS).all()
    assert [file.name for file in (here / "data/.resume").iterdir()] == [kept.name]


def test_it_takes_the_place_of_another_even_of_its_own_and_of_what_a_kill_left(kept, here):
    (here / "0000.npy").write_bytes(b"old")
    (here / ".0000.npy.part").hardlink_to(kept)
    for _ in range(2):
        place(kept, here / "0000.npy")
        assert (np.load(here / "0000.npy") == CROPS).all()
    assert {file.name for file in here.iterdir()} == {"0000.npy", "data"}


def test_a_part_written_where_a_kill_left_a_link_to_another_does_not_change_that(kept, here):
    (here / ".0000.npy.part").hardlink_to(kept)
    write_faces(here, list("abc"), iter(255 - CROPS), (4, 4))
    assert (np.load(kept) == CROPS).all()


@pytest.mark.parametrize("damage", [
    lambda data: data[:-1], lambda data: b"", lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    lambda data: data.replace(b"}", b"|", 1), lambda data: data.replace(b"(3, 4", b"(3, 9", 1)])
def test_a_damaged_part_is_no_part_and_gone(kept, damage):
    kept.write_bytes(damage(kept.read_bytes()))
    assert KeptCrops({"a"}).find("a") is None
    assert not kept.exists()


def test_another_key_begins_anew_and_leaves_nothing_nor_what_a_kill_cut_off(kept, here):
    (here / "data/.resume/.new-b.npy.part").write_bytes(b"half")
    (here / "data/.resume/new-b.npy").write_bytes(b"whole, and without its name")
    assert KeptCrops({"b"}).find("b") is None
    assert list((here / "data/.resume").iterdir()) == []


def test_files_of_somebody_else_stay(kept, here):
    for name in ("mine.npy", "my-own.npy", "my-own-crops.npy.gz"):
        (here / "data/.resume" / name).write_bytes(b"mine")
    KeptCrops({"b"})
    assert {file.name for file in (here / "data/.resume").iterdir()} == {"mine.npy", "my-own.npy", "my-own-crops.npy.gz"}


def test_where_there_are_no_links_a_part_is_placed_and_not_kept(kept, here, monkeypatch):
    def refused(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.link", refused)
    place(kept, here / "0000.npy")
    assert (np.load(here / "0000.npy") == CROPS).all()
    assert KeptCrops({"a"}).find("a") is None


@pytest.fixture
def parts(own, monkeypatch):
    """The rows of data/faces in parts of some 20 photos, cut anew in this process; own is its project."""
    def cut() -> list[slice]:
        crop.main()
        return face_store.parts_of(Faces("data/faces").photos)

    monkeypatch.chdir(own.root)
    monkeypatch.setattr(face_store, "PART", 20)
    return cut


def files() -> dict[str, bytes]:
    """The bytes of each part."""
    return {file.name: file.read_bytes() for file in Path("data/faces").glob("*.npy")}


def test_a_part_that_is_missing_is_cut_alone(parts, capfd):
    rows = parts()
    assert len(rows) > 2
    whole, (first, *_) = files(), rows
    [lost] = [file for file in Path("data/.resume").glob("crops-*") if file.samefile("data/faces/0000.npy")]
    lost.unlink()
    Path("data/faces/0000.npy").unlink()
    capfd.readouterr()
    parts()
    count = len(Faces("data/faces"))
    out, err = capfd.readouterr()
    assert f"{count - first.stop} of {count} photos have their crops from an earlier run" in out
    assert f"cutting: {first.stop} of {first.stop}" in err
    assert files() == whole


def test_a_photo_less_cuts_its_part_alone_and_no_part_too_many_stays(parts, own, capfd):
    parts()
    before = files()
    table = own.root / "data/boxes.csv"
    lines = table.read_text().splitlines(True)
    at = next(i for i, line in enumerate(lines[1:], 1) if zlib.crc32(line.split(",")[0].encode()) % 20 == 0)
    table.write_text("".join(lines[:at] + lines[at + 1:]))  # the last of its part, so that two become one
    capfd.readouterr()
    rows = parts()
    assert len(rows) == len(before) - 1
    cut = max(rows, key=lambda part: part.start <= at - 1 < part.stop)
    count = len(lines) - 2 - sum(",unreadable," in line for line in lines)
    assert f"{count - cut.stop + cut.start} of {count} photos have their crops from" in capfd.readouterr().out
    assert sorted(files()) == [part_name(number) for number in range(len(rows))]


def test_a_cut_that_ends_early_leaves_the_store_as_it_was_and_the_next_goes_on(parts, own, capfd, monkeypatch):
    parts()
    before, table = files(), Path("data/faces/faces.json").read_bytes()
    own.set(crop__margin=0.5)
    rows, cut, count = face_store.parts_of(Faces("data/faces").photos), crop.cut, 0

    def twice(*photo):
        nonlocal count
        count += 1
        if count == rows[2].start + 1:  # in the third part
            raise KeyboardInterrupt
        return cut(*photo)

    monkeypatch.setattr(crop, "cut", twice)
    own.set(machine__workers=0)
    with pytest.raises(KeyboardInterrupt):
        crop.main()
    assert files() == before and Path("data/faces/faces.json").read_bytes() == table
    monkeypatch.setattr(crop, "cut", cut)
    parts()
    assert f"{rows[1].stop} of {rows[-1].stop} photos have their crops from an earlier run" in capfd.readouterr().out
    assert files() != before
