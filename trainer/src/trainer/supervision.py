"""A job never outlives the process that started it, and stops in good order on SIGTERM."""

import os
import signal
from types import FrameType

from model.errors import Orphaned, Terminated
from model.parent import die_with_parent

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
