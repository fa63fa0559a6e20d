"""A killed crop goes on after the parts that it wrote, a new photo costs only its part, and a damaged part is cut again."""
import zlib
from pathlib import Path

import numpy as np
import pytest

from stages.core import face_store
from stages.core.face_store import Faces, part_name, write_part
from stages.resume.kept_crops import KeptCrops

CROPS = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3)).astype(np.uint8)


@pytest.fixture
def kept(here):
    """The part 0000.npy, kept as `a`."""
    digest = write_part(here / "0000.npy", CROPS, (3, 4, 4))
    KeptCrops({"a"}).keep("a", here / "0000.npy", digest)
    (here / "0000.npy").unlink()
    return digest


def test_a_kept_part_comes_back_in_its_bytes(kept, here):
    assert KeptCrops({"a"}).take("a", here / "faces/0007.npy") == kept
    assert (np.load(here / "faces/0007.npy") == CROPS).all()


def test_it_takes_the_place_of_another_even_of_its_own(kept, here):
    (here / "0000.npy").write_bytes(b"old")
    for _ in range(2):
        assert KeptCrops({"a"}).take("a", here / "0000.npy") == kept
        assert (np.load(here / "0000.npy") == CROPS).all()
    assert {file.name for file in here.iterdir()} == {"0000.npy", "data"}


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", lambda data: data[:-1] + bytes([data[-1] ^ 1])])
def test_a_damaged_part_is_no_part(kept, here, damage):
    [file] = (here / "data/.resume").glob("crops-a-*")
    file.write_bytes(damage(file.read_bytes()))
    assert KeptCrops({"a"}).take("a", here / "0000.npy") is None
    assert not file.exists() and not (here / "0000.npy").exists()


def test_another_key_begins_anew_and_leaves_nothing(kept, here):
    assert KeptCrops({"b"}).take("b", here / "0000.npy") is None
    assert list((here / "data/.resume").iterdir()) == []


def test_where_there_are_no_links_nothing_is_kept(here, monkeypatch):
    def refused(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.link", refused)
    write_part(here / "0000.npy", CROPS, (3, 4, 4))
    KeptCrops({"a"}).keep("a", here / "0000.npy", "digest")
    assert KeptCrops({"a"}).take("a", here / "0001.npy") is None


@pytest.fixture
def parts(own, monkeypatch):
    """The rows of data/faces in parts of some 20 photos, cut anew in this process; own is its project."""
    from stages import crop

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
