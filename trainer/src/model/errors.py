"""How a job ends other than well. Codes and exit codes are those of src/contracts/training.ts and src/core/errors.ts."""

import errno

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


class DiskFull(JobError):
    """What the job writes has no room. Trying again at once is as useless as with an invalid job: a person has to make room first. The
    job then goes on from its last good checkpoint."""

    code = "trainer.disk-full"
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


NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def failure_of(error: OSError) -> JobError:
    """A disk without room (no space, no quota, no larger files) waits for a person; any other trouble with files may be over soon."""
    return DiskFull(f"no room left to write: {error}") if error.errno in NO_ROOM else JobError(str(error))


def error_of(code: str, message: str) -> JobError:
    """The error that another process reported."""
    for kind in (InvalidJob, DiskFull, Diverged, Terminated, Orphaned):
        if kind.code == code:
            return kind(message)
    return JobError(message)
