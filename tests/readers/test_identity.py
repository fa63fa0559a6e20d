"""A photo that cannot be read is named, and all others cost little memory."""
import tracemalloc

import pandas as pd
import pytest

from stages.core.errors import UserError
from stages.readers import identity
from stages.readers.identity import md5_of, with_md5
from stages.resume.hashes import NOWHERE


def test_a_photo_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"photo.jpg: cannot be read \(Is a directory\)"):
        (tmp_path / "photo.jpg").mkdir()
        md5_of(tmp_path / "photo.jpg")


@pytest.mark.parametrize("workers", [0, 2])
def test_each_photo_has_its_md5_in_order_and_takes_some_hundred_bytes_of_memory(tmp_path, monkeypatch, workers):
    monkeypatch.setattr(identity, "md5_of", lambda path: path.name * 4)
    rows = pd.DataFrame({"photo": [f"{number:08d}" for number in range(20_000)]})
    tracemalloc.start()
    found = with_md5(rows, tmp_path, workers, NOWHERE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.md5.tolist() == [name * 4 for name in rows.photo]
    assert peak < 500 * len(rows)
