"""One Python that has imported the heavy packages, and forks itself for each `python -m stages.x` and `dvc ...` of the tests.

Real processes, files, arguments and exit codes; only the seconds that every interpreter spends on importing torch are spent
once. The project's own modules are imported anew by each process, from the folder in which it runs.
"""
import json
import os
import runpy
import signal
import socket
import sys
import traceback

HEAVY = ("torch", "torchvision", "timm", "timm.optim", "timm.utils", "albumentations", "facenet_pytorch", "captum.attr", "cleanlab.count",
         "cleanlab.rank", "dvclive", "safetensors.torch", "pandas", "pyarrow.parquet", "sklearn.metrics", "sklearn.model_selection",
         "sklearn.covariance", "sklearn.linear_model", "sklearn.pipeline", "cv2", "pydantic", "yaml", "tqdm", "jinja2",
         "matplotlib.pyplot", "simplejpeg", "PIL.Image", "optuna", "dvc.cli", "dvc.commands.repro", "dvc.repo", "dvc.api",
         "dvc.repo.experiments", "dvc.repo.reproduce", "hydra", "omegaconf")
CLIENT = """#!{python} -ISB
import array, json, os, signal, socket, sys
words = sys.argv[1:]
if {program!r} == "python" and words[:1] != ["-m"]:
    os.execv({python!r}, [{python!r}, *words])
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
call = json.dumps(dict(program={program!r}, words=words, cwd=os.getcwd(), env=dict(os.environ))).encode()
socket.send_fds(server, [len(call).to_bytes(8, "big")], [0, 1, 2])
server.sendall(call)
pid = int.from_bytes(server.recv(8), "big")
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda n, _: os.kill(pid, n))
status = server.recv(8)
sys.exit(int.from_bytes(status, "big") if status else 137)
"""


def write_clients(folder, address: str) -> None:
    """Write `python` and `dvc` into the folder, which ask the server at the address."""
    for program in ("python", "dvc"):
        file = folder / program
        file.write_text(CLIENT.format(python=sys.executable, program=program, address=address))
        file.chmod(0o755)


def serve(address: str) -> None:
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")  # as stages/__init__.py does: it must be set before torch is loaded
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import importlib

    import matplotlib
    matplotlib.use("svg")
    for name in HEAVY:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    print("ready", flush=True)
    while True:
        caller, _ = listener.accept()
        if os.fork():
            caller.close()
            continue
        listener.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if (process := os.fork()) == 0:
            os._exit(answer(caller))
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])  # also of a program that took its place, or of a signal
        caller.sendall((code if code >= 0 else 128 - code).to_bytes(8, "big"))
        os._exit(0)


def answer(caller: socket.socket) -> int:
    """Be the process that was asked for: its folder, environment, words, files; tell its exit code at the end."""
    size, fds, _, _ = socket.recv_fds(caller, 8, 3)
    call, size = b"", int.from_bytes(size, "big")
    while len(call) < size:
        call += caller.recv(size - len(call))
    call = json.loads(call)
    caller.sendall(os.getpid().to_bytes(8, "big"))
    for own, fd in zip((0, 1, 2), fds):
        os.dup2(fd, own)
        os.close(fd)
    os.chdir(call["cwd"])
    os.environ.clear()
    os.environ.update(call["env"])
    sys.stdin, sys.stdout, sys.stderr = (open(fd, mode, closefd=False) for fd, mode in ((0, "r"), (1, "w"), (2, "w")))
    sys.stderr.reconfigure(line_buffering=True)
    code = 0
    try:
        if call["program"] == "dvc":
            from dvc.cli import main
            sys.argv = ["dvc", *call["words"]]
            code = main(call["words"])
        else:
            name, *words = call["words"][1:]
            sys.argv, sys.path[0] = [name, *words], call["cwd"]
            runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else (print(end.code, file=sys.stderr), 1)[1]
    except BaseException:  # noqa: BLE001 as an interpreter that ends by itself
        traceback.print_exc()
        code = 1
    import atexit
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            pass
    if log := os.environ.get("WARM_LOG"):
        t = os.times()
        with open(log, "a") as file:
            print(f"{t.user + t.system:.2f}", f"{t.children_user + t.children_system:.2f}", call["program"], *call["words"], file=file)
    return int(code or 0) & 255


if __name__ == "__main__":
    serve(sys.argv[1])
