"""Which settings change the bytes of a training, and what they cost. Run after `dvc repro`:

    python -m benchmarks.processors [--model mask] [--set KEY=VALUE ...] [--repeats 2]

Each library picks its code by what the processor offers. This trains one model on fold 0 as they pick; then with single
libraries held to older instructions, as an older processor would hold them; and then with EVERYWHERE, which `make repro
EVERYWHERE=1` sets, while others are held. A line with other bytes is one by which two processors differ. Prints the seconds
of processor time, and the MD5 of the weights. Nothing in the project changes: each training runs in a temporary folder.
"""
import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import yaml

from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.params import FILE, parse
from stages.core.progress import progress
from stages.core.yaml_file import read_yaml
from tools.shared.overrides import apply_overrides, read_settings

ROOT = Path.cwd()
ATEN = {"ATEN_CPU_CAPABILITY": "default"}
ONEDNN = {"ONEDNN_MAX_CPU_ISA": "SSE41"}
MKL = {"MKL_CBWR": "COMPATIBLE"}
OPENCV = {"OPENCV_CPU_DISABLE": "SSE4.1,SSE4.2,AVX,FP16,AVX2,AVX512-SKX", "OPENCV_IPP": "disabled"}
EVERYWHERE = ATEN | ONEDNN | MKL | OPENCV
GLIBC = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-FMA,-FMA4,-AVX512F,-ERMS,-FSRM"}
NUMPY = {"NPY_DISABLE_CPU_FEATURES": "X86_V3"}
BLAS = {"OPENBLAS_CORETYPE": "Nehalem"}
TWO = {"OMP_NUM_THREADS": "2"}
CASES = {  # what is set beside OMP_NUM_THREADS=1
    "as they pick": {}, "2 threads": TWO, "ATen without AVX2": ATEN, "oneDNN with SSE4.1 alone": ONEDNN,
    "oneDNN with AVX alone": {"ONEDNN_MAX_CPU_ISA": "AVX"}, "MKL compatible": MKL, "OpenCV without SSE4, AVX and IPP": OPENCV,
    "glibc without AVX and FMA": GLIBC, "NumPy without AVX2": NUMPY, "OpenBLAS for Nehalem": BLAS, "EVERYWHERE": EVERYWHERE,
    "EVERYWHERE, glibc without AVX and FMA": EVERYWHERE | GLIBC, "EVERYWHERE, NumPy without AVX2": EVERYWHERE | NUMPY,
    "EVERYWHERE, OpenBLAS for Nehalem": EVERYWHERE | BLAS, "EVERYWHERE, these three": EVERYWHERE | GLIBC | NUMPY | BLAS,
    "EVERYWHERE, 2 threads": EVERYWHERE | TWO,
}


def train(model: str, values: dict, settings: dict[str, str]) -> tuple[str, float]:
    """MD5 of the weights and processor seconds of a training with these variables; values: those of params.yaml."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, FILE).write_text(yaml.safe_dump(values))
        Path(folder, "data").symlink_to(ROOT / "data")
        env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | settings
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-m", "stages.train", model, "0"], check=False, cwd=folder, env=env,
                              capture_output=True, text=True)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            raise UserError(f"{model}, {settings}: {lines[-1]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return hashlib.md5(Path(folder, f"models/{model}/0/weights.safetensors").read_bytes()).hexdigest(), took


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processors", description=__doc__.split("\n\n")[0])
    parser.add_argument("--model", default="mask")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    overrides = read_settings(asked.set)
    values = apply_overrides(overrides, read_yaml(FILE), dict.fromkeys(overrides, "--set"))
    if asked.model not in (sections := parse(values).sections):
        raise UserError(f"--model: {asked.model!r} has no section in {FILE}; there are {', '.join(sections)}")
    if asked.repeats < 1:
        raise UserError(f"--repeats = {asked.repeats}: must be 1 or more")
    print("| settings | processor seconds | beside the first | MD5 of the weights |\n|---|---|---|---|")
    first = None
    for case in progress(list(CASES), "settings", unit="setting", summary=False):
        runs = [train(asked.model, values, CASES[case]) for _ in range(asked.repeats)]
        took = median(seconds for _, seconds in runs)
        first = first or took
        print(f"| {case} | {took:.1f} | {took / first:.2f} | {', '.join(sorted({digest[:8] for digest, _ in runs}))} |",
              flush=True)


if __name__ == "__main__":
    run(main)
