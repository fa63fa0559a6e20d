"""The exception for errors that the user can fix, and how any text becomes one line."""
LONGEST = 2000  # letters of a line; a table may have a thousand columns, and a cell a million letters


class UserError(Exception):
    """Wrong data or parameters; the text names the file or parameter, the value, and what is allowed."""

    def __str__(self):
        return one_line(super().__str__())


def one_line(text: str) -> str:
    """A text with escapes for what is no letter, sign or plain space, such as line breaks, and without the middle if long.

    A name can hold anything: a line break would make two lines, and a control character may rule a terminal.
    """
    if len(text) > LONGEST:
        text = f"{text[:LONGEST * 3 // 4]} ... {text[-LONGEST // 4:]}"
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
