"""One job directory, one attempt at a time."""

import os
import threading
import time
from pathlib import Path

import pytest

from helpers import Zygote, output_hashes
from model.errors import JobError
from trainer.directory_lock import hold


def test_a_second_attempt_waits_for_the_first_and_is_refused_when_that_goes_on(tmp_path: Path) -> None:
    first = hold(tmp_path)
    assert first is not None
    with pytest.raises(JobError, match="another process still works in"):
        hold(tmp_path, wait_seconds=0.2)
    threading.Timer(0.3, os.close, [first]).start()
    second = hold(tmp_path, wait_seconds=30)
    assert second is not None
    os.close(second)


def test_a_job_begins_when_the_last_process_of_the_attempt_before_is_gone(zygote: Zygote, job_directory: Path) -> None:
    """That process has nothing but the descriptor: a rank whose launcher was killed."""
    lock = hold(job_directory)
    assert lock is not None
    began = time.monotonic()
    leftover = os.fork()
    if leftover == 0:
        time.sleep(1)
        os._exit(0)
    os.close(lock)
    assert zygote.run("train", job_directory).exit_code == 0
    assert os.waitpid(leftover, os.WNOHANG) != (0, 0)
    assert time.monotonic() - began >= 1
    assert len(output_hashes(job_directory)) > 3
