"""Whatever a request holds, the service answers it in the form it describes, and goes on."""
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from labeller.bundle import Bundle
from labeller.service.app import PROBLEMS, create_app
from labeller.service.limits import Limits
from tests.fuzz.bounds import bounded, fuzzed
from tests.fuzz.made import damaged, readable, texts
from tests.readers.files import jpeg

visible = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
LENGTHS = ["", "-1", "0", "1", "x", "1e3", "1_0", "+5", " 5 ", "5, 5", "99999999999999999999", "9" * 5000, "0x10", "\u0663",
           "1.0", "NaN"]
headers = st.dictionaries(st.sampled_from(["content-type", "content-length", "expect", "range", "host", "origin", "cookie"]),
                          visible | st.sampled_from([*LENGTHS, "multipart/form-data", "image/jpeg; charset=\xff"]), max_size=3)
words = st.sampled_from(["all", "largest", "mask", "age", "true", "1", "", "%00", "%ff", "%", "&&", "=", "all&faces=largest"])
words |= texts.map(readable)
queries = st.lists(st.tuples(st.sampled_from(["faces", "only", "cropped", "", "only[]", "x"]) | texts.map(readable), words),
                   max_size=4)


@pytest.fixture(scope="module")
def client(exported):
    with TestClient(create_app(Bundle(Path(exported.root, "bundle/model")), Limits(megabytes=0.01, megapixels=1))) as client:
        yield client


@fuzzed
@given(query=queries, raw=st.booleans(), head=headers, body=damaged(jpeg("a")) | st.binary(max_size=50)
       | st.just(bytes(20_000)))
def test_requests_for_labels(client, query, raw, head, body):
    sent = {key: value.encode("latin-1", "replace") for key, value in head.items()}
    with bounded():
        if raw:
            query = "&".join(f"{key}={value}" for key, value in query).encode("ascii", "replace").decode()
            query = "".join(letter for letter in query if letter.isprintable() and letter not in "#")
        answer = client.post("/label", params=query, content=body, headers=sent)
        assert answer.status_code == 200 or answer.status_code in PROBLEMS
        assert answer.status_code == 200 or ["error"] == list(answer.json())
        assert len(answer.json().get("error", "").splitlines()) <= 1
    assert "label_photos_under_way 0.0" in client.get("/metrics").text


@fuzzed
@given(path=st.lists(texts.map(readable) | st.sampled_from(["static", "label", "bundle", "..", "%2e%2e", "%00", "app.js"]),
                     max_size=4), method=st.sampled_from(
    ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "X"]))
def test_other_paths(client, path, method):
    path = "".join(letter for letter in "/".join(path) if letter.isprintable() and letter not in "?#\\").lstrip("/")
    with bounded():
        answer = client.request(method, f"/{path}")
        assert answer.status_code < 500
