"""The `fsdp` back-end: one job, several ranks, one per GPU (or, without any GPU, several on the CPU).

`python -m trainer train JOB` starts the job's `numProcesses` ranks itself, on this machine (launch.py). Under torchrun, which is how
several machines share a job, every process that it starts is a rank, however many there are; the job directory is then on a file system
that all of them see.
"""

import os
from pathlib import Path

from trainer.supervision import Supervision

RANK_VARIABLES = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"}


def run_sharded(directory: Path, supervision: Supervision, save_seconds: float) -> None:
    """As a rank where the environment names one, else as the launcher of the ranks."""
    if os.environ.keys() >= RANK_VARIABLES:
        from trainer.distributed.rank import run_rank

        run_rank(directory, supervision)
    else:
        from trainer.distributed.launch import launch

        launch(directory, supervision, save_seconds)
