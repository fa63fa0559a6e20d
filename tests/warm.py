"""One Python that has imported the heavy packages, and forks itself for each command of the tests' projects.

Each `python -m ...` and `dvc ...` is a process with files, signals and an exit status of its own, as any; only the seconds that
an interpreter spends on importing torch are spent once. The project's own modules it imports anew, from its working folder.

The folder of warm_python() holds the commands `python` and `dvc`, which are tests/warm_client.py: it sends its words, folder,
environment and open files through a socket, passes signals on, and ends as the forked process ends. Nothing survives its
caller: where a client hangs up, its process group is killed, and where the tests end, however they do, all are.
"""
import atexit
import gc
import importlib
import json
import os
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path

HEAVY = (
    "albumentations", "captum.attr", "cleanlab.count", "cleanlab.rank", "cv2", "dvc.api", "dvc.cli", "dvc.commands.repro",
    "dvc.repo.experiments", "dvc.repo.reproduce", "dvclive", "facenet_pytorch", "hydra", "jinja2", "matplotlib.pyplot",
    "omegaconf", "optuna", "pandas", "PIL.Image", "pyarrow.parquet", "pydantic", "safetensors.torch", "simplejpeg",
    "sklearn.covariance", "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "sklearn.pipeline", "timm",
    "timm.optim", "timm.utils", "torch", "torchvision", "tqdm", "yaml",
)


@contextmanager
def warm_python(modules: tuple[str, ...] = HEAVY):
    """The folder of the commands, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:  # short: the name of a socket has at most 107 characters
        address = f"{folder}/socket"
        for program in ("python", "dvc"):
            command = [sys.executable, "-ISB", str(Path(__file__).with_name("warm_client.py")), address, program]
            (Path(folder) / program).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
            (Path(folder) / program).chmod(0o755)
        server = subprocess.Popen([sys.executable, __file__, address, *modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  start_new_session=True)  # Ctrl-C reaches it through its clients
        with server:  # closes its stdin at the end, which ends it
            if server.stdout.readline() != b"ready\n":
                raise RuntimeError(f"the warm Python ended with status {server.wait()}")
            yield Path(folder)


def serve(address: str, modules: list[str]) -> dict:
    """Fork for each client, until stdin is closed; returns in the forked process alone: what the client asks for."""
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")  # as stages/__init__.py does: it must be set before torch is loaded
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    os.environ.setdefault("MPLBACKEND", "svg")
    for name in modules:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # so that no collection of a fork copies the pages of what is shared
    tests = os.dup(0)  # at its end they have ended
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("ready", flush=True)
        while tests not in select.select([listener, tests], [], [])[0]:
            caller, _ = listener.accept()
            if os.fork() == 0:
                break
            caller.close()
            reap(os.WNOHANG)
        else:
            reap(0)
            os._exit(0)
    size, files, _, _ = socket.recv_fds(caller, 8, 3)
    with caller.makefile("rb") as words:
        call = json.loads(words.read(int.from_bytes(size, "big")))
    process = os.fork()
    with suppress(OSError):  # it may have done so itself, and ended
        os.setpgid(process, process)
    if process:
        for file in files:
            os.close(file)
        attend(process, caller, tests)
    caller.close()
    os.close(tests)
    for own, file in enumerate(files):
        os.dup2(file, own)
        os.close(file)
    return call


def reap(options: int) -> None:
    """Take leave of the forks that have ended, so that `time` counts them, or wait for all."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def attend(process: int, caller: socket.socket, tests: int) -> None:
    """Pass the caller's signals on to the process, tell its exit code at the end, and kill it where nobody waits for it."""
    def watch() -> None:
        word = b"\0"
        while word:
            ready, _, _ = select.select([caller, tests], [], [])
            word = b"" if tests in ready else caller.recv(1)
            with suppress(ProcessLookupError):
                if word == bytes([signal.SIGTERM]):
                    os.kill(process, signal.SIGTERM)
                else:  # a terminal sends Ctrl-C to the whole group
                    os.killpg(process, word[0] if word else signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with suppress(OSError):
        caller.sendall(code.to_bytes(4, "big", signed=True))
    os._exit(0)


def answer(call: dict) -> int:
    """Be the process that was asked for; returns its exit status."""
    os.chdir(call["cwd"])
    os.environ.clear()
    os.environ.update(call["env"])
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115 as an interpreter opens them
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    try:
        if call["program"] == "dvc":
            from dvc.cli import main
            sys.argv, sys.path[0] = ["dvc", *call["words"]], str(Path(sys.executable).parent)
            return main(call["words"])
        name, *words = call["words"][1:]
        sys.argv, sys.path[0] = [name, *words], call["cwd"]
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        traceback.print_exc()
        return -signal.SIGINT
    except BaseException:  # noqa: BLE001 as an interpreter that ends by it
        traceback.print_exc()
        return 1
    return 0


def end(status: int) -> None:
    """End as an interpreter does, but for taking every module apart."""
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status & 255)


if __name__ == "__main__":
    end(answer(serve(sys.argv[1], sys.argv[2:])))
