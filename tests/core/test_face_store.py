"""The container gives back the crops that were put in, without reading them all, to any process."""
import pickle
import re

import numpy as np
import psutil
import pytest

from stages.core import face_store
from stages.core.errors import UserError
from stages.core.face_store import Faces, allocate, parts_of, write_faces


@pytest.fixture
def crops():
    return np.random.default_rng(0).integers(0, 256, (5, 6, 4, 3)).astype(np.uint8)


def test_crops_come_back_by_row(tmp_path, crops):
    write_faces(tmp_path / "faces", list("abcde"), iter(crops), (6, 4))
    faces = Faces(tmp_path / "faces")
    assert faces.photos == list("abcde")
    assert all((faces[i] == crops[i]).all() for i in range(5))
    assert isinstance(faces[0], np.memmap)
    assert faces.shape == (6, 4)


def test_a_disk_without_room_for_the_crops_is_named(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    (tmp_path / "crops.npy").write_bytes(b"1234")
    with pytest.raises(OSError, match="No space left on device: .*crops.npy"):
        allocate(tmp_path / "crops.npy")


def test_the_room_is_taken_before_the_first_crop_is_cut(tmp_path):
    shape = (1000, 1000)

    def first():
        [part] = tmp_path.glob("*.part")
        assert part.stat().st_blocks * 512 >= 4 * 1000 * 1000 * 3
        yield from np.zeros((4, *shape, 3), np.uint8)

    write_faces(tmp_path, list("abcd"), first(), shape)


@pytest.mark.parametrize("damage, said", [
    (lambda f: (f / "0000.npy").write_bytes((f / "0000.npy").read_bytes()[:200]), "0000.npy: not what crop writes (mmap"),
    (lambda f: (f / "0000.npy").write_bytes(b""), "0000.npy: not what crop writes (No data left"),
    (lambda f: (f / "0000.npy").write_bytes((f / "0000.npy").read_bytes().replace(b"}", b"|", 1)),
     "0000.npy: not what crop writes ("),
    (lambda f: np.save(f / "0000.npy", np.array([{}])), "0000.npy: not what crop writes (Array can't"),
    (lambda f: np.save(f / "0000.npy", np.zeros((5, 6, 4, 3))),
     "0000.npy: float64 of shape (5, 6, 4, 3), not uint8 of (5, 6, 4, 3) as"),
    (lambda f: np.save(f / "0000.npy", np.zeros((4, 6, 4, 3), np.uint8)), "0000.npy: uint8 of shape (4, 6, 4, 3), not"),
    (lambda f: (f / "faces.json").write_text("{"), "faces.json: not what crop writes"),
    (lambda f: (f / "faces.json").write_bytes(b"\xff"), "faces.json: not what crop writes"),
    (lambda f: (f / "faces.json").write_text("[]"), "faces.json: not what crop writes"),
    (lambda f: (f / "faces.json").write_text('{"photos": ["a"]}'), "faces.json: not what crop writes"),
    (lambda f: (f / "faces.json").write_text((f / "faces.json").read_text().replace('"photos": 5', '"photos": 4')),
     "faces.json: not what crop writes"),
])
def test_damaged_crops_are_refused_with_what_to_do(tmp_path, crops, damage, said):
    write_faces(tmp_path, list("abcde"), iter(crops), (6, 4))
    damage(tmp_path)
    todo = f"run dvc checkout --force {tmp_path}, or dvc repro --force --single-item crop"
    with pytest.raises(UserError, match=f"^{re.escape(f'{tmp_path}/{said}')}.*; {todo}$"):
        Faces(tmp_path)


def test_a_worker_gets_the_file_and_not_its_content(tmp_path, crops):
    write_faces(tmp_path, list("abcde"), iter(crops), (6, 4))
    sent = pickle.dumps(Faces(tmp_path))
    assert len(sent) < crops.nbytes
    assert (pickle.loads(sent)[3] == crops[3]).all()


def test_the_digest_tells_other_pixels_and_other_names(tmp_path, crops):
    digests = set()
    for n, (names, values) in enumerate([("abcde", crops), ("abcdf", crops), ("abcde", crops[::-1])]):
        write_faces(tmp_path / str(n), list(names), iter(values), (6, 4))
        digests.add(Faces(tmp_path / str(n)).digest)
    assert len(digests) == 3


def test_a_crop_too_few_leaves_no_file(tmp_path, crops):
    with pytest.raises(ValueError, match="shorter"):
        write_faces(tmp_path / "faces", list("abcde"), iter(crops[:4]), (6, 4))
    assert not (tmp_path / "faces/0000.npy").exists()


def test_crops_of_many_parts_come_back_by_row_with_few_open_files(tmp_path, monkeypatch):
    monkeypatch.setattr(face_store, "PART", 4)
    monkeypatch.setattr(face_store, "OPEN", 2)
    crops = np.random.default_rng(0).integers(0, 256, (100, 2, 2, 3)).astype(np.uint8)
    write_faces(tmp_path, [f"{i}.jpg" for i in range(100)], iter(crops), (2, 2))
    assert len(list(tmp_path.glob("*.npy"))) > 15
    faces, before = Faces(tmp_path), psutil.Process().num_fds()
    assert all((faces[i] == crops[i]).all() for i in np.random.default_rng(1).permutation(100))
    assert psutil.Process().num_fds() <= before + 2


def test_parts_hold_each_photo_once_and_other_photos_do_not_move_their_ends():
    photos = [f"train-{i // 50_000:05d}.parquet/{i % 50_000}" for i in range(200_000)]
    parts = parts_of(photos)
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(len(photos)))
    assert 60 < len(parts) < 140
    ends = {photos[part.stop - 1] for part in parts[:-1]}
    more = [f"new/{i}.jpg" for i in range(100)] + photos + ["train-9.parquet/0"]
    assert {more[part.stop - 1] for part in parts_of(more)} >= ends
    assert parts_of([]) == []
