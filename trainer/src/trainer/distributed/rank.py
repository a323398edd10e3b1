"""What one rank of an `fsdp` job does: join the others, work, and, should it fail, leave word where the launcher looks."""

import contextlib
import json
import os
import sys
import time
import traceback
from pathlib import Path

import torch

from model.errors import EXIT_CRASHED, EXIT_DONE, InvalidJob, JobError, failure_of
from model.files import write_atomic
from trainer.contracts import TrainingJob, read_training_job
from trainer.distributed.checkpoint import ShardedCheckpoints
from trainer.distributed.group import Group, GroupSupervision, Place
from trainer.distributed.launch import AFTERMATH_SECONDS, MEETING_VARIABLE, report_path
from trainer.distributed.learner import create_learner
from trainer.job_run import JobRun, configure_torch, is_done
from trainer.supervision import Supervision


def run_rank(directory: Path, supervision: Supervision) -> None:
    """Never returns under a launcher: what happened is in the exit code and the report. Under torchrun the first rank's errors are raised,
    and the others' are one line each."""
    rank, meeting = int(os.environ["RANK"]), os.environ.get(MEETING_VARIABLE)
    try:
        work(directory, supervision, meeting)
        exit_code = EXIT_DONE
    except (Exception, KeyboardInterrupt) as error:
        if meeting is None and rank == 0:
            raise
        failure = failure_of(error) if isinstance(error, OSError) else error
        exit_code = failure.exit_code if isinstance(failure, JobError) else EXIT_CRASHED
        if meeting is None:
            time.sleep(AFTERMATH_SECONDS)  # torchrun stops the first rank at once when this one ends, and that one has the same to say
            print(f"error: rank {rank}: {describe(failure)}", file=sys.stderr)
        else:
            leave_word(report_path(Path(meeting), rank), failure)
    if meeting is not None or exit_code != EXIT_DONE:
        sys.stderr.flush()
        os._exit(exit_code)  # not sys.exit: threads of collectives that will never end are not waited for


def work(directory: Path, supervision: Supervision, meeting: str | None) -> None:
    job = read_training_job(directory)
    configure_torch(job.threads)
    place = Place.from_environment()
    group = Group(device_of(place), place, None if meeting is None else f"{meeting}/store")
    run_job(directory, job, group, GroupSupervision(supervision, group))
    group.close()


def run_job(directory: Path, job: TrainingJob, group: Group, supervision: GroupSupervision) -> None:
    if group.share(group.is_first and is_done(directory, job.job_id, job.identity)):
        return
    learner = create_learner(job, group)
    if group.is_first:
        (directory / "result.json").unlink(missing_ok=True)
    checkpoints = ShardedCheckpoints(directory / "checkpoints", job.identity, group)
    JobRun(directory, learner, supervision, checkpoints, is_writer=group.is_first).run()
    group.wait()


def device_of(place: Place) -> torch.device:
    """A GPU per rank; the CPU for all of them where there is no GPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if place.num_local_ranks > torch.cuda.device_count():
        raise InvalidJob(f"{place.num_local_ranks} ranks on this machine, but {torch.cuda.device_count()} CUDA devices are visible")
    torch.cuda.set_device(place.local_rank)
    return torch.device("cuda", place.local_rank)


def leave_word(path: Path, failure: BaseException) -> None:
    """An expected failure in its own words, any other with its traceback."""
    is_typed = isinstance(failure, JobError)
    code = failure.code if isinstance(failure, JobError) else JobError.code
    report = {"code": code, "message": describe(failure), "isTyped": is_typed, "seconds": time.monotonic()}
    with contextlib.suppress(OSError):
        write_atomic(path, json.dumps(report).encode())


def describe(failure: BaseException) -> str:
    if isinstance(failure, JobError):
        return str(failure)
    return f"{type(failure).__name__}: {failure}\n{''.join(traceback.format_exception(failure)).rstrip()}"
