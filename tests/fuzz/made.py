"""What the tests feed: damaged bytes, strange names, tables and YAML."""
from hypothesis import strategies as st

STRANGE = [  # names and cells that some program somewhere takes for something else
    "", " ", ".", "..", "../x", "/etc/passwd", "-", "--help", "-rf", "~", "$HOME", "*", "?", "[a]", "{a,b}", "a;b", "a|b",
    "`a`",
    "$(a)", "&", "%s", "%00", "\\", "a\\b", "a/b", "//", "a//b", "./a", "CON", "nul.jpg", "NA", "nan", "None", "null", "true",
    "=1+1", "@a", "+1", "'", '"', '""', ",", ";", "\t", "a\tb", "a\nb", "a\r\nb", "\r", "a\0b", "\0", "\x1b[2J", "\x7f", "\x85",
    "\u2028", "\u200b", "\u202e", "\ufeff", "\ufffd", "e\u0301", "\u00e9", "\u1100\u1161\u11a8", "\uac01", "\U0001f637",
    "\ud800",
    "\udcff", "x" * 256, "\uac01" * 100, "9" * 5000, "-1", "1e999", "1_000", "\u0663", "\u00b2", "0x10", "007", "25.0", "60+",
    "20-29",
    "99-10", "121", "worn", "WORN", "male", "train", "test", "photo", "person", "refused", "part", "md5", "index", "class",
]
texts = st.sampled_from(STRANGE) | st.text(max_size=8) | st.text(st.characters(), max_size=3)
cells = st.sampled_from(["a.jpg", "b.jpg", "worn", "male", "25", "60", "train", "eval", "", "anna"]) | texts


def readable(text: str) -> str:
    """A text as UTF-8 can hold it."""
    return text.encode("utf-8", "replace").decode()


@st.composite
def damaged(draw, whole: bytes) -> bytes:
    """Bytes with a few of them changed, cut off, left out, doubled, or put elsewhere."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, max(0, len(data) - 1))), draw(st.integers(1, 64))
        how = draw(st.sampled_from(["flip", "set", "number", "cut", "leave out", "double", "insert", "move"]))
        if how == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "set":
            data[at:at + length] = draw(st.sampled_from([b"\0", b"\xff", b"\x7f", b"\x80"])) * length
        elif how == "number":
            data[at:at + 4] = draw(st.sampled_from([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f",
                                                    b"\0\0\0\x80",
                                                    b"\0\1\0\0", b"\0\0\1\0"]))
        elif how == "cut":
            del data[at:]
        elif how == "leave out":
            del data[at:at + length]
        elif how == "double":
            data[at:at] = data[at:at + length]
        elif how == "insert":
            data[at:at] = draw(st.binary(max_size=64))
        else:
            part = data[at:at + length]
            del data[at:at + length]
            to = draw(st.integers(0, len(data)))
            data[to:to] = part
    return bytes(data)


@st.composite
def tables(draw, columns: list[str]) -> bytes:
    """A CSV that has some of the columns, or others, and rows of cells of all kinds, in some encoding."""
    names = draw(st.one_of(st.just(columns), st.permutations(columns), st.lists(st.sampled_from(columns) | texts, max_size=7)))
    wide = st.just(len(names)) | st.integers(0, 8)
    rows = [names, *draw(st.lists(wide.flatmap(lambda width: st.lists(cells, min_size=width, max_size=width)), max_size=6))]
    comma = draw(st.sampled_from([",", ",", ",", ";", "\t"]))
    quoted = draw(st.booleans())
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n"]))
    lines = [comma.join('"' + cell.replace('"', '""') + '"' if quoted or draw(st.integers(0, 9)) == 0 else cell for cell in row)
             for row in rows]
    text = draw(st.sampled_from(["", "", "", "\ufeff"])) + end.join(lines) + draw(st.sampled_from([end, ""]))
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "cp949", "latin-1"])), "replace")
