"""`python -m trainer.keeper COMMAND…`: a command that never outlives whoever started it, with all that it started in turn.

Whoever starts this gives it a process group of its own and keeps its standard input open. When that closes, because it was closed or
because the starter ended in any way at all, the command gets SIGTERM, and after a grace period the whole group SIGKILL.
"""

import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 5.0


def main(command: list[str]) -> int:
    """Runs the command to its end; its exit code, or 128 + the number of the signal that ended it."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    except OSError as error:
        print(f"error: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: child.terminate())
    threading.Thread(target=_end_with_input, args=(child,), daemon=True).start()
    code = child.wait()
    _end_the_rest()
    return code if code >= 0 else 128 - code


def _end_with_input(child: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 4096):
        pass
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


def _end_the_rest() -> None:
    """What the command has started and left behind. Only in a group of our own: never a shell's."""
    if os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))  # the thread that reads standard input is not waited for
