"""`python -m ...` or `dvc ...` by the Python of tests/warm.py: python -ISB warm_client.py SOCKET PROGRAM WORDS..."""
import json
import os
import signal
import socket
import sys

address, program, *words = sys.argv[1:]
if program == "python" and words[:1] != ["-m"]:
    os.execv(sys.executable, [sys.executable, *words])
call = json.dumps({"program": program, "words": words, "cwd": os.getcwd(), "env": dict(os.environ)}).encode()
server, status = socket.socket(socket.AF_UNIX), b""
try:
    server.connect(address)
    socket.send_fds(server, [len(call).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(call)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: server.send(bytes([number])))
    status = server.recv(4)
except OSError as error:
    print(f"error: {address}: {error}", file=sys.stderr)
if not status:
    sys.exit("error: the warm Python of the tests has ended")
code = int.from_bytes(status, "big", signed=True)
if code < 0:
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
