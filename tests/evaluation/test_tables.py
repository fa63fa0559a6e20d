"""What a stage wrote is read whole or refused, with the stage that makes it anew."""
import numpy as np
import pandas as pd
import pytest

from stages.core.errors import UserError
from stages.core.files import write_json, write_parquet
from stages.evaluation.tables import read_json, read_predictions, read_table

PHOTOS = [f"people/{i}.jpg" for i in range(60)]
TABLE = pd.DataFrame({"photo": PHOTOS, "part": "train", "p0": np.linspace(0, 1, 60, dtype=np.float32), "age": [0, 1, 2] * 20})


def test_a_table_is_read_as_it_was_written(here):
    write_parquet(TABLE, "data/table.parquet")
    read = read_predictions("data/table.parquet", ["part"], ["p0"], {"age": 3}, PHOTOS, "combine")
    pd.testing.assert_frame_equal(read, TABLE)


def test_one_flipped_bit_in_the_values_of_a_table_is_found(here):
    write_parquet(TABLE, "whole.parquet")
    data = (here / "whole.parquet").read_bytes()
    pages = data.rindex(b"PAR1", 0, len(data) - 4), data.index(b"pandas")  # before what describes the table
    for at in range(*pages, 7):
        (here / "table.parquet").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        try:
            read = read_predictions("table.parquet", ["part"], ["p0"], {"age": 3}, PHOTOS, "combine")
        except UserError as error:
            assert str(error).endswith("run dvc checkout --force table.parquet, or dvc repro --force --single-item combine")
        else:  # of statistics and offsets that nobody reads
            pd.testing.assert_frame_equal(read, TABLE)


def test_no_rows_are_no_mistake(here):
    (here / "years.csv").write_text("years,series,share,photos\n")
    assert read_table("years.csv", ["series"], ["years", "share", "photos"], "evaluate").empty


def test_what_is_no_json_object_of_these_keys_is_refused(here):
    write_json({"f1": 1}, "metrics.json")
    assert read_json("metrics.json", ["f1"], "evaluate") == {"f1": 1}
    with pytest.raises(UserError, match=r"metrics.json: no offsets; run dvc checkout .* --single-item evaluate"):
        read_json("metrics.json", ["offsets", "f1"], "evaluate")
    for text in ("", "{", "3", "null", "[" * 100_000, "\xff"):
        (here / "metrics.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(UserError, match=r"metrics.json: not JSON; run dvc"):
            read_json("metrics.json", ["f1"], "evaluate")
