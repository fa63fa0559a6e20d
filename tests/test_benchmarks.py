"""The benchmarks run where there is no GPU, and judge boxes as they say."""
import numpy as np
import pytest

from benchmarks.detection_recall import is_right
from tests.conftest import SMALL
from tests.torture import contents

TRUE = np.array([[100, 100, 180, 220.0]])  # 80 wide and 120 high: its size is 100


@pytest.mark.parametrize("box, right", [
    ((100, 100, 180, 220), True),
    ((124, 100, 204, 220), True),
    ((126, 100, 206, 220), False),
    ((100, 76, 180, 196), True),
    ((100, 74, 180, 194), False),
    ((84, 84, 196, 236), True),
    ((80, 80, 200, 240), False),
    ((110, 110, 170, 210), True),
    ((115, 115, 165, 205), True),
    ((118, 118, 162, 202), False),
    ((np.nan,) * 4, False),
])
def test_a_box_is_right_near_the_true_centre_and_of_nearly_the_true_size(box, right):
    assert is_right(np.array([box]), TRUE).tolist() == [right]


def test_the_speed_of_detection_is_printed_with_the_boxes_that_agree(own):
    done = own.python("benchmarks.detection_speed", "data/sample/train", "--photos", "4", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith(("| 20 ", f"| {SMALL['detect__min_face']} "))]
    assert [row.split("|")[-2].strip() for row in rows] == ["4 of 4"] * 2
    assert "On a GPU: not measured yet" in done.stdout


def test_the_speed_of_an_epoch_is_printed_beside_that_of_its_bare_steps(own):
    done = own.python("benchmarks.training_speed", "--backbone", "test_efficientnet", "--sizes", "32", "--photos", "64",
                      "--rounds", "1")
    assert done.returncode == 0, done.stderr
    [row] = [line.split("|") for line in done.stdout.splitlines() if line.startswith("| 32 ")]
    epoch, bare, ratio = (float(cell) for cell in row[2:5])
    assert ratio == pytest.approx(epoch / bare, abs=0.02 + 0.5 / bare)
    assert "On a GPU: not measured yet" in done.stdout


def test_recall_is_printed_for_every_method(own):
    photos = (own.root / "data/photos.csv").read_text().splitlines()
    rows = [f"{line.split(',')[0]},{'no' if 'normal' in line else 'well'},100,100,300,300" for line in photos[1:8]]
    (own.root / "data/sample.csv").write_text("\n".join(["photo,worn,x0,y0,x1,y1", *rows]) + "\n")
    for photo in sorted((own.root / "data/sample/eval/images").iterdir())[2:]:
        photo.unlink()
    done = own.python("benchmarks.detection_recall", "data/sample", "--empty", "data/sample/eval/images")
    assert done.returncode == 0, done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 5
    assert all(row.count("|") == 6 for row in table)


@pytest.mark.parametrize("words", [("benchmarks.detection_speed", "nowhere"),
                                   ("benchmarks.detection_recall", "x", "--empty", "nowhere")])
def test_a_folder_without_photos_is_one_line(ran, words):
    done = ran.python(*words)
    assert done.returncode == 1
    assert done.stderr.strip() == "error: nowhere: no photos there"


def test_the_luck_of_seeds_is_printed_and_nothing_in_the_project_changes(own):
    before = {file: file.read_bytes() for file in own.root.rglob("*") if file.is_file() and "logs" not in file.parts}
    done = own.python("benchmarks.seeds", "--models", "mask", "--seeds", "2", "--threads", "1", "--set", "mask.lr=0.05")
    assert done.returncode == 0, done.stderr
    [row] = [line.split("|") for line in done.stdout.splitlines() if line.startswith("| mask ")]
    assert [cell.strip() for cell in row[2:4]] == ["1", "2"]
    low, middle, high = map(float, row[4:7])
    assert 0 <= low <= middle <= high <= 1
    after = {file: file.read_bytes() for file in own.root.rglob("*") if file.is_file() and "logs" not in file.parts}
    assert {file: data for file, data in after.items() if "__pycache__" not in file.parts} == {
        file: data for file, data in before.items() if "__pycache__" not in file.parts}


@pytest.mark.parametrize("words, said", [
    (("--models", "nose"), "--models: 'nose' has no section in params.yaml; there are mask, gender, age, joint"),
    (("--seeds", "0"), "--seeds = 0, --threads = [1, 2]: must be 1 or more"),
    (("--set", "age.los=focal"), "--set: age.los: no such parameter in params.yaml"),
])
def test_luck_that_cannot_be_measured_is_one_line(own, words, said):
    done = own.python("benchmarks.seeds", *words)
    assert (done.returncode, done.stderr) == (1, f"error: {said}\n")


@pytest.mark.slow
def test_further_shards_have_rows_of_their_own_and_so_has_dvc_status(own):
    before = contents(own.root)
    done = own.python("benchmarks.scale", "--photos", "90", "--shards", "--more", "20", "--stages", "index", "--status")
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()[2:]]
    assert [(row[0], row[2]) for row in rows] == [("index", "90"), ("index", "110"), ("dvc status index", "110")]
    assert contents(own.root) == before


def test_further_shards_without_shards_are_one_line(own):
    done = own.python("benchmarks.scale", "--more", "20")
    assert (done.returncode, done.stderr) == (1, "error: --more: needs --shards and one engine\n")


@pytest.mark.slow
@pytest.mark.parametrize("words, count", [([], "91"), (["--shards"], "90")])
def test_each_stage_that_touches_every_photo_has_its_row_and_the_project_stays_as_it_is(own, words, count):
    before = contents(own.root)
    done = own.python("benchmarks.scale", "--photos", "90", "--engine", "local", "local", *words)
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()[2:]]
    assert [row[0] for row in rows] == ["index", "split", "detect", "crop", "predict"] * 2
    for _, _, photos, seconds, rate, memory, files, same in rows:
        assert photos == count and same == "yes"
        assert float(rate) == pytest.approx(int(count) / float(seconds), rel=0.1)
        assert float(memory) > 20 and int(files) > 2
    assert contents(own.root) == before
