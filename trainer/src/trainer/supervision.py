"""A job never outlives the process that started it, and stops in good order on SIGTERM."""

import ctypes
import os
import signal
import sys
from types import FrameType

from trainer.errors import EXIT_ORPHANED, Orphaned, Terminated

PR_SET_PDEATHSIG = 1
SAVE_SECONDS = 120.0  # what ranks get to save after SIGTERM where nobody says; src/contracts/grace-periods.ts
PARENT_VARIABLE = "TRAINER_PARENT"  # set by who knows its own id, so that its end is noticed even when it comes before ours is asked for


class Supervision:
    """`check()` between units of work raises Terminated after SIGTERM or SIGINT, and Orphaned when the parent is gone."""

    def __init__(self) -> None:
        self._parent = int(os.environ.get(PARENT_VARIABLE, os.getppid()))
        self._stop_requested = False
        signal.signal(signal.SIGTERM, self._request_stop)
        signal.signal(signal.SIGINT, self._request_stop)
        die_with_parent(self._parent)

    def check(self) -> None:
        if self._stop_requested:
            raise Terminated("stopped by a signal; progress is saved")
        if os.getppid() != self._parent:
            raise Orphaned("the parent process is gone")

    def _request_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop_requested = True


def die_with_parent(parent: int) -> None:
    """Asks Linux for SIGKILL when the parent ends; elsewhere `Supervision.check` notices."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(EXIT_ORPHANED)
