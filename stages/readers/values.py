"""What people write for the values of an attribute. Numbers are those of the contest's class: gender 0 is male."""
from collections import Counter

import pandas as pd

from stages.core.classes import VALUES

SYNONYMS = {
    "mask": {"worn": ["mask", "masked", "with_mask", "correct", "wear"],
             "incorrect": ["wrong", "worn_wrongly", "incorrect_mask", "mask_weared_incorrect"],
             "bare": ["no_mask", "without_mask", "unmasked", "not_worn", "not_wear", "normal"]},
    "gender": {"male": ["m", "man", "boy"], "female": ["f", "w", "woman", "girl"]},
}


def plain(value: str) -> str:
    """A value without its spelling: upper case, spaces and hyphens."""
    return value.strip().lower().replace(" ", "_").replace("-", "_")


def read_values(given: pd.Series, attribute: str) -> tuple[pd.Series, Counter]:
    """The values under their names in VALUES, and how often another word was read as one: (word, name): photos.

    given: text. Words that nobody would take for a value stay as they are, for an error text.
    """
    known = {word: name for name, words in SYNONYMS[attribute].items() for word in [name, *words]}
    known |= {str(i): name for i, name in enumerate(VALUES[attribute])}
    values = given.map(lambda word: known.get(plain(word), word))
    changed = (values != given) & given.map(lambda word: not word.strip().isdigit())
    return values, Counter(zip(given[changed], values[changed]))
