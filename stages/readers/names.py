"""What both readers share: the columns of a row, and how an error text names files."""
COLUMNS = ["photo", "person", "part", "mask", "gender", "age"]  # a row a photo; photo is its path below data.root
SHOWN = 3  # examples in an error text


def names(items) -> str:
    """The first items, sorted, and how many more there are, for an error text."""
    items = sorted(items)
    return ", ".join(items[:SHOWN]) + (f" and {len(items) - SHOWN} more" if len(items) > SHOWN else "")
