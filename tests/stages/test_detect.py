"""Every photo gets a row, whatever is on it or wrong with it, and the same row whoever is its neighbour."""
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from labeller.faces.detector import POINTS
from stages.core.errors import UserError
from stages.core.params import read_params
from stages.detect import batches, detect, find_on_cluster, rows_in_batches, rows_one_by_one
from stages.faces import mtcnn as cascade
from stages.faces.mtcnn import CONTEST_PIXELS, Cascade
from tests.conftest import ROOT

CPU = torch.device("cpu")
P = read_params(ROOT / "params.yaml").detect.model_copy(update={"max_bad": 1})


def any_bytes(files: list) -> list[tuple]:
    """The files as photos whose MD5 nobody noted."""
    return [(file, "") for file in files]


def test_a_batch_is_bounded_by_photos_and_by_pixels():
    small, large = np.zeros((384, 512, 3), np.uint8), np.zeros((3 * 384, 512, 3), np.uint8)
    sizes = [[image.shape[0] * image.shape[1] for image in batch] for batch in
             batches([small, small, small, large, large, small, large], 3)]
    assert [len(batch) for batch in sizes] == [3, 1, 1, 2]
    assert all(sum(batch[:-1]) < 3 * CONTEST_PIXELS for batch in sizes)


def test_rows_depend_neither_on_batch_nor_order_nor_number_of_workers(ran, monkeypatch):
    monkeypatch.setattr(cascade, "CUTS", 64)
    monkeypatch.setattr(cascade, "PHOTOS", 2)
    files = [f for f in sorted((ran.root / "data/sample").rglob("*.jpg")) if not f.name.startswith(".")][:7]
    alone, batched = Cascade(CPU), Cascade(CPU, alone=False)
    want = list(rows_one_by_one(any_bytes(files), alone, P, 0))
    assert {row[0] for row in want} >= {"mtcnn"}
    assert list(rows_one_by_one(any_bytes(files), alone, P, 3)) == want
    assert list(rows_one_by_one(any_bytes(files[::-1]), alone, P, 2))[::-1] == want
    want = list(rows_in_batches(any_bytes(files), batched, P, 1, 7))
    assert list(rows_in_batches(any_bytes(files[::-1]), batched, P, 2, 3))[::-1] == want


def test_rows_of_ready_crops_do_not_depend_on_their_neighbours_either(ran, tmp_path, monkeypatch):
    monkeypatch.setattr(cascade, "CUTS", 64)
    monkeypatch.setattr(cascade, "PHOTOS", 2)
    originals = sorted((ran.root / "data/sample/train").rglob("normal.jpg"))[:3]
    files = []
    for i, original in enumerate(originals):
        tight = Image.open(original).crop((100, 150, 280, 360))
        files += [saved(tmp_path, f"{i}.png", tight), saved(tmp_path, f"{i}_small.png", tight.resize((52, 60)))]
    files += originals
    alone, batched = Cascade(CPU), Cascade(CPU, alone=False)
    want = list(rows_one_by_one(any_bytes(files), alone, P, 0))
    assert [row[0] for row in want[1:6:2]].count("padded") >= 2
    assert [next(iter(rows_one_by_one(any_bytes([file]), alone, P, 0))) for file in originals] == want[6:]
    assert list(rows_one_by_one(any_bytes(files[::-1]), alone, P, 2))[::-1] == want
    want = list(rows_in_batches(any_bytes(files), batched, P, 1, 7))
    assert list(rows_in_batches(any_bytes(files[::-1]), batched, P, 2, 3))[::-1] == want


def saved(folder, name: str, image: Image.Image, **options):
    image.save(folder / name, **options)
    return folder / name


def test_a_face_is_found_in_a_photo_of_any_kind(ran, tmp_path):
    original = next(f for f in sorted((ran.root / "data/sample").rglob("normal.jpg")))
    image = Image.open(original)
    lying = Image.Exif()
    lying[0x0112] = 8
    wide = Image.new("RGB", (20_000, image.height), "gray")
    wide.paste(image)
    files = [
        original,
        saved(tmp_path, "grey.png", image.convert("L")),
        saved(tmp_path, "alpha.png", image.convert("RGBA")),
        saved(tmp_path, "cmyk.jpg", image.convert("CMYK"), quality=95),
        saved(tmp_path, "deep.png", Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)),
        saved(tmp_path, "moving.webp", image, save_all=True, append_images=[Image.new("RGB", image.size)], quality=95),
        saved(tmp_path, "lying.jpg", image.transpose(Image.Transpose.ROTATE_270), exif=lying, quality=95),
        saved(tmp_path, "wide.jpg", wide, quality=95),
        saved(tmp_path, "large.jpg", image.resize((image.width * 8, image.height * 8))),
    ]
    rows = list(rows_one_by_one(any_bytes(files), Cascade(CPU), P, 0))
    assert {row[0] for row in rows} <= {"mtcnn", "lenient"}
    want = np.array(rows[0][1:5])
    for file, row in zip(files[:-1], rows):
        assert np.abs(np.array(row[1:5]) - want).max() < 0.1 * (want[2] - want[0]), file.name
    assert np.abs(np.array(rows[-1][1:5]) / 8 - want).max() < 0.1 * (want[2] - want[0])


