"""A photo that cannot be read is named."""
import pytest

from stages.core.errors import UserError
from stages.readers.identity import md5_of


def test_a_photo_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"photo.jpg: cannot be read \(Is a directory\)"):
        (tmp_path / "photo.jpg").mkdir()
        md5_of(tmp_path / "photo.jpg")
