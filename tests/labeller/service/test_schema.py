"""Whatever a request holds, its answer is one that the OpenAPI description names, in its form, and never a 5xx."""
import subprocess
import sys
from pathlib import Path

import pytest

from tests.labeller.service.served import served

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
          "unsupported_method", "negative_data_rejection")


@pytest.mark.slow
def test_made_up_requests_get_the_answers_that_are_described(exported, here):
    with served(exported.root / "bundle/model") as (_, url):
        done = subprocess.run([Path(sys.executable).with_name("schemathesis"), "run", f"{url}/openapi.json", "--checks",
                               ",".join(CHECKS), "--max-examples", "200", "--seed", "1", "--no-color"],
                              check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "4 passed" in done.stdout  # every path was tried
