"""What people write for the values of an attribute and for a part, and ages as a range.

Numbers are those of the contest's class: gender 0 is male. A range of ages, such as 20-29, is read as one year within it:
the middle, rounded down (24), or the lowest of one without an end (60+ is 60). A range that holds two of the age groups
is refused, since no year stands for it.
"""
import re
from functools import lru_cache

from stages.core.classes import AGE, OLDEST, Classes

SYNONYMS = {
    "mask": {"worn": ["mask", "masked", "with_mask", "correct", "wear"],
             "incorrect": ["wrong", "worn_wrongly", "incorrect_mask", "mask_weared_incorrect"],
             "bare": ["no_mask", "without_mask", "unmasked", "not_worn", "not_wear", "normal"]},
    "gender": {"male": ["m", "man", "boy"], "female": ["f", "w", "woman", "girl"]},
    "part": {"train": ["training", "val", "valid", "validation", "dev"], "eval": ["test", "testing"]},
}
WORDS = {attribute: {word: name for name, words in known.items() for word in [name, *words]}
         for attribute, known in SYNONYMS.items()}
YEARS = re.compile(r"0*(\d{1,3})(?:\.0*)?")  # float() would take 20_29 for 2029
RANGE = re.compile(r"(\d{1,3})(?:_+|_*to_*)(\d{1,3})")
FROM = re.compile(r"(\d{1,3})_*(?:\+|plus|and_over|and_older|or_over|or_older|or_more)")
ABOVE = re.compile(r"(?:>|over|above|more_than|older_than)_*(\d{1,3})")
BELOW = re.compile(r"(?:<|under|below|less_than|younger_than)_*(\d{1,3})")


def plain(value: str) -> str:
    """A value without its spelling: upper case, spaces and hyphens."""
    return re.sub("[ \u2010-\u2015-]", "_", value.strip().lower())


def allowed(attribute: str, classes: Classes) -> str:
    """The values of an attribute, for an error text."""
    return f"whole years from 0 to {OLDEST}" if attribute == AGE else ", ".join(classes.values[attribute])


def words_of(attribute: str, classes: Classes) -> dict[str, str]:
    """The value that each word stands for: its own name, and its synonyms."""
    names = classes.values[attribute]
    return {word: name for word, name in WORDS.get(attribute, {}).items() if name in names} | {name: name for name in names}


def read_value(word: str, attribute: str, classes: Classes) -> str | None:
    """The name of the value, or the whole years, that a word stands for, None if for none; "" is missing, and stays."""
    if not word:
        return ""
    if attribute == AGE:
        year = read_years(word, classes)
        return None if year is None else str(year)
    numbers = {str(i): name for i, name in enumerate(classes.values[attribute])}
    return (words_of(attribute, classes) | numbers).get(plain(word))


def read_years(word: str, classes: Classes) -> int | None:
    """Whole years, 0 to OLDEST, from a number or a range; None for anything else, also for a range over a border."""
    if found := YEARS.fullmatch(word):
        return years if (years := int(found[1])) <= OLDEST else None
    low, high, year = range_of(word, classes) or (1, 0, 0)
    return year if low <= high <= OLDEST and classes.age_group(low) == classes.age_group(high) else None


def range_of(word: str, classes: Classes) -> tuple[int, int, int] | None:
    """Lowest and highest year of a range, and the one that stands for it; None if the word is no range."""
    word = plain(word)
    if found := RANGE.fullmatch(word):
        low, high = map(int, found.groups())
        return low, high, (low + high) // 2
    if found := FROM.fullmatch(word) or ABOVE.fullmatch(word):
        low = int(found[1])
        low += bool(ABOVE.fullmatch(word)) and low + 1 in classes.borders  # more than 59 is 60; more than 70 stays 70
        return low, OLDEST, low
    if found := BELOW.fullmatch(word):
        high = int(found[1]) - 1
        return 0, high, high // 2
    return None


def read_part(word: str) -> str | None:
    """train or eval, or None. Validation is training, since the folds validate; test is eval: its labels stay unseen."""
    return WORDS["part"].get(plain(word))


def part_of_shard(photo: str) -> str:
    """train or eval, as a folder or the first word of a shard's name says: train-00000-of-00002.parquet/7; else ""."""
    return part_of_folders(photo.rpartition("/")[0])


@lru_cache(maxsize=16)  # photos come shard by shard
def part_of_folders(folders: str) -> str:
    words = [re.split(r"[-_.]", folder)[0] for folder in folders.split("/")]
    return next((part for word in words if (part := read_part(word))), "")
