"""How a job ends other than well. Codes and exit codes are those of src/contracts/training.ts and src/core/errors.ts."""

EXIT_DONE = 0
EXIT_CRASHED = 1
EXIT_INVALID_JOB = 2
EXIT_DIVERGED = 3
EXIT_ORPHANED = 4
EXIT_TERMINATED = 143


class JobError(Exception):
    """An expected failure: printed as one line, written as a job-error event, never a traceback."""

    code = "trainer.crashed"
    exit_code = EXIT_CRASHED


class InvalidJob(JobError):
    """The job can never succeed as it is: do not try again."""

    code = "trainer.invalid-job"
    exit_code = EXIT_INVALID_JOB


class Diverged(JobError):
    """A guard fired: a number is not finite, or the gradient norm is above its limit. The job is deterministic: do not try again."""

    code = "trainer.diverged"
    exit_code = EXIT_DIVERGED


class Terminated(JobError):
    """SIGTERM: progress is saved, and the next start goes on from there."""

    code = "trainer.terminated"
    exit_code = EXIT_TERMINATED


class Orphaned(JobError):
    """The process that started the job is gone. Nobody would read the result."""

    code = "trainer.orphaned"
    exit_code = EXIT_ORPHANED


def error_of(code: str, message: str) -> JobError:
    """The error that another process reported."""
    for kind in (InvalidJob, Diverged, Terminated, Orphaned):
        if kind.code == code:
            return kind(message)
    return JobError(message)
