"""The painted set has the labels of what was painted, the same bytes for any workers, and a place for every photo."""
import hashlib
import shutil
from collections import Counter

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from stages import paint
from stages.core.errors import UserError
from stages.core.params import parse
from stages.sample import draw_sample
from tests.sections import SHIPPED

PEOPLE, EVAL_PEOPLE = 4, 1


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "sample"
    draw_sample(folder, PEOPLE, EVAL_PEOPLE, 5, jobs=1)
    return folder


def painted(folder, source, monkeypatch, capsys, workers=0, **changes):
    """Run the stage in `folder`; returns the table and what it said."""
    folder.mkdir(exist_ok=True)
    values = SHIPPED["paint"] | {"source": SHIPPED["paint"]["source"] | {"root": str(source)}} | changes
    params = SHIPPED | {"paint": values, "machine": SHIPPED["machine"] | {"workers": workers}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    monkeypatch.chdir(folder)
    (folder / "data").mkdir(exist_ok=True)
    paint.main()
    return pd.read_csv(folder / "data/painted/labels.csv", dtype=str, keep_default_na=False), capsys.readouterr().out


def digests(folder):
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.rglob("*") if f.is_file()}


@pytest.fixture(scope="module")
def first(source, tmp_path_factory):
    """The folder, table and text of a run with one distractor a bare photo."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        class Capture:
            @staticmethod
            def readouterr():
                return type("", (), {"out": ""})
        table, _ = painted(folder, source, patch, Capture, distractors=1.0)
    return folder, table


def test_each_bare_photo_gives_the_photos_asked_for_with_labels_of_what_was_painted(first):
    _, table = first
    made = table[table.wearing != ""]
    assert made.groupby("source").size().tolist() == [7] * PEOPLE
    assert Counter(made["mask"]) == {"worn": 5 * PEOPLE, "incorrect": PEOPLE, "bare": PEOPLE}
    assert set(made[made["mask"] == "worn"].wearing) == {"well"}
    assert set(made[made["mask"] == "incorrect"].wearing) <= {"under_nose", "on_chin", "hanging"}
    assert set(made[made["mask"] == "bare"].wearing) <= {"hand", "scarf", "phone", "cup", "microphone"}
    assert (made.kind != "").tolist() == (made["mask"] != "bare").tolist()


def test_photos_with_a_mask_and_those_to_label_keep_their_bytes_and_labels(first, source):
    folder, table = first
    copied = table[table.wearing == ""]
    assert len(copied) == 6 * PEOPLE + 7 * EVAL_PEOPLE
    for row in copied.itertuples(index=False):
        assert (folder / "data/painted" / row.photo).read_bytes() == (source / row.source).read_bytes()
    assert Counter(copied.part) == {"train": 6 * PEOPLE, "eval": 7 * EVAL_PEOPLE}
    assert Counter(copied["mask"][copied.part == "train"]) == {"worn": 5 * PEOPLE, "incorrect": PEOPLE}


def test_every_photo_of_the_source_has_its_place_in_the_counts(source, tmp_path, monkeypatch, capsys):
    bare = sorted((source / "train/images").glob("*/normal.*"))
    mine = tmp_path / "mine"
    shutil.copytree(source, mine)
    files = [mine / file.relative_to(source) for file in bare]
    files[0].write_bytes(b"no photo")
    small = cv2.resize(cv2.imread(str(files[1])), (48, 64), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(files[1]), small)
    cv2.imwrite(str(files[2]), np.full((100, 100, 3), 200, np.uint8))
    table, said = painted(tmp_path / "run", mine, monkeypatch, capsys)
    assert "35 photos of the source: 1 painted, 2 left bare, 31 copied, 1 not used" in said
    assert f"not used: 1 (cannot be decoded: not an image): {files[0].relative_to(mine)}" in said
    assert f"left bare: 1 (no face was found): {files[2].relative_to(mine)}" in said
    [line] = [line for line in said.splitlines() if "left bare: 1 (its eyes are closer than" in line]
    assert line.endswith(f": {files[1].relative_to(mine)}")
    assert len(table) == 7 + 2 + 31


def test_a_face_too_small_to_paint_on_is_left_bare(source, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("stages.painting.pose.CLOSE_EYES", 500)
    table, said = painted(tmp_path / "run", source, monkeypatch, capsys)
    assert set(table[table.wearing != ""].wearing) == {"none"} and f"left bare: {PEOPLE} (its eyes are closer than" in said
    assert f"{PEOPLE} made: {PEOPLE} bare" in said


def test_the_same_bytes_come_out_for_any_number_of_workers(first, source, tmp_path, monkeypatch, capsys):
    painted(tmp_path / "run", source, monkeypatch, capsys, workers=2, distractors=1.0)
    assert digests(tmp_path / "run/data") == digests(first[0] / "data")


def test_another_seed_paints_others(first, source, tmp_path, monkeypatch, capsys):
    table, _ = painted(tmp_path / "run", source, monkeypatch, capsys, seed=1, distractors=1.0, worn=1, incorrect=1, bare=0)
    mine, old = digests(tmp_path / "run/data/painted"), digests(first[0] / "data/painted").values()
    assert not [row.photo for row in table[table.wearing != ""].itertuples() if mine[row.photo] in old]


def test_photos_without_any_label_of_mask_are_all_taken_for_bare_and_this_is_said(source, tmp_path, monkeypatch, capsys):
    mine = own_table(tmp_path, source, ["", ""])
    table, said = painted(tmp_path / "run", mine, monkeypatch, capsys, worn=1)
    assert len(table) == 6 and "has a label of mask: all 2 to train on are taken for bare" in said


def test_a_missing_label_among_others_stays_missing(source, tmp_path, monkeypatch, capsys):
    mine = own_table(tmp_path, source, ["bare", ""])
    table, said = painted(tmp_path / "run", mine, monkeypatch, capsys, worn=1)
    assert len(table) == 4 and table["mask"][table.wearing == ""].tolist() == [""]
    assert "copied: 1 (mask: missing)" in said


def test_dvc_paints_where_data_root_is_the_painted_folder_and_indexes_what_comes_out(own):
    own.set(data__root="data/painted", paint__sets=["painted"], paint__worn=1)
    assert own.repro("index") == {"paint@painted", "index"}
    given = pd.read_csv(own.root / "data/given.csv", dtype=str, keep_default_na=False)
    labels = pd.read_csv(own.root / "data/painted/labels.csv", dtype=str, keep_default_na=False)
    labels = labels[labels.part == "train"].sort_values("photo")[["photo", "mask", "age"]].values.tolist()
    assert given.sort_values("photo")[["photo", "mask", "age"]].values.tolist() == labels
    assert own.repro("index") == set()


def own_table(folder, source, masks):
    """A folder of bare photos and a table with these labels."""
    mine = folder / "mine"
    mine.mkdir()
    lines = ["photo,person,mask,gender,age,part"]
    for i, (file, mask) in enumerate(zip(sorted((source / "train/images").glob("*/normal.*")), masks)):
        shutil.copy(file, mine / f"{i}{file.suffix}")
        lines.append(f"{i}{file.suffix},a/b {i},{mask},male,30,train")
    (mine / "labels.csv").write_text("\n".join(lines) + "\n")
    return mine


@pytest.mark.parametrize(("changes", "text"), [
    ({"worn": -1}, "paint.worn = -1"), ({"worn": 0, "incorrect": 0, "bare": 0}, "make no photo"),
    ({"distractors": 1.5}, "paint.distractors = 1.5"), ({"seed": None}, "paint.seed = None"),
    ({"source": SHIPPED["paint"]["source"] | {"root": "data/painted"}}, "paint.source.root: 'data/painted'"),
    ({"source": SHIPPED["paint"]["source"] | {"layout": "zip"}}, "paint.source.layout = 'zip'"),
])
def test_a_wrong_parameter_is_named(changes, text):
    with pytest.raises(UserError, match=text.replace(".", r"\.")):
        parse(SHIPPED | {"paint": SHIPPED["paint"] | changes})


def test_a_source_that_is_not_there_or_has_no_bare_photo_is_named(source, tmp_path, monkeypatch, capsys):
    with pytest.raises(UserError, match="paint.source.root: 'nowhere' is no folder"):
        painted(tmp_path / "run", "nowhere", monkeypatch, capsys)
    mine = own_table(tmp_path, source, ["worn"])
    with pytest.raises(UserError, match="has no bare photo to train on, among 1"):
        painted(tmp_path / "run", mine, monkeypatch, capsys)
    assert not (tmp_path / "run/data/painted").exists()
