"""The command label-app starts, ends cleanly whatever it is doing, and says in one line why it cannot start."""
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import ROOT
from tests.labeller.service.served import served


@pytest.fixture(scope="module")
def folder(exported):
    return exported.root / "bundle/model"


@pytest.fixture(scope="module")
def photo(exported) -> bytes:
    return min((exported.root / "data/sample/eval/images").iterdir()).read_bytes()


def test_it_answers_who_waits_before_it_ends(folder, photo):
    with served(folder, "--threads", "1") as (process, url):
        answers = []
        senders = [threading.Thread(target=lambda: answers.append(httpx.post(f"{url}/label", content=photo, timeout=60)))
                   for _ in range(6)]
        for sender in senders:
            sender.start()
        while not re.search(r"label_photos_under_way [1-6]", httpx.get(f"{url}/metrics").text):
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        for sender in senders:
            sender.join()
        assert {answer.status_code for answer in answers} == {200}
        assert process.wait(30) in (0, -signal.SIGTERM)
        assert process.stderr.read() == ""


def test_a_client_that_hangs_up_or_lies_of_its_length_harms_nobody(folder, photo):
    with served(folder, "--seconds", "1") as (_, url):
        host, port = urlsplit(url).hostname, urlsplit(url).port
        head = f"POST /label HTTP/1.1\r\nHost: {host}\r\nContent-Length: "
        for length, body, keep in ((1000, b"half", False), (1000, b"half", True), (2, photo, True), ("x", b"", True),
                                   (-5, b"", True)):
            with socket.create_connection((host, port), timeout=20) as line:
                line.sendall(f"{head}{length}\r\n\r\n".encode() + body)
                if keep:
                    assert re.match(rb"HTTP/1.1 4\d\d ", line.recv(100)), (length, body[:9])
        assert httpx.post(f"{url}/label", content=photo, timeout=60).status_code == 200
        assert "label_photos_under_way 0.0" in httpx.get(f"{url}/metrics").text


def run(*words: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "labeller.service", *words], check=False, cwd=ROOT, capture_output=True,
                          text=True, timeout=60)
    return done.returncode, done.stderr


def test_without_the_packages_of_the_service_it_says_what_to_install():
    code = "import sys; sys.modules['uvicorn'] = None; from labeller.service.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: uvicorn is not installed; ")
    assert line.endswith("install mask-gender-age[app]")


def test_what_keeps_it_from_starting_is_said_in_one_line(folder, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for words, reason in {
                ("--bundle", str(tmp_path)): f"{tmp_path}: no bundle, for it has no card.json",
                ("--bundle", str(folder), "--port", port): f"--host 127.0.0.1 --port {port}: Address already in use",
                ("--bundle", str(folder), "--port", "70000"): "--host 127.0.0.1 --port 70000: ",
                ("--bundle", str(folder), "--host", "nowhere.invalid"): "--host nowhere.invalid --port 8000: ",
                ("--bundle", str(folder), "--photos", "0"): "--photos 0: must be above 0"}.items():
            code, error = run(*words)
            assert code == 1
            assert error.startswith(f"error: {reason}")
            assert error.count("\n") == 1
