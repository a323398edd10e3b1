"""`python -m policy_server`: arguments, socket, signals. Everything heavy is imported after the arguments are understood."""

import argparse
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from model.errors import EXIT_CRASHED, EXIT_DONE, JobError

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

    from policy_server.app import Service

EXIT_PORT_TAKEN = 5

EPILOG = f"""Prints one JSON line {{"event":"ready",...}} on standard output when it answers. SIGTERM: what was asked is
answered, new requests get 503, then exit code 0. Other exit codes: 1 failed, 2 bad arguments or a policy that cannot be served,
{EXIT_PORT_TAKEN} the port is taken. There is no authentication: keep it on a loopback address."""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m policy_server", description="Serves small Qwen3 policies on a CPU or a small GPU.", epilog=EPILOG
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8620, help="0 takes a free one (see the ready line)")
    parser.add_argument("--policy-root", type=Path, required=True, help="POST /v1/load_policy loads from below this folder only")
    parser.add_argument("--preload", action="append", default=[], metavar="NAME=DIR", help="load a policy before answering; never evicted")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="of the matrix products")
    parser.add_argument("--threads", type=int, default=1, help="threads of one matrix product (default 1, mostly fastest); same results")
    parser.add_argument("--slots", type=int, default=64, help="sequences with a cache, running or finished, per policy")
    parser.add_argument("--max-context", type=int, default=1024, help="tokens of prompt and completion")
    parser.add_argument("--max-queue", type=int, default=1024, help="requests that may wait for a slot; beyond: 429")
    parser.add_argument("--max-rows", type=int, default=128, help="tokens computed per step, a multiple of 16")
    parser.add_argument("--max-policies", type=int, default=4, help="loaded at once; the least recently used idle one goes first")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the process that started this one ends")
    return parser


def main(arguments: list[str]) -> int:
    options = build_parser().parse_args(arguments)
    mistake = _mistake(options)
    if mistake:
        print(f"error: config.invalid: {mistake}", file=sys.stderr)
        return 2
    if options.die_with_parent:
        from model.parent import die_with_parent

        die_with_parent(os.getppid())
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        listener = _listen(options.host, options.port)
    except OSError as error:
        print(f"error: service.port-taken: {options.host}:{options.port}: {error.strerror}; choose another --port", file=sys.stderr)
        return EXIT_PORT_TAKEN
    with listener:
        try:
            return _serve(options, listener)
        except JobError as error:
            print(f"error: {error.code}: {error}", file=sys.stderr)
            return error.exit_code


def _mistake(options: argparse.Namespace) -> str | None:
    for name in ("threads", "slots", "max_context", "max_queue", "max_policies"):
        if getattr(options, name) < 1:
            return f"--{name.replace('_', '-')} must be at least 1"
    if options.max_rows < 16 or options.max_rows % 16:
        return "--max-rows must be a multiple of 16"
    if not options.policy_root.is_dir():
        return f"--policy-root {options.policy_root} is not a folder"
    if any("=" not in entry for entry in options.preload):
        return "--preload wants NAME=DIR"
    return None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _serve(options: argparse.Namespace, listener: socket.socket) -> int:
    import torch

    from policy_server.app import Service, create_app
    from policy_server.placement import placement_of
    from policy_server.registry import Limits, Registry

    torch.set_num_threads(options.threads)
    sys.setswitchinterval(0.001)
    placement = placement_of(options.device, options.dtype)
    limits = Limits(options.slots, options.max_context, options.max_rows, options.max_policies, placement)
    registry = Registry(options.policy_root, limits)
    for entry in options.preload:
        name, _, directory = entry.partition("=")
        registry.preload(name, Path(directory))
    service = Service(registry, options.max_queue)
    server = _create_server(create_app(service), service, listener)
    server.run(sockets=[listener])
    return EXIT_DONE if server.started else EXIT_CRASHED


def _create_server(app: "Starlette", service: "Service", listener: socket.socket) -> "uvicorn.Server":
    import uvicorn

    class Server(uvicorn.Server):
        """Drains at the first signal and ends with an exit code, where uvicorn would raise the signal again; says when it answers."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if service.is_draining:
                super().handle_exit(sig, frame)
            service.is_draining = True

        async def on_tick(self, counter: int) -> bool:
            self.should_exit = self.should_exit or (service.is_draining and service.is_idle)
            return await super().on_tick(counter)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                host, port = listener.getsockname()[:2]
                print(json.dumps({"event": "ready", "host": host, "port": port, "pid": os.getpid()}), flush=True)

    return Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
