"""A job directory is trained by one process, or by the ranks of the `fsdp` back-end; how it ends is written down there. See job_run.py."""

import contextlib
from pathlib import Path

from model.errors import EXIT_DONE, InvalidJob, JobError, Terminated, failure_of
from model.files import remove_temporaries
from trainer.contracts import read_training_job
from trainer.directory_lock import hold
from trainer.events import report_error
from trainer.job_run import JobRun, configure_torch, is_done
from trainer.supervision import SAVE_SECONDS, Supervision


def run_job(command: str, directory: Path, save_seconds: float = SAVE_SECONDS) -> int:
    """Runs `train` or `sft` on a job directory. Raises JobError after writing it down as a job-error event."""
    supervision = Supervision()
    try:
        if not directory.is_dir():
            raise InvalidJob(f"no such directory: {directory}")
        _run(command, directory.resolve(), supervision, save_seconds)
    except Terminated:
        raise
    except (JobError, OSError) as error:
        failure = error if isinstance(error, JobError) else failure_of(error)
        if directory.is_dir():
            with contextlib.suppress(OSError):
                remove_temporaries(directory, directory / "checkpoints")
                report_error(directory / "events.jsonl", failure.code, str(failure))
        raise failure from None
    return EXIT_DONE


def _run(command: str, directory: Path, supervision: Supervision, save_seconds: float) -> None:
    if command == "train":
        if read_training_job(directory).backend == "fsdp":
            from trainer.distributed import run_sharded

            run_sharded(directory, supervision, save_seconds)
            return
        from trainer.train import prepare
    else:
        from trainer.sft import prepare
    job, create_learner = prepare(directory)
    hold(directory)
    if is_done(directory, job.job_id, job.identity):
        return
    (directory / "result.json").unlink(missing_ok=True)
    configure_torch(job.threads)
    from trainer.checkpoint import Checkpoints

    JobRun(directory, create_learner(), supervision, Checkpoints(directory / "checkpoints", job.identity)).run()
