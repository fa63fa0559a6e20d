"""The service gives the command's labels, refuses what is too much or no photo in one line, and forgets whoever left."""
import asyncio
import json
import re
import threading
from io import BytesIO
from typing import get_args

import httpx
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from labeller.bundle import Bundle
from labeller.labeller import Labeller
from labeller.results import Photo
from labeller.service import app as service
from labeller.service.answers import FaceAnswer
from labeller.service.app import STATIC, create_app
from labeller.service.limits import Limits


@pytest.fixture(scope="module")
def bundle(exported) -> Bundle:
    return Bundle(exported.root / "bundle/model")


@pytest.fixture(scope="module")
def photo(exported) -> bytes:
    return min((exported.root / "data/sample/eval/images").iterdir()).read_bytes()


@pytest.fixture(scope="module")
def client(bundle):
    with TestClient(create_app(bundle)) as client:
        yield client


class Blocked:
    """Stands in for Labeller: labels nothing until it is let go."""

    free = threading.Event()

    def __init__(self, *_):
        Blocked.free.clear()

    def label_batch(self, photos):
        assert Blocked.free.wait(20)
        return [Photo("", (4, 3)) for _ in photos]


@pytest.fixture
def blocked(monkeypatch):
    monkeypatch.setattr(service, "Labeller", Blocked)
    yield Blocked
    Blocked.free.set()


def test_a_ready_crop_has_a_face_and_the_answer_says_how_it_was_found(client, exported):
    boxes = pd.read_csv(exported.root / "data/boxes.csv")
    face = boxes[(boxes.found == "mtcnn") & boxes.photo.str.contains("normal")].iloc[0]
    across, down = (face.x1 - face.x0) // 10, (face.y1 - face.y0) // 10
    inner = face.x0 + across, face.y0 + down, face.x1 - across, face.y1 - down
    tight = BytesIO()
    Image.open(exported.root / "data/sample" / face.photo).crop(inner).resize((50, 60)).save(tight, "PNG")
    for query in ("", "?faces=largest"):
        [face] = client.post(f"/label{query}", content=tight.getvalue()).json()["faces"]
        assert (face["found"], len(face["landmarks"])) == ("padded", 5)


def test_the_page_has_words_for_every_way_to_find_a_face():
    ways = get_args(FaceAnswer.model_fields["found"].annotation)
    block = re.search(r"const FOUND = {(.*?)}", (STATIC / "app.js").read_text(), re.DOTALL)[1]
    assert re.findall(r'(\w+): "', block) == [*ways]


def test_a_photo_gets_the_labels_that_the_command_gives_it(client, bundle, photo):
    for query, labeller in {
            "": Labeller(bundle, "all"), "?faces=largest": Labeller(bundle),
            "?cropped=true": Labeller(bundle, "all", cropped=True),
            "?only=age&only=mask": Labeller(bundle, "all", only=["mask", "age"])}.items():
        wanted = labeller.label(photo).to_dict()
        answer = client.post(f"/label{query}", content=photo)
        assert answer.status_code == 200
        assert answer.json() == json.loads(json.dumps({key: wanted[key] for key in ("width", "height", "faces")}))
        assert answer.json()["faces"]


def test_a_photo_without_a_face_has_none_and_no_error(client, tmp_path):
    Image.new("RGB", (300, 200)).save(tmp_path / "empty.png")
    answer = client.post("/label", content=(tmp_path / "empty.png").read_bytes())
    assert (answer.status_code, answer.json()) == (200, {"width": 300, "height": 200, "faces": []})


