"""tools.licences: each pinned package is listed with what it states, and reports/licences.md is of these pins."""
import re
from email.message import Message

import pytest

from tests.conftest import ROOT
from tools import licences


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def metadata(**fields) -> Message:
    message = Message()
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            message[name.replace("_", "-")] = one
    return message


@pytest.mark.parametrize("fields, stated", [
    ({"License_Expression": "MIT", "License": "see file"}, "MIT"),
    ({"License": "Apache 2.0"}, "Apache 2.0"),
    ({"License": "GPLv2 | EPLv1"}, "GPLv2 or EPLv1"),
    ({"License": "Dual License", "Classifier": ["License :: OSI Approved :: A", "License :: OSI Approved :: B"]}, "A or B"),
    ({"License": "EPL-2.0", "Classifier": ["License :: OSI Approved"]}, "EPL-2.0"),
    ({"License": "  Apache License\n  Version 2.0, and so on"}, "Apache License"),
    ({"Classifier": ["Topic :: Software"]}, "not stated"),
    ({}, "not stated"),
])
def test_what_a_package_states(fields, stated):
    assert licences.licence(metadata(**fields)) == stated


def test_the_report_lists_every_pin_once_and_nothing_else():
    text = licences.REPORT.read_text()
    absent = re.search(r"not installed here: (.+)\.$", text, re.MULTILINE)
    listed = re.findall(r"^\| ([\w.-]+) \|", text, re.MULTILINE)[1:] + (absent[1].split(", ") if absent else [])
    assert sorted(listed) == sorted(licences.pinned()), "make licences"


def test_what_labels_photos_brings_no_copyleft_but_by_file():
    """MPL's is by file, of tqdm, which nobody here changes."""
    rows = re.findall(r"^\| ([\w.-]+) \| (.+) \| labelling \|$", licences.table(), re.MULTILINE)
    assert {"numpy", "onnxruntime", "tqdm"} <= {name for name, _ in rows}
    assert not [row for row in rows if re.search(r"GPL|EPL|Proprietary|not stated", row[1])]
