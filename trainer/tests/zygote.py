"""Runs trainer commands in forked processes, so that each test pays no start-up: real processes, real exit codes, real SIGKILLs.

Reads one JSON request per line from stdin; answers {"exitCode", "stderr", "numOperations"}. A request is

arguments     of the trainer's command line, or of `call` ("module:function") where that is given
killAt        n: the n-th file operation (from 1) never happens, the process is killed right before it. A file operation is anything that
              changes the job directory, or opens a file in it
rank          operations are counted in this rank of the command instead of in its own process
maxFileBytes  writing more than that into a file fails as on a full disk
preload       modules to import before the fork; they stay
background    the answer is {"pid"} at once; the request {"wait": pid} gives the rest. The command's process is a child of that one
"""

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from typing import IO, Any

from trainer.__main__ import main
from trainer.distributed import launch

for heavy in ("jsonschema", "trainer.checkpoint", "trainer.sft", "trainer.train", *sys.argv[1:]):
    importlib.import_module(heavy)  # before the fork: this is what makes a fork cheap

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.copyfile"}


class Watch:
    """Counts the file operations of the process that it is begun in, in a file that outlives it."""

    def __init__(self, request: dict[str, Any], count_file: int) -> None:
        self._directory, self._kill_at = os.path.realpath(request["arguments"][-1]), request["killAt"]
        self._count_file, self._count, self._pid = count_file, 0, os.getpid()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        inside = event == "open" and str(arguments[0]).startswith(self._directory)
        if os.getpid() != self._pid or not (event in CHANGES or inside):
            return
        self._count += 1
        os.pwrite(self._count_file, str(self._count).encode(), 0)
        if self._count == self._kill_at:
            os.kill(self._pid, signal.SIGKILL)


class ForkedRank:
    """What launch.start_rank gives, without the start-up time."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def child(request: dict[str, Any], stderr_file: int, count_file: int) -> int:
    os.dup2(stderr_file, 2)
    os.dup2(stderr_file, 1)  # stdout here is for answers

    def start_rank(_directory: object, environment: dict[str, str], _lock: int | None) -> ForkedRank:
        pid = os.fork()
        if pid == 0:
            os.environ.update(environment)
            os._exit(run(request, count_file if int(environment["RANK"]) == request["rank"] else None))
        return ForkedRank(pid)

    launch.start_rank = start_rank
    if request["maxFileBytes"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["maxFileBytes"], resource.RLIM_INFINITY))
    return run(request, count_file if request["rank"] is None else None)


def run(request: dict[str, Any], count_file: int | None) -> int:
    if count_file is not None:
        Watch(request, count_file)
    try:
        if request["call"] is None:
            return main(request["arguments"])
        module, _, function = request["call"].partition(":")
        getattr(importlib.import_module(module), function)(*request["arguments"])
        return 0
    except BaseException:
        traceback.print_exc()
        return 1


RUNNING: dict[int, tuple[IO[bytes], IO[bytes]]] = {}


def serve(request: dict[str, Any]) -> dict[str, Any]:
    if "wait" in request:
        return finish(request["wait"])
    for name in request["preload"]:
        importlib.import_module(name)
    pid = begin(request)
    return {"pid": pid} if request["background"] else finish(pid)


def begin(request: dict[str, Any]) -> int:
    stderr, count = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
    pid = os.fork()
    if pid == 0:
        if request["background"] and (inner := os.fork()):
            os._exit(os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]) % 256)
        os._exit(child(request, stderr.fileno(), count.fileno()))
    RUNNING[pid] = stderr, count
    return pid


def finish(pid: int) -> dict[str, Any]:
    stderr, count = RUNNING.pop(pid)
    with stderr, count:
        _, status = os.waitpid(pid, 0)
        stderr.seek(0)
        count.seek(0)
        return {
            "exitCode": os.waitstatus_to_exitcode(status),
            "stderr": stderr.read().decode(),
            "numOperations": int(count.read() or 0),
        }


if __name__ == "__main__":
    for request_line in sys.stdin:
        print(json.dumps(serve(json.loads(request_line))), flush=True)
