"""Every file of a folder is found or told, with what is not entered."""
import os

from labeller.inputs.photo_files import files_in, why_unused


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_is_found(tmp_path, monkeypatch):
    for name in ("a.jpg", "in/b.jpg", "closed/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("in")
    (tmp_path / "broken").symlink_to("nowhere")
    scandir = os.scandir

    def refuse(path):  # a superuser may read any folder, so the system would not
        if os.path.basename(path) == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = files_in(tmp_path)
    assert [file.relative_to(tmp_path).as_posix() for file in found] == ["a.jpg", "broken", "closed", "in/b.jpg", "link"]
    assert [why_unused(file, tmp_path) for file in found] == [
        None, "a link to nowhere", "a folder that cannot be read", None, "a link to a folder, which is not followed"]
