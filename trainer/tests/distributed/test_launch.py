"""Which error explains a job whose ranks ended one because of the other."""

import signal

from hypothesis import given
from hypothesis import strategies as st

from model.errors import Diverged, InvalidJob, JobError, Terminated
from trainer.distributed.launch import Failure, cause_of


def report(code: str, message: str, seconds: float = 1.0, is_typed: bool = True) -> dict[str, object]:
    return {"code": code, "message": message, "seconds": seconds, "isTyped": is_typed}


INVALID = Failure(2, 2, report("trainer.invalid-job", "no such batch", seconds=9.0))
DIVERGED = Failure(1, 3, report("trainer.diverged", "loss nan", seconds=8.0))
KILLED = Failure(3, -signal.SIGKILL, None)
LOST = Failure(0, 1, report("trainer.crashed", "RuntimeError: connection closed by peer", seconds=2.0, is_typed=False))
BUG = Failure(1, 1, report("trainer.crashed", "KeyError: 'x'", seconds=1.0, is_typed=False))
STOPPED = Failure(0, 143, report("trainer.terminated", "stopped by a signal; progress is saved", seconds=0.5))
STOPPED_EARLY = Failure(1, -signal.SIGTERM, None)


def test_an_error_that_explains_itself_comes_before_what_it_did_to_others() -> None:
    assert isinstance(cause_of([LOST, KILLED, INVALID]), InvalidJob)
    assert isinstance(cause_of([LOST, INVALID, DIVERGED]), Diverged)  # the earlier of the two
    assert str(cause_of([LOST, KILLED])) == "rank 3 was killed by SIGKILL"
    assert str(cause_of([LOST, BUG])) == "KeyError: 'x'"


def test_a_stop_is_a_stop_unless_something_went_wrong_beside_it() -> None:
    assert isinstance(cause_of([STOPPED, STOPPED_EARLY]), Terminated)
    assert isinstance(cause_of([STOPPED_EARLY]), Terminated)
    assert str(cause_of([STOPPED, LOST])) == "RuntimeError: connection closed by peer"


def test_a_rank_without_a_word_is_named() -> None:
    error = cause_of([Failure(4, 7, None)])
    assert (type(error), str(error)) == (JobError, "rank 4 ended with exit code 7 and no word")


@given(st.permutations([INVALID, DIVERGED, KILLED, LOST, BUG, STOPPED]))
def test_the_order_in_which_failures_are_found_changes_nothing(failures: list[Failure]) -> None:
    assert isinstance(cause_of(failures), Diverged)
