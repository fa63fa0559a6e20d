"""What DVC's cache holds and cannot be is named, with the stage to run or where to look."""
from pathlib import Path
from types import SimpleNamespace

import pytest

from stages.core.errors import UserError
from tools import verify
from tools.shared import dvc_objects


def cache_of(**methods) -> SimpleNamespace:
    """A repository whose cache has the methods."""
    local = SimpleNamespace(oid_to_path=lambda name: f".dvc/cache/{name}", **methods)
    return SimpleNamespace(cache=SimpleNamespace(local=local))


def test_a_list_of_files_of_the_right_hash_that_is_none_names_the_stage(monkeypatch):
    out = SimpleNamespace(hash_info=SimpleNamespace(value="1.dir", isdir=True), fs_path="data/faces",
                          stage=SimpleNamespace(addressing="crop", cmd="python -m stages.crop"))
    monkeypatch.setattr(dvc_objects, "outs", lambda _: [out])
    monkeypatch.setattr(dvc_objects.Tree, "load", lambda *_: [].missing)
    with pytest.raises(UserError, match=r"1.dir: no list of files, although its MD5 is right; run crop again"):
        dvc_objects.named(cache_of(), {"1.dir"})


def test_a_disk_that_gives_other_bytes_than_it_took_is_named(monkeypatch):
    read = iter(["1", "2"])
    monkeypatch.setattr(verify, "digest", lambda _: next(read))
    monkeypatch.setattr(verify, "put_aside", lambda *_: None)
    with pytest.raises(UserError, match=r".dvc/cache/1: written, and read back with other bytes; look at the disk"):
        verify.put_in_cache(cache_of(add=lambda *_: None, fs=None), "1", Path("x"))
