"""Names of the files of a painted set: people and photos may be called anything."""
import hashlib
import re
from pathlib import Path

MAGIC = {b"\x89PNG": ".png", b"RIFF": ".webp", b"BM": ".bmp"}  # how a file starts; else it is a JPEG
LONGEST = 60  # characters of a person's or a photo's name


def digest(text: str, length: int) -> str:
    """So many hexadecimal digits that tell one text from another."""
    return hashlib.sha1(text.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()[:length]


def plain(text: str) -> str:
    """The letters, digits, _ and - of a text."""
    return re.sub(r"[^\w-]+", "_", text.encode("utf-8", "replace").decode()).strip("_")[:LONGEST]


def folder_of(person: str) -> str:
    """A folder's name for a person, another for each; photos to label may have none ("")."""
    if not person:
        return "to_label"
    return person if plain(person) == person else f"{plain(person)}_{digest(person, 8)}"


def name_of(photo: str, person: str, made: str, suffix: str) -> str:
    """Path, below the painted set, of what is made of a photo; made: such as well1, or "" for the photo itself."""
    return f"{folder_of(person)}/{plain(Path(photo).stem)}-{digest(photo, 8)}{'-' * bool(made)}{made}{suffix}"


def suffix_of(data: bytes) -> str:
    """The suffix of a photo's format, by its first bytes: one in a Parquet file has no name."""
    return next((suffix for magic, suffix in MAGIC.items() if data.startswith(magic)), ".jpg")
