"""machine.deterministic holds torch to the same bytes, always on a CPU; a GPU that is not there is one line."""
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from stages.core.device import pick_device
from stages.core.errors import UserError
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """A machine with a GPU, as far as torch is asked; torch's settings come back."""
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    yield
    torch.use_deterministic_algorithms(before[0], warn_only=True)
    torch.backends.cudnn.benchmark = before[1]


@pytest.mark.parametrize("device, deterministic, same", [("auto", True, True), ("auto", False, False), ("cuda:0", False, False),
                                                         ("cpu", True, True), ("cpu", False, True)])
def test_torch_is_deterministic_unless_a_gpu_is_told_otherwise(device, deterministic, same):
    device = pick_device(SimpleNamespace(device=device, deterministic=deterministic))
    assert torch.are_deterministic_algorithms_enabled() == same
    assert torch.backends.cudnn.benchmark == (not same)
    assert ("CUBLAS_WORKSPACE_CONFIG" in os.environ) == same


def test_a_gpu_that_is_not_there_is_one_line_that_says_how_many_are():
    with pytest.raises(UserError, match=r"^params.yaml: machine.device: 'cuda:3' is not there, 1 GPUs are; choose auto, cpu"):
        pick_device(SimpleNamespace(device="cuda:3", deterministic=True))


TAKE = "from stages.core.device import free_gpu; print(free_gpu(2), free_gpu(2), flush=True); input()"


def take(folder, visible: str = "") -> subprocess.Popen:
    """A process that takes one of two GPUs and holds it."""
    return subprocess.Popen([sys.executable, "-c", TAKE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            env=os.environ | {"TMPDIR": str(folder), "CUDA_VISIBLE_DEVICES": visible})


def test_two_stages_take_two_gpus_and_one_that_ended_leaves_its_own(tmp_path):
    first, second = take(tmp_path), take(tmp_path)
    taken = [process.stdout.readline().split() for process in (first, second)]
    assert sorted(taken) == [["0", "0"], ["1", "1"]]  # each keeps its own
    first.communicate("\n")
    third = take(tmp_path)
    assert third.stdout.readline().split() == taken[0]
    fourth = take(tmp_path)
    assert fourth.stdout.readline().split()[0] in ("0", "1")  # it shares one
    other = take(tmp_path, "2,GPU-5")
    assert other.stdout.readline().split() == ["0", "0"]  # whose first is another GPU
    for process in (second, third, fourth, other):
        process.communicate("\n")
