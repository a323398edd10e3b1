"""One job directory, one attempt at a time: also when a new one is started before the processes of a killed one are all gone."""

import fcntl
import os
import time
from pathlib import Path

from model.errors import JobError

WAIT_SECONDS = 30.0  # a killed process that holds a GPU is gone when its driver has cleaned up after it
LOOK_EVERY_SECONDS = 0.1


def hold(directory: Path, wait_seconds: float = WAIT_SECONDS) -> int | None:
    """A descriptor that keeps the directory locked until every process that has it is gone: this one, and those that it is passed to.

    Raises JobError when another attempt still holds it after `wait_seconds`. None on file systems without locks.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise JobError(f"another process still works in {directory}") from None
            time.sleep(LOOK_EVERY_SECONDS)
        except OSError:
            os.close(descriptor)
            return None
        else:
            return descriptor
