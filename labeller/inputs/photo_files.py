"""The files of a folder, and why one of them is no photo."""
import os
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def files_in(folder: Path) -> list[Path]:
    """All files below a folder, sorted, with broken links and the folders that are not entered: links, and unreadable ones."""
    closed, found = [], []
    for at, folders, files in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        found += [Path(at, name) for name in files]
        found += [link for name in folders if (link := Path(at, name)).is_symlink()]
    return sorted(found + closed)


def is_text(name: str) -> bool:
    """Whether a file's name is text, which tables can hold; Linux takes any bytes for a name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def why_unused(file: Path, root: Path) -> str | None:
    """The reason why a file below `root` cannot be a photo, or None; the file itself is not read."""
    if any(part.startswith(".") for part in file.relative_to(root).parts):
        return "junk: the name starts with a dot"
    if not is_text(file.relative_to(root).as_posix()):
        return "its name is not UTF-8"
    if not file.is_file():
        if file.is_dir():
            return "a link to a folder, which is not followed" if file.is_symlink() else "a folder that cannot be read"
        return "a link to nowhere"
    if file.suffix.lower() not in SUFFIXES:
        return f"not a photo: the name ends with none of {' '.join(SUFFIXES)}"
    return None
