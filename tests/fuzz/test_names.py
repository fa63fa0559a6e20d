"""Whatever files are called, they are read, or left out by name."""
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeller.errors import BundleError
from labeller.inputs.sources import list_files
from stages.core.classes import CONTEST
from stages.core.errors import UserError
from stages.core.files import write_csv
from stages.core.params import Data
from stages.index import printable
from stages.readers.layouts import read_photos
from tests.fuzz.bounds import bounded, fuzzed
from tests.fuzz.made import texts
from tests.readers.files import jpeg

FOLDERS = ["worn", "male", "25", "20-29", "train", "test", "anna", ".hidden", "a.tar", "b.parquet", "worn_male_under30",
           "007", "300"]
ENDINGS = [".jpg", ".JPG", ".png", ".jpeg.jpg", ".txt", "", ".tar", ".parquet", ".csv", ".jpg.chip.jpg", ".\udcff", ".jpg\n"]
parts = st.sampled_from(FOLDERS) | texts | st.binary(max_size=6).map(os.fsdecode)
names = st.builds(lambda folders, stem, ending: "/".join([*folders, stem + ending]), st.lists(parts, max_size=3), parts,
                  st.sampled_from(ENDINGS))


def fill(root: Path, paths: list[str]) -> None:
    """Make those of the files that this system takes, below root."""
    for path in paths:
        target = root / path.replace("..", "__").lstrip("/")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(jpeg(str(len(path))))
        except (OSError, ValueError):  # a name that is no name, or that a folder has
            pass


@fuzzed
@given(paths=st.lists(names, min_size=1, max_size=5), layout=st.sampled_from(["auto", "folders", "utkface", "tar", "parquet",
                                                                              "table", "contest"]))
def test_the_photos_of_a_folder(tmp_path_factory, paths, layout):
    root = tmp_path_factory.mktemp("names")
    fill(root, [*paths, "male/x/a.jpg", "male/y/b.jpg"])
    with bounded(UserError):
        rows, unused = read_photos(root, Data(root=str(root), layout=layout, table=None, columns={}), CONTEST)
        write_csv(rows, root.parent / "photos.csv")
        write_csv(pd.DataFrame([(printable(file), reason) for file, reason in unused.items()]), root.parent / "unused.csv")
        files = [file for file in root.rglob("*") if file.is_symlink() or not file.is_dir()]
        assert layout in ("tar", "parquet", "auto") or len(rows) + len(unused) == len(files) - (layout == "contest") * 2


@fuzzed
@given(paths=st.lists(names, max_size=5), given_too=st.lists(texts, max_size=2))
def test_what_the_command_label_is_given(tmp_path_factory, paths, given_too):
    root = tmp_path_factory.mktemp("given")
    fill(root, paths)
    with pytest.MonkeyPatch.context() as patch, bounded(BundleError, OSError):
        patch.chdir(root)
        words = [word for word in given_too if not word.startswith(("/", "..")) and "\0" not in word]
        found, _ = list_files([str(root), *words])
        assert found