@pytest.mark.parametrize("workers", [0, 2])
def test_finding_faces_leaves_the_number_of_threads_as_it_was(tmp_path, workers):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    detect(table(tmp_path, ["train"], set()), tmp_path, P, CPU, workers, 2)
    after = torch.get_num_threads()
    torch.set_num_threads(before)
    assert after == 2


def test_a_photo_of_one_pixel_has_a_box_within_it(tmp_path):
    [row] = rows_one_by_one(any_bytes([saved(tmp_path, "one.png", Image.new("RGB", (1, 1)))]), Cascade(CPU), P, 0)
    assert row[:5] == ("center", 0, 0, 1, 1)


def table(tmp_path, parts: list[str], broken: set[int]):
    for i in range(len(parts)):
        Image.new("RGB", (64, 64)).save(tmp_path / f"{i}.png")
    for i in broken:
        (tmp_path / f"{i}.png").write_text("broken")
    return pd.DataFrame({"photo": [f"{i}.png" for i in range(len(parts))], "part": parts, "md5": ""})


@pytest.mark.parametrize("workers", [0, 2])
def test_a_photo_that_cannot_be_decoded_has_a_row_that_says_why(tmp_path, workers):
    photos = table(tmp_path, ["train", "train", "eval", "eval"], {1, 2})
    boxes = detect(photos, tmp_path, P, CPU, workers, 2)
    assert list(boxes.photo) == list(photos.photo)
    assert list(boxes.found) == ["center", "unreadable", "unreadable", "center"]
    assert list(boxes.reason) == ["", "not an image", "not an image", ""]


def test_too_many_broken_photos_to_train_on_stop_the_run(tmp_path):
    with pytest.raises(UserError, match=r"2 photos to train on cannot be decoded.*detect.max_bad, 1"):
        detect(table(tmp_path, ["train"] * 4, {0, 3}), tmp_path, P, CPU, 0, 2)


def test_broken_photos_to_label_never_stop_it(tmp_path):
    boxes = detect(table(tmp_path, ["eval"] * 4, {0, 1, 3}), tmp_path, P, CPU, 0, 2)
    assert (boxes.found == "unreadable").sum() == 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_finds_the_faces_that_the_cpu_finds(ran):
    files = [f for f in sorted((ran.root / "data/sample").rglob("*.jpg")) if not f.name.startswith(".")]
    cpu = list(rows_one_by_one(any_bytes(files), Cascade(CPU), P, 2))
    gpu = list(rows_in_batches(any_bytes(files), Cascade(torch.device("cuda")), P, 2, 64))
    near = [np.abs(np.array(a[1:5]) - np.array(b[1:5])).max() <= 4 for a, b in zip(cpu, gpu)]
    assert np.mean(near) >= 0.98


def test_a_found_face_has_its_landmarks_and_the_middle_has_none(ran):
    boxes = pd.read_csv(ran.root / "data/boxes.csv")
    found = boxes[boxes.found.isin(["mtcnn", "lenient", "padded"])]
    assert len(found) > 0.9 * len(boxes)
    assert boxes[~boxes.index.isin(found.index)][POINTS].isna().all(axis=None)
    eyes, mouth = found[["left_eye_y", "right_eye_y"]].mean(axis=1), found[["mouth_left_y", "mouth_right_y"]].mean(axis=1)
    assert (eyes < found.nose_y).mean() > 0.99
    assert (found.nose_y < mouth).mean() > 0.99
    assert (found.left_eye_x < found.right_eye_x).mean() > 0.99


def test_a_photo_that_only_a_node_of_the_cluster_misses_stops_the_stage(here, monkeypatch):
    gone = ["unreadable", *[""] * 5, 0, *[""] * len(POINTS), "no such file"]
    monkeypatch.setattr("stages.detect.spread", lambda function, parts, machine: iter([[gone], [gone]]))
    (here / "here.jpg").write_bytes(b"a photo")
    found = find_on_cluster(any_bytes([here / "nowhere.jpg", here / "here.jpg"]), P, SimpleNamespace(batch=1))
    assert next(found) == gone  # no node could see it
    with pytest.raises(UserError, match=r"machine.engine: ray: a node does not see .*here.jpg, which is here; all need"):
        next(found)
