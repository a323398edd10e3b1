"""A process that ends with the one that started it."""

import ctypes
import os
import signal
import sys

from model.errors import EXIT_ORPHANED

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Asks Linux for SIGKILL when the parent ends; elsewhere `Supervision.check` notices."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(EXIT_ORPHANED)
