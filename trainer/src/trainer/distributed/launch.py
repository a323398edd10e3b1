"""Starts the ranks of an `fsdp` job on this machine and waits for them. Who is started how, and how all of it ends, is in this file.

The launcher imports no torch and trains nothing. A rank is this same command with torchrun's variables in its environment. When one
fails, the others, who wait for it in a collective, are killed, and the one error that explains it becomes the job's. When the launcher
is killed, the kernel kills the ranks (supervision.py); the launcher dies in the same way with the process that started it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from model.errors import EXIT_TERMINATED, JobError, Terminated, error_of
from trainer.contracts import TrainingJob, read_training_job
from trainer.directory_lock import hold
from trainer.job_run import is_done
from trainer.supervision import PARENT_VARIABLE, Supervision

MEETING_VARIABLE = "TRAINER_MEETING"  # the folder where the ranks of a launcher meet, and leave their failures
LOOK_EVERY_SECONDS = 0.05
AFTERMATH_SECONDS = 0.5  # for others that fail with the first to say so too: which one is the cause is seen from all of them


class RankProcess(Protocol):
    pid: int

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        ...


@dataclass(frozen=True)
class Failure:
    """Why a rank ended. `seconds` is the machine's monotonic clock; a typed error explains itself, a signal left no words."""

    rank: int
    exit_code: int
    report: dict[str, Any] | None

    @property
    def is_stopped(self) -> bool:
        """By SIGTERM, in good order or before it could see to that."""
        return self.exit_code in (EXIT_TERMINATED, -signal.SIGTERM)

    @property
    def order(self) -> tuple[int, float, int]:
        """Causes first: typed errors, then ranks that were killed, then whatever else the ranks say, the earliest first."""
        if self.report is None:
            return 1, 0.0, self.rank
        return (0 if self.report["isTyped"] else 2), self.report["seconds"], self.rank


def launch(directory: Path, supervision: Supervision, save_seconds: float) -> None:
    """Runs the job to its end. Raises the one JobError that explains why it did not end well.

    save_seconds  what the ranks get to save after SIGTERM
    """
    job = read_training_job(directory)
    lock = hold(directory)
    if is_done(directory, job.job_id, job.identity):
        return
    with tempfile.TemporaryDirectory(prefix="trainer-") as meeting:
        ranks: list[RankProcess] = []
        try:
            ranks += [start_rank(directory, rank_environment(job, rank, meeting), lock) for rank in range(job.num_processes)]
            wait_for(ranks, Path(meeting), supervision, save_seconds)
        finally:
            kill(ranks)


def rank_environment(job: TrainingJob, rank: int, meeting: str) -> dict[str, str]:
    """torchrun's variables for one machine, who the parent is, and where the ranks meet."""
    sizes = {"WORLD_SIZE": job.num_processes, "LOCAL_WORLD_SIZE": job.num_processes, "RANK": rank, "LOCAL_RANK": rank}
    return {**{name: str(value) for name, value in sizes.items()}, PARENT_VARIABLE: str(os.getpid()), MEETING_VARIABLE: meeting}


def start_rank(directory: Path, environment: Mapping[str, str], lock: int | None) -> RankProcess:
    """The rank keeps the directory's lock too: when the launcher is killed, nobody works there before its ranks are gone."""
    command = [sys.executable, "-m", "trainer", "train", str(directory)]
    kept = () if lock is None else (lock,)
    return subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, pass_fds=kept)


def wait_for(ranks: list[RankProcess], meeting: Path, supervision: Supervision, save_seconds: float) -> None:
    """Returns when every rank is done. A request to stop is passed on to them; they save together and end."""
    deadline = float("inf")
    while not is_over([rank.poll() for rank in ranks]):
        try:
            supervision.check()
        except Terminated:
            deadline = min(deadline, time.monotonic() + save_seconds)
            signal_all(ranks, signal.SIGTERM)
        if time.monotonic() > deadline:
            raise JobError(f"the ranks did not end within {save_seconds:g} s of SIGTERM")
        time.sleep(LOOK_EVERY_SECONDS)
    codes = await_aftermath(ranks)
    failures = [Failure(rank, code, read_report(meeting, rank)) for rank, code in enumerate(codes) if code not in (None, 0)]
    if failures:
        raise cause_of(failures)


def is_over(codes: list[int | None]) -> bool:
    """Every rank has ended, or one has failed: then the others wait for it in vain. One that is stopped is not alone in it."""
    return None not in codes or any(code not in (None, 0, EXIT_TERMINATED) for code in codes)


def await_aftermath(ranks: list[RankProcess]) -> list[int | None]:
    deadline = time.monotonic() + AFTERMATH_SECONDS
    while time.monotonic() < deadline and any(rank.poll() is None for rank in ranks):
        time.sleep(LOOK_EVERY_SECONDS)
    return [rank.poll() for rank in ranks]


def cause_of(failures: list[Failure]) -> JobError:
    """The error that the others follow from. Who is stopped with the job has nothing to explain."""
    first = min(failures, key=lambda failure: (failure.is_stopped, failure.order))
    if first.report is not None:
        return error_of(first.report["code"], first.report["message"])
    if first.is_stopped:
        return Terminated("stopped by a signal before the first step")
    if first.exit_code < 0:
        return JobError(f"rank {first.rank} was killed by {signal.Signals(-first.exit_code).name}")
    return JobError(f"rank {first.rank} ended with exit code {first.exit_code} and no word")


def report_path(meeting: Path, rank: int) -> Path:
    return meeting / f"failure-{rank}.json"


def read_report(meeting: Path, rank: int) -> dict[str, Any] | None:
    try:
        return json.loads(report_path(meeting, rank).read_bytes())
    except (OSError, ValueError):
        return None


def signal_all(ranks: list[RankProcess], number: signal.Signals) -> None:
    for rank in ranks:
        if rank.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rank.pid, number)


def kill(ranks: list[RankProcess]) -> None:
    """None of them is left when this returns."""
    signal_all(ranks, signal.SIGKILL)
    while any(rank.poll() is None for rank in ranks):
        time.sleep(LOOK_EVERY_SECONDS)
