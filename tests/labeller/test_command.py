"""The command `label`: a row or line for everything, and a status that says whether all went well."""
import csv
import io
import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from labeller.command import main
from tests.conftest import ROOT


@pytest.fixture
def label(exported, capsys, tmp_path, monkeypatch):
    """Run the command in a folder of its own; returns status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        status = main([*map(str, words), "--bundle", str(exported.root / "bundle/model")])
        return status, *capsys.readouterr()
    return run


@pytest.fixture
def photos(exported, tmp_path):
    """A folder of three photos, one of them in a folder of its own, a broken one and a note."""
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    three = sorted((exported.root / "data/sample/eval/images").iterdir())[:3]
    for name, file in zip(["a.jpg", "b.jpg", "deeper/c.jpg"], three):
        (folder / name).write_bytes(file.read_bytes())
    (folder / "broken.jpg").write_text("no photo")
    (folder / "notes.txt").write_text("no photo")
    return folder


def test_every_photo_has_a_row_and_what_is_left_out_is_named(label, photos):
    status, out, err = label("photos", "photos/a.jpg", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["photo"] for row in rows] == [f"photos/{name}" for name in ("a.jpg", "b.jpg", "broken.jpg", "deeper/c.jpg")]
    assert [row["error"] for row in rows] == ["", "", "not an image", ""]
    for row in rows:
        assert bool(row["class"]) == bool(row["mask"]) == (row["error"] == "")
    assert status == 1
    assert "left out: photos/notes.txt (not a photo: " in err
    assert "4 photos in " in err
    assert "; 1 could not be read" in err


def test_no_name_of_a_photo_runs_in_a_spreadsheet(label, photos):
    names = ["=cmd|' calc'!A0.jpg", "+1.jpg", "@a.jpg", "=a\rb.jpg", "a\rb.jpg"]
    for name in names:
        (photos.parent / name).write_bytes((photos / "a.jpg").read_bytes())
    _, out, _ = label(*names, "--csv")
    rows = csv.DictReader(io.StringIO(out, newline=""))
    assert [row["photo"] for row in rows] == [*(f"'{name}" for name in names[:4]), names[4]]


def test_json_has_a_line_a_photo_with_its_faces(label, photos):
    status, out, _ = label("photos/a.jpg", "photos/b.jpg", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [line["photo"] for line in lines] == ["photos/a.jpg", "photos/b.jpg"]
    assert {"found", "box", "landmarks", "class", "labels", "probabilities"} == lines[0]["faces"][0].keys()


def test_people_read_a_line_a_photo(label, photos):
    _, out, _ = label("photos/a.jpg", "--only", "mask")
    [line] = out.splitlines()
    assert line.startswith("photos/a.jpg: ")
    assert any(value in line for value in ("worn", "incorrect", "bare"))
    assert not any(value in line for value in ("male", "30"))


def test_drawn_photos_are_written_and_do_not_overwrite_each_other(label, photos):
    (photos / "deeper/a.jpg").write_bytes((photos / "a.jpg").read_bytes())
    status, _, _ = label("photos/a.jpg", "photos/deeper/a.jpg", "photos/broken.jpg", "--draw", "out")
    assert status == 1
    written = sorted((photos.parent / "out").iterdir())
    assert [file.name for file in written] == ["photos__a.jpg.jpg", "photos__deeper__a.jpg.jpg"]
    assert Image.open(written[0]).size == Image.open(photos / "a.jpg").size


def test_it_leaves_nothing_in_the_users_home(exported, photos, tmp_path):
    """ONNX Runtime's telemetry would keep a number of the device there."""
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run([sys.executable, "-m", "labeller", photos / "a.jpg", "--bundle", exported.root / "bundle/model"],
                          check=True, cwd=ROOT, env=os.environ | {"HOME": str(home), "XDG_CACHE_HOME": str(home)},
                          capture_output=True, text=True)
    assert "a.jpg: " in done.stdout
    assert list(home.rglob("*")) == []


def test_a_video_gives_a_frame_every_so_many_seconds(label, photos, tmp_path):
    frame = cv2.imread(str(photos / "a.jpg"))
    video = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, frame.shape[1::-1])
    for _ in range(25):
        video.write(frame)
    video.release()
    status, out, _ = label("clip.avi", "--csv", "--every", "1")
    assert status == 0
    assert [row["photo"] for row in csv.DictReader(io.StringIO(out))] == ["clip.avi@0.00", "clip.avi@1.00", "clip.avi@2.00"]
    (tmp_path / "empty.mp4").write_bytes(b"no video")
    status, out, _ = label("empty.mp4")
    assert (status, out) == (1, "empty.mp4: not an image\n")


@pytest.mark.parametrize("words, said", [
    (["nowhere"], "nowhere: no such file or folder"),
    (["empty"], "empty: no photos or videos; their names end with one of "),
    (["photos/a.jpg", "--only", "nose"], "only: 'nose' is none of the bundle's attributes, mask, gender, age"),
    (["photos/a.jpg", "--draw", "photos/a.jpg"], "photos/a.jpg: File exists"),
])
def test_what_cannot_be_done_is_one_line(label, photos, tmp_path, words, said):
    (tmp_path / "empty").mkdir()
    status, out, err = label(*words)
    assert (status, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith(f"error: {said}")


def test_words_that_do_not_fit_end_with_status_2(label, photos):
    with pytest.raises(SystemExit) as end:
        label("photos/a.jpg", "--every", "0")
    assert end.value.code == 2


def test_a_photo_is_read_from_stdin_and_a_reader_may_have_enough(exported, photos):
    words = [sys.executable, "-m", "labeller", "--bundle", str(exported.root / "bundle/model")]
    data = (photos / "a.jpg").read_bytes()
    done = subprocess.run([*words, "-", "--csv"], check=True, cwd=ROOT, input=data, capture_output=True)
    assert done.stdout.splitlines()[1].startswith(b"-,0,")
    many = subprocess.Popen([*words, *[str(photos / "a.jpg")] * 2, str(photos)], cwd=ROOT, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)
    many.stdout.close()
    assert b"Traceback" not in many.stderr.read()
    many.wait()
    many.stderr.close()


@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
def test_a_photo_of_any_name_has_one_line(label, photos, form):
    for name in ("a\nb.jpg", "\x1b[2J.jpg", "\udcff.jpg"):
        (photos / name).write_bytes((photos / "a.jpg").read_bytes())
    given = sorted(photos.glob("*.jpg"), key=str)
    status, out, _ = label(*given, *form)
    assert status == 1  # of broken.jpg
    assert len(list(csv.reader(io.StringIO(out)))) == len(given) + (form == ["--csv"])
    assert "\x1b" not in out or form == ["--csv"]


def test_a_photo_without_a_face_says_so(label, tmp_path):
    Image.fromarray(np.full((200, 200, 3), 127, np.uint8)).save(tmp_path / "wall.png")
    status, out, _ = label("wall.png", "--all-faces")
    assert (status, out) == (0, "wall.png: no face\n")
    _, out, _ = label("wall.png")
    assert "(no face found: the middle of the photo)" in out
