"""What the readers of photos share: which files there are, why one is no photo, and how an error names many."""
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
COLUMNS = ["photo", "person", "part", "mask", "gender", "age"]  # of a row a photo; photo is a path below data.root
SHOWN = 3  # how many examples an error names


def names(items) -> str:
    items = sorted(items)
    return ", ".join(items[:SHOWN]) + (f" and {len(items) - SHOWN} more" if len(items) > SHOWN else "")


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder, sorted, also a link to nowhere, or to a folder, which is not entered."""
    return sorted(file for file in folder.rglob("*") if file.is_symlink() or not file.is_dir())


def why_unused(file: Path, root: Path) -> str | None:
    """The reason why a file below `root` can't be a photo, by its name alone."""
    if any(part.startswith(".") for part in file.relative_to(root).parts):
        return "junk: the name starts with a dot"
    if not file.is_file():
        return "a link to a folder, which is not followed" if file.is_dir() else "a link to nowhere"
    if file.suffix.lower() not in SUFFIXES:
        return f"not a photo: the name ends with none of {' '.join(SUFFIXES)}"
    return None