@pytest.mark.parametrize("body, query, headers, status, reason", [
    (b"", "", {}, 400, "no photo; send the photo itself"),
    (b"a text", "", {"content-type": "image/jpeg"}, 422, "not an image"),
    (b"\0\0\0\x18ftypheic" + bytes(99), "", {}, 422, "HEIC, which is not read; convert it"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF", "", {}, 422, r"\w+"),
    (b"a form", "", {"content-type": "multipart/form-data; boundary=x"}, 415, "a form; send the photo itself"),
    (b"a text", "?only=hat", {}, 422, "only: Input should be 'mask', 'gender' or 'age'"),
    (b"a text", "?faces=some", {}, 422, "faces: Input should be 'all' or 'largest'"),
    (b"a text", "?cropped=perhaps", {}, 422, "cropped: Input should be a valid boolean"),
    (bytes(20_000_001), "", {}, 413, "more than 20 MB; send a smaller photo"),
    (b"a text", "", {"content-length": "six"}, 400, "content-length is no number of bytes"),
])
def test_what_cannot_be_labelled_gets_its_reason_in_one_line(client, body, query, headers, status, reason):
    answer = client.post(f"/label{query}", content=body, headers=headers)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert re.match(reason, answer.json()["error"])
    assert "\n" not in answer.json()["error"]


def test_a_photo_of_too_many_pixels_is_refused_before_it_is_decoded(bundle, photo):
    with TestClient(create_app(bundle, Limits(megapixels=0.1))) as client:
        answer = client.post("/label", content=photo)
    assert (answer.status_code, answer.json()) == (422, {"error": "384x512 pixels, more than 0.1 million"})


def test_a_photo_that_grows_beyond_what_it_claimed_is_stopped(bundle):
    with TestClient(create_app(bundle, Limits(megabytes=0.01))) as client:
        answer = client.post("/label", content=(bytes(1000) for _ in range(100)))  # chunks, of no claimed length
    assert answer.status_code == 413


def test_a_bundle_that_no_photo_with_all_labels_scored_says_so(bundle, monkeypatch):
    monkeypatch.setitem(bundle.card["metrics"], "f1", None)
    with TestClient(create_app(bundle)) as client:
        answer = client.get("/bundle")
    assert (answer.status_code, answer.json()["f1"], answer.json()["interval"]) == (200, None, None)


def test_paths_outside_are_not_found(client):
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/nothing"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


def test_who_comes_when_it_is_full_is_told_when_to_come_again_and_the_others_are_answered(bundle, blocked):
    async def crowd():
        app = create_app(bundle, Limits(photos=3, threads=1))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            early = [asyncio.create_task(client.post("/label", content=b"x")) for _ in range(3)]
            while "under_way 3.0" not in (await client.get("/metrics")).text:
                await asyncio.sleep(0.01)
            late = await client.post("/label", content=b"x")
            blocked.free.set()
            return late, [await task for task in early], (await client.get("/metrics")).text
    late, early, metrics = asyncio.run(crowd())
    assert (late.status_code, late.json()) == (503, {"error": "too many photos at once; try again later"})
    assert int(late.headers["retry-after"]) >= 1
    assert [answer.status_code for answer in early] == [200] * 3
    assert 'label_answers_total{status="503"} 1.0' in metrics
    assert 'label_answers_total{status="200"} 3.0' in metrics
    assert "label_photos_under_way 0.0" in metrics


def test_more_bytes_than_may_be_held_are_refused(bundle, blocked):
    async def crowd():
        app = create_app(bundle, Limits(held=0.001, threads=1))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            first = asyncio.create_task(client.post("/label", content=bytes(900)))
            while "label_bytes_held 900.0" not in (await client.get("/metrics")).text:
                await asyncio.sleep(0.01)
            second = await client.post("/label", content=bytes(900))
            blocked.free.set()
            return second, await first, (await client.get("/metrics")).text
    second, first, metrics = asyncio.run(crowd())
    assert (second.status_code, first.status_code) == (503, 200)
    assert "label_bytes_held 0.0" in metrics


def test_a_photo_that_takes_too_long_is_given_up_and_keeps_its_place_until_it_is_done(bundle, blocked):
    with TestClient(create_app(bundle, Limits(seconds=0.2, threads=1))) as client:
        answer = client.post("/label", content=b"x")
        assert (answer.status_code, answer.json()) == (503, {"error": "not labelled within 0.2 s"})
        assert "label_photos_under_way 1.0" in client.get("/metrics").text  # its memory is still taken
        blocked.free.set()
        assert client.post("/label", content=b"x").status_code == 200
        assert "label_photos_under_way 0.0" in client.get("/metrics").text


def test_a_photo_that_is_sent_too_slowly_is_given_up(bundle):
    async def slow():
        yield b"x"
        await asyncio.sleep(0.5)
        yield b"x"

    async def send():
        app = create_app(bundle, Limits(seconds=0.1))
        sent = slow()

        async def receive():
            chunk = await anext(sent, None)
            return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}
        answers = []

        async def answer(message):
            answers.append(message)
        scope = {"type": "http", "method": "POST", "path": "/label", "query_string": b"", "headers": []}
        await app(scope, receive, answer)
        return answers
    start, body = asyncio.run(send())
    assert start["status"] == 408
    assert json.loads(body["body"]) == {"error": "the photo did not arrive within 0.1 s"}


def test_an_interrupted_upload_leaves_nothing_behind(bundle):
    async def send():
        app = create_app(bundle)
        messages = iter([{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"},
                         {"type": "http.disconnect"}])

        async def receive():
            return next(messages)
        answers = []

        async def answer(message):
            answers.append(message)
        scope = {"type": "http", "method": "POST", "path": "/label", "query_string": b"",
                 "headers": [(b"content-length", b"1000")]}
        await app(scope, receive, answer)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            return answers[0]["status"], answers[1]["body"], (await client.get("/metrics")).text
    status, body, metrics = asyncio.run(send())
    assert (status, json.loads(body)) == (400, {"error": "the upload was interrupted"})
    assert "label_photos_under_way 0.0" in metrics
    assert "label_bytes_held 0.0" in metrics


def test_health_tells_of_a_dead_thread(bundle, monkeypatch):
    with TestClient(create_app(bundle)) as client:
        assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (200, {"status": "ok"})
        monkeypatch.setattr(service.Batches, "alive", lambda _: False)
        assert client.get("/healthz").status_code == 503


def test_the_bundle_says_what_the_labels_come_from(client, bundle):
    answer = client.get("/bundle").json()
    assert answer["classes"] == bundle.classes
    assert answer["f1"] == bundle.card["metrics"]["f1"]
    assert answer["interval"][0] <= answer["f1"] <= answer["interval"][1]


def test_every_answer_forbids_the_browser_to_load_anything_from_elsewhere(client):
    answers = [client.get(path) for path in ("/", "/static/app.js", "/none", "/healthz")]
    for answer in [*answers, client.post("/label")]:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    for file in STATIC.iterdir():
        assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", file.read_text()), file


def test_every_status_that_it_gives_is_in_its_description(client):
    described = client.get("/openapi.json").json()["paths"]
    assert set(described["/label"]["post"]["responses"]) == {"200", "400", "408", "413", "415", "422", "503"}
    assert set(described) == {"/label", "/bundle", "/healthz", "/metrics"}
