"""When the ranks of a machine load the model one after the other."""

import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest

from helpers import write_job
from trainer.contracts import read_training_job
from trainer.distributed import load_turns
from trainer.distributed.group import Group, Place
from trainer.distributed.load_turns import Turns, num_loaders


def test_as_many_load_at_once_as_fit_into_the_free_memory(
    tmp_path: Path, model_directory: Path, batch_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = read_training_job(write_job(tmp_path / "alone", model_directory, batch_path))
    beside = read_training_job(write_job(tmp_path / "beside", model_directory, batch_path, referenceDirectory=str(model_directory)))
    copy = 2 * (model_directory / "model.safetensors").stat().st_size
    for copies, expected in ((100, 8), (5, 3), (1, 1), (0.1, 1)):
        monkeypatch.setattr(load_turns, "free_bytes", lambda copies=copies: copies * copy)
        assert num_loaders(alone, 8) == expected
        assert num_loaders(beside, 8) == max(1, min(8, int(0.7 * copies / 2)))


@pytest.mark.parametrize("num_at_once", [1, 2, 3, 5])
def test_no_more_load_at_once_and_everybody_loads(num_at_once: int) -> None:
    """Ranks as threads; the barrier of the group is a real one."""
    barrier, loading, most, loaded = threading.Barrier(5), set[int](), [0], set[int]()

    class Ranks:
        def __init__(self, rank: int) -> None:
            self.place = Place(rank, 5, rank, 5)

        def wait(self) -> None:
            barrier.wait(timeout=10)

    def rank(number: int) -> None:
        turns = Turns(cast(Group, cast(Any, Ranks(number))), num_at_once)
        turns.wait_for_own()
        loading.add(number)
        most[0] = max(most[0], len(loading))
        time.sleep(0.02)  # loading takes its time
        loaded.add(number)
        loading.discard(number)
        turns.let_others()

    threads = [threading.Thread(target=rank, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert loaded == set(range(5))
    assert most[0] <= num_at_once
    assert barrier.n_waiting == 0
