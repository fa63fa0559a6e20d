"""A service in a process of its own."""
import contextlib
import re
import subprocess
import sys

from tests.conftest import ROOT


@contextlib.contextmanager
def served(bundle, *words: str):
    """The process and the URL of a service of a bundle, ended at the end."""
    with subprocess.Popen([sys.executable, "-m", "labeller.service", "--bundle", str(bundle), "--port", "0", *words], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            url = re.search(r"http://\S+?(?=;)", line)
            assert url, line + process.stderr.read()
            yield process, url[0]
        finally:
            process.terminate()
            process.communicate(timeout=60)
