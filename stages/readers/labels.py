"""Check the labels of all rows: words become names, ranges of ages years, and a row with a wrong value is refused.

A label may be missing (""); a photo to train on without any is refused. A refused row's photo goes to unused.csv.
"""
from collections import Counter

import pandas as pd

from stages.core.classes import AGE, Classes
from stages.core.errors import UserError
from stages.readers.names import either, photos
from stages.readers.values import allowed, range_of, read_part, read_value

SHOWN = 5  # refused photos on screen
LONGEST = 40  # letters of a word in a reason


def check_rows(rows: pd.DataFrame, classes: Classes, where: str, change: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """The rows that can be used, and the reason why each other photo cannot. rows: PLACE and attributes, and `refused`
    if a reader has some.

    The labels of the part to label, which nothing uses, become "". Prints what was read as what, what is missing, and the
    first refused. Raises UserError if more than half of the rows to train on are refused. where: what holds the rows, and
    change: the parameter that may be wrong then.
    """
    rows, reasons = read_parts(rows)
    if "refused" in rows:
        reasons = rows.refused.where(rows.refused != "", reasons)
        rows = rows.drop(columns="refused")
    train = rows.part == "train"
    attributes = list(classes.attributes)
    rows.loc[~train, attributes] = ""
    for attribute in attributes:
        rows[attribute], wrong = read_labels(rows[attribute], attribute, classes)
        reasons = reasons.where(reasons != "", wrong)
    unlabelled = train & (rows[attributes] == "").all(axis=1)
    reasons = reasons.mask((reasons == "") & unlabelled, f"no label of {either(attributes)}")
    refused = dict(zip(rows.photo[reasons != ""], reasons[reasons != ""]))
    show(refused, int((train | (rows.part == "")).sum()), where, change)
    rows, train = rows[reasons == ""].reset_index(drop=True), train[reasons == ""]
    for attribute in attributes:
        if lacking := int((rows[attribute] == "").sum() - (~train).sum()):
            print(f"  {attribute} is missing: {photos(lacking)} to train on")
    return rows, refused


def read_parts(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """The rows with part train or eval, or "" if it is another word; and the reason why each is refused, or ""."""
    meaning = {word: read_part(word) for word in rows.part.unique()}
    for word, count in sorted(Counter(rows.part).items()):
        if meaning[word] not in (None, word):
            print(f"  part {word!r} was read as {meaning[word]}: {photos(count)}")
    reasons = rows.part.map({word: "" if name else f"part is {shown(word)}; allowed are train, eval"
                             for word, name in meaning.items()})
    return rows.assign(part=rows.part.map({word: name or "" for word, name in meaning.items()})), reasons.astype(str)


def read_labels(given: pd.Series, attribute: str, classes: Classes) -> tuple[pd.Series, pd.Series]:
    """Names, or years as text, of the words given; and why each is refused, or ""."""
    counts = Counter(given)
    meaning = {word: read_value(word, attribute, classes) for word in counts}
    for word, count in sorted(counts.items()):
        if meaning[word] is not None and meaning[word] != word and (attribute != AGE or range_of(word, classes)):
            print(f"  {attribute} {word!r} was read as {meaning[word]}: {photos(count)}")
    wrong = {word: f"{attribute} is {shown(word)}; allowed are {allowed(attribute, classes)}" if name is None else ""
             for word, name in meaning.items()}
    if attribute == AGE:
        wrong |= {word: f"age is {word!r}, which is more than one of the age groups" for word in wrong
                  if wrong[word] and (years := range_of(word, classes)) and years[0] <= years[1]}
    return given.map({word: name or "" for word, name in meaning.items()}).astype(str), given.map(wrong).astype(str)


def shown(word: str) -> str:
    """A word in quotes, for a reason; of a long one the beginning."""
    return repr(word) if len(word) <= LONGEST else f"{word[:LONGEST]!r}..."


def show(refused: dict[str, str], of: int, where: str, change: str) -> None:
    """Print the first refused photos and how many there are; raises UserError if they are more than half of `of` rows."""
    if not refused:
        return
    if 2 * len(refused) > of:
        reason, count = Counter(refused.values()).most_common(1)[0]
        raise UserError(f"{where}: {len(refused)} of {of} photos to train on are refused, {count} of them since {reason}; "
                        f"mend them, or change {change} in params.yaml")
    print(f"  {photos(len(refused))} refused of {of} to train on (data/unused.csv):")
    for photo, reason in list(refused.items())[:SHOWN]:
        print(f"    {photo}: {reason}")
    if len(refused) > SHOWN:
        print(f"    and {len(refused) - SHOWN} more")
