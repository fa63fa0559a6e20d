"""Serve a bundle to browsers and programs of this machine:

    label-app                                the page at http://127.0.0.1:8000
    label-app --host 0.0.0.0 --port 80       to other machines, too
"""
import argparse
import dataclasses
import socket
import sys

from labeller.bundle import Bundle
from labeller.command import BUNDLE
from labeller.errors import BundleError
from labeller.parser import Parser
from labeller.service.limits import Limits

try:
    import uvicorn

    from labeller.service.app import create_app
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing.name} is not installed; the service needs more packages than the command `label`: "
             "install mask-gender-age[app]")

CONNECTIONS = 1000  # open at once
HELP = {"photos": "under way at once; more get 503 and Retry-After", "held": "megabytes of those photos in memory",
        "megabytes": "of one photo", "megapixels": "of one photo", "seconds": "for one answer",
        "batch": "photos that one thread labels together", "threads": "photos looked at side by side; default: the cores"}


def parser() -> Parser:
    out = Parser(prog="label-app", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--bundle", metavar="DIR", default=BUNDLE, help="default: $LABEL_BUNDLE, or bundle/model")
    out.add_argument("--host", default="127.0.0.1", help="address to listen on; default: this machine alone")
    out.add_argument("--port", type=int, default=8000, help="0 takes a free one; default 8000")
    for field in dataclasses.fields(Limits):
        default = getattr(Limits(), field.name)
        out.add_argument(f"--{field.name}", type=field.type, default=default, metavar="N",
                         help=HELP[field.name] + ("" if field.name == "threads" else f"; default {default}"))
    return out


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; raises BundleError where it cannot."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128)
    except (OSError, OverflowError) as error:
        raise BundleError(f"--host {host} --port {port}: {getattr(error, 'strerror', None) or error}") from None


def serve(args) -> None:
    limits = Limits(**{field.name: getattr(args, field.name) for field in dataclasses.fields(Limits)})
    if bad := [name for name, value in dataclasses.asdict(limits).items() if not value > 0]:
        raise BundleError(f"--{bad[0]} {getattr(limits, bad[0])}: must be above 0")
    app = create_app(Bundle(args.bundle), limits)
    with listen(args.host, args.port) as door:
        host = f"[{args.host}]" if ":" in args.host else args.host
        print(f"{args.bundle} is served at http://{host}:{door.getsockname()[1]}; Ctrl-C ends it", flush=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=5,
                                limit_concurrency=CONNECTIONS, timeout_graceful_shutdown=int(limits.seconds) + 1)
        uvicorn.Server(config).run(sockets=[door])


def main(words: list[str] | None = None) -> int:
    """The command `label-app`; returns its exit status."""
    args = parser().parse_args(words)
    try:
        serve(args)
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
