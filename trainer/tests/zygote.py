"""Runs trainer commands in forked processes, so that each test pays no start-up: real processes, real exit codes, real SIGKILLs.

Reads one JSON request per line from stdin, {"arguments": [...], "killAt": n | null, "maxFileBytes": n | null, "preload": [...],
"rank": n | null, "call": text | null}; answers {"exitCode", "stderr", "numOperations"}. With maxFileBytes, writing more than that into a file fails as on a
full disk. A file operation is anything that changes the job directory, or opens a file in it; with killAt n the n-th (from 1) never
happens: the process is killed right before it. Operations are counted in the command's process, or in the rank that it starts and that
`rank` names. Modules to preload are imported before the fork, and stay. With "call": "module:function" that is called with the
arguments, instead of the trainer's command line.
"""

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from typing import Any

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

    def start_rank(_directory: object, environment: dict[str, str]) -> ForkedRank:
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


def serve(line: str) -> dict[str, Any]:
    request = json.loads(line)
    for name in request["preload"]:
        importlib.import_module(name)
    with tempfile.TemporaryFile() as stderr, tempfile.TemporaryFile() as count:
        pid = os.fork()
        if pid == 0:
            os._exit(child(request, stderr.fileno(), count.fileno()))
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
        print(json.dumps(serve(request_line)), flush=True)
