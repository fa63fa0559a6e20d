"""A bundle is published whole, and nothing else; a damaged one, and a hub that refuses, are said in one line."""
import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from huggingface_hub.errors import LocalTokenNotFoundError

from stages.core.errors import UserError
from tests.conftest import ROOT
from tools import push_to_hub


class Hub(BaseHTTPRequestHandler):
    """Stands in for the hub: takes a repository and one commit, whose files it keeps; knows the token `right` alone."""

    files: dict[str, bytes]
    message: str

    def log_message(self, *_):
        pass

    def answer(self, content: dict, status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):  # of an empty repository
        self.answer({"id": "me/faces", "_id": "1", "siblings": [], "sha": "0" * 40, "tags": [], "private": False})

    def do_POST(self):
        sent = self.body()
        if self.headers["Authorization"] != "Bearer right":
            self.answer({"error": "Invalid username or password."}, 401)
        elif self.path == "/api/repos/create":
            self.answer({"url": f"http://{self.headers['Host']}/me/faces", "name": "me/faces", "id": "1"})
        elif self.path.startswith("/api/models/me/faces/preupload/"):
            files = json.loads(sent)["files"]
            self.answer({"files": [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]})
        elif self.path.startswith("/api/models/me/faces/commit/"):
            lines = [json.loads(line) for line in sent.splitlines()]
            Hub.message = next(line["value"]["summary"] for line in lines if line["key"] == "header")
            Hub.files |= {line["value"]["path"]: base64.b64decode(line["value"]["content"]) for line in lines
                          if line["key"] == "file"}
            self.answer({"commitUrl": f"http://{self.headers['Host']}/me/faces/commit/1", "commitOid": "1" * 40})
        else:
            self.answer({})  # validation of the model card

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers["Content-Length"]))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)


@pytest.fixture
def hub():
    Hub.files, Hub.message = {}, ""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def bundle(exported, tmp_path):
    """A copy with a file that is none of its own."""
    shutil.copytree(exported.root / "bundle/model", tmp_path / "model")
    (tmp_path / "model/notes.txt").write_text("not for others")
    return tmp_path / "model"


def test_who_has_no_account_is_told_how_to_have_one(bundle, hub, monkeypatch):
    def nobody(*_, **__):
        raise LocalTokenNotFoundError

    monkeypatch.setattr("tools.push_to_hub.HfApi.create_repo", nobody)
    with pytest.raises(UserError, match="no account: run `hf auth login`, or set HF_TOKEN"):
        push_to_hub.push(bundle, "me/faces", private=True)


def push(bundle, hub: str, *, token: str = "right") -> tuple[int, str, str]:
    env = os.environ | {"HF_ENDPOINT": hub, "HF_TOKEN": token, "HF_HOME": str(bundle.parent / "home"),
                        "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run([sys.executable, "-m", "tools.push_to_hub", "me/faces", "--bundle", str(bundle)], check=False,
                          cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def test_the_hub_gets_the_files_of_the_card_and_no_other(bundle, hub):
    code, out, error = push(bundle, hub)
    assert code == 0, error
    assert f"published: {hub}/me/faces/commit/1" in out
    card = json.loads((bundle / "card.json").read_text())
    assert Hub.files == {name: (bundle / name).read_bytes() for name in [*card["files"], "card.json"]}
    assert Hub.files["README.md"].startswith(b"---\nlicense: other\n")
    assert Hub.message == f"mask-gender-age, made from {card['made_from']['revision']}"


def test_a_damaged_bundle_is_not_sent(bundle, hub):
    (bundle / "age-0.safetensors").write_bytes(b"damaged")
    code, _, error = push(bundle, hub)
    assert code == 1
    assert error == f"error: {bundle}/age-0.safetensors: damaged, since its hash is not the card's; copy the bundle again\n"
    assert Hub.files == {}


def test_what_the_hub_says_is_one_line(bundle, hub):
    code, _, error = push(bundle, hub, token="wrong")
    assert (code, error.count("\n")) == (1, 1)
    assert error.startswith("error: me/faces: ")
    assert "401" in error or "Invalid" in error


def test_a_hub_that_is_not_there_is_one_line(bundle):
    code, _, error = push(bundle, "http://127.0.0.1:9")
    assert (code, error.count("\n")) == (1, 1)
    assert error.startswith("error: http://127.0.0.1:9: ")
