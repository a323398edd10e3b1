"""Runs trainer commands in forked processes, so that each test pays no start-up: real processes, real exit codes, real SIGKILLs.

Reads one JSON request per line from stdin, {"arguments": [...], "killAt": n | null, "maxFileBytes": n | null}; answers {"exitCode",
"stderr", "numOperations"}. With maxFileBytes, writing more than that into a file fails as on a full disk.
A file operation is anything that changes the job directory, or opens a file in it; with killAt n the n-th (from 1) never happens:
the process is killed right before it.
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

for heavy in ("jsonschema", "trainer.checkpoint", "trainer.sft", "trainer.train"):
    importlib.import_module(heavy)  # before the fork: this is what makes a fork cheap

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.copyfile"}


def watch_operations(directory: str, kill_at: int | None, counter: list[int]) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        inside = event == "open" and str(arguments[0]).startswith(directory)
        if event in CHANGES or inside:
            counter[0] += 1
            if counter[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def child(request: dict[str, Any], stderr_file: int, count_file: int) -> int:
    os.dup2(stderr_file, 2)
    os.dup2(stderr_file, 1)  # stdout here is for answers
    counter = [0]
    if request["maxFileBytes"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["maxFileBytes"], resource.RLIM_INFINITY))
    watch_operations(os.path.realpath(request["arguments"][-1]), request["killAt"], counter)
    try:
        return main(request["arguments"])
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        os.write(count_file, str(counter[0]).encode())


def serve(line: str) -> dict[str, Any]:
    with tempfile.TemporaryFile() as stderr, tempfile.TemporaryFile() as count:
        pid = os.fork()
        if pid == 0:
            os._exit(child(json.loads(line), stderr.fileno(), count.fileno()))
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
