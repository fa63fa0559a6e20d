"""Photos inside shards go through the pipeline as files do: the same MD5, boxes and crops.

A further shard costs only itself.
"""
import io
import json
import shutil
import tarfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

LABELS = ["person", "mask", "gender", "age"]


def save(root, rows: pd.DataFrame, kind: str) -> None:
    """The sample's photos in a shard for each part."""
    for part, group in rows.groupby("part"):
        data = [(root / "data/sample" / photo).read_bytes() for photo in group.photo]
        labels = group[LABELS].to_dict("list")
        if kind == "parquet":
            images = [{"bytes": photo, "path": None} for photo in data]
            pq.write_table(pa.table({"image": images, **labels}), root / f"mine/{part}-0.parquet", row_group_size=10)
            continue
        with tarfile.open(root / f"mine/{part}-0.tar", "w") as archive:
            for i, photo in enumerate(data):
                text = json.dumps({name: values[i] for name, values in labels.items()}).encode()
                for ending, content in (("jpg", photo), ("json", text)):
                    (entry := tarfile.TarInfo(f"{i:04d}.{ending}")).size = len(content)
                    archive.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize("kind", ["parquet", "tar"])
def test_photos_in_shards_give_the_boxes_and_crops_of_files(own, kind):
    photos, boxes = pd.read_csv(own.root / "data/photos.csv"), pd.read_csv(own.root / "data/boxes.csv")
    crops = np.load(own.root / "data/faces/0000.npy")
    rows = photos.merge(pd.read_csv(own.root / "data/given.csv", dtype=str).drop(columns="person"), "left", on="photo")
    (own.root / "mine").mkdir()
    save(own.root, rows.fillna(""), kind)
    own.set(data__root="mine")
    for stage in ("index", "detect", "crop"):
        done = own.python(f"stages.{stage}")
        assert done.returncode == 0, done.stderr
    found = pd.read_csv(own.root / "data/photos.csv")
    order = photos.md5.map({md5: i for i, md5 in enumerate(found.md5)})
    assert sorted(found.md5) == sorted(photos.md5)
    again = pd.read_csv(own.root / "data/boxes.csv").iloc[order].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.drop(columns="photo"), boxes.drop(columns="photo"))
    readable = boxes.found != "unreadable"
    np.testing.assert_array_equal(np.load(own.root / "data/faces/0000.npy")[order[readable]], crops)


def test_a_further_shard_costs_only_itself_and_ends_in_the_bytes_of_all_at_once(own):
    rows = pd.read_csv(own.root / "data/photos.csv").merge(
        pd.read_csv(own.root / "data/given.csv", dtype=str).drop(columns="person"), "left", on="photo").fillna("")
    (own.root / "mine").mkdir()
    own.set(data__root="mine")

    def written() -> tuple[str, dict[str, bytes]]:
        """What the stages print, and what they write."""
        done = [own.python(f"stages.{stage}") for stage in ("index", "detect", "crop")]
        assert [each.returncode for each in done] == [0, 0, 0], done
        files = ["photos.csv", "given.csv", "boxes.csv", "faces/0000.npy", "faces/faces.json"]
        return "".join(each.stdout for each in done), {name: (own.root / "data" / name).read_bytes() for name in files}

    shutil.rmtree(own.root / "data/.resume")
    save(own.root, rows[rows.part == "train"], "parquet")
    before = len(pd.read_csv(io.BytesIO(written()[1]["boxes.csv"])).query("found != 'unreadable'"))
    save(own.root, rows[rows.part == "eval"], "parquet")
    notes = own.root / "data/.resume/md5s.txt"
    known = notes.read_bytes()
    said, once = written()
    assert f"{before} of {len(rows)} photos have their faces from an earlier run" in said
    assert notes.read_bytes().startswith(known) and len(notes.read_bytes().splitlines()) == len(known.splitlines()) + 1
    shutil.rmtree(own.root / "data/.resume")
    said, again = written()
    assert "from an earlier run" not in said
    assert again == once
