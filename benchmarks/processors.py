"""Which settings change the bytes of a training, and what they cost. Run after `dvc repro`:

    python -m benchmarks.processors [--model mask] [--set KEY=VALUE ...] [--repeats 2]

Each library picks its code by what the processor offers. This trains one model on fold 0 as they pick, then with single
libraries held to older instructions, as an older processor would hold them, and then as docs/sharing.md says (`everywhere`)
while single libraries are held again. Prints the seconds beside the first, and the MD5 of the weights. A setting with other
bytes is one by which two processors differ. Nothing in the project changes: each training runs in a temporary folder.
"""
import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
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
GLIBC = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-FMA,-FMA4,-AVX512F,-ERMS,-FSRM"}
NUMPY = {"NPY_DISABLE_CPU_FEATURES": "X86_V3"}
OPENCV = {"OPENCV_CPU_DISABLE": "SSE4.2,AVX,FP16,AVX2,FMA3", "OPENCV_IPP": "disabled"}
BLAS = {"OPENBLAS_CORETYPE": "Nehalem"}
EVERYWHERE = ATEN | ONEDNN | MKL
CASES = {  # what is set beside OMP_NUM_THREADS=1
    "as they pick": {}, "2 threads": {"OMP_NUM_THREADS": "2"}, "ATen without AVX2": ATEN, "oneDNN with SSE4.1 alone": ONEDNN,
    "oneDNN with AVX alone": {"ONEDNN_MAX_CPU_ISA": "AVX"}, "MKL compatible": MKL, "glibc without AVX2 and FMA": GLIBC,
    "NumPy without AVX2": NUMPY, "OpenCV without AVX2 and IPP": OPENCV, "OpenBLAS for Nehalem": BLAS,
    "everywhere": EVERYWHERE, "everywhere, glibc without AVX2 and FMA": EVERYWHERE | GLIBC,
    "everywhere, NumPy without AVX2": EVERYWHERE | NUMPY, "everywhere, OpenCV without AVX2 and IPP": EVERYWHERE | OPENCV,
    "everywhere, OpenBLAS for Nehalem": EVERYWHERE | BLAS, "everywhere, all held": EVERYWHERE | GLIBC | NUMPY | OPENCV | BLAS,
    "everywhere, 2 threads": EVERYWHERE | {"OMP_NUM_THREADS": "2"},
}


def train(model: str, values: dict, settings: dict[str, str]) -> tuple[str, float]:
    """MD5 of the weights and seconds of one training with these environment variables; values: those of params.yaml."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, FILE).write_text(yaml.safe_dump(values))
        Path(folder, "data").symlink_to(ROOT / "data")
        env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | settings
        started = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "stages.train", model, "0"], check=False, cwd=folder, env=env,
                              capture_output=True, text=True)
        if done.returncode:
            raise UserError(f"{model}, {settings}: {done.stderr.strip().splitlines()[-1]}")
        took = time.monotonic() - started
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
    print("| settings | seconds | beside the first | MD5 of the weights |\n|---|---|---|---|")
    first = None
    for case in progress(list(CASES), "settings", unit="setting", summary=False):
        runs = [train(asked.model, values, CASES[case]) for _ in range(asked.repeats)]
        took = median(seconds for _, seconds in runs)
        first = first or took
        print(f"| {case} | {took:.1f} | {took / first:.2f} | {', '.join(sorted({digest[:8] for digest, _ in runs}))} |",
              flush=True)


if __name__ == "__main__":
    run(main)
