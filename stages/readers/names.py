"""What all readers share: the columns of a row, and how a text names files and counts photos."""
PLACE = ["photo", "person", "part"]  # of a row, beside the attributes; photo is its path below data.root
COLUMNS = [*PLACE, "mask", "gender", "age"]  # a row a photo, in layouts whose attributes are known
SHOWN = 3  # examples in an error text


def names(items) -> str:
    """The first items, sorted, and how many more there are, for an error text."""
    items = sorted(items)
    return ", ".join(items[:SHOWN]) + (f" and {len(items) - SHOWN} more" if len(items) > SHOWN else "")


def either(words) -> str:
    """The words as a choice: mask, gender or age."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def photos(count: int) -> str:
    """Such as "1 photo" and "2 photos"."""
    return f"{count} photo{'s' * (count != 1)}"
