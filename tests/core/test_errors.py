"""Whatever a text holds, a user sees one line of it, and no control character; the command `label` has the same rule."""
import pytest

from labeller.errors import BundleError
from stages.core.errors import UserError

BOTH = pytest.mark.parametrize("error", [UserError, BundleError])


@BOTH
@pytest.mark.parametrize("text, line", [
    ("a.jpg: 한글, é and 😷 stay", "a.jpg: 한글, é and 😷 stay"),
    ("a\nb\r\x85\u2028c", "a\\nb\\r\\x85\\u2028c"),
    ("\x1b[2J\0\u202e\udcff", "\\x1b[2J\\x00\\u202e\\udcff"),
])
def test_what_is_no_letter_or_sign_is_escaped(error, text, line):
    assert str(error(text)) == line


@BOTH
def test_a_long_text_keeps_its_beginning_and_its_end(error):
    line = str(error("a.csv: " + "x" * 100_000 + "; mend it"))
    assert len(line) < 2100
    assert line.startswith("a.csv: xxx")
    assert line.endswith("xxx; mend it")
