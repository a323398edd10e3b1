"""A rank holds the whole model in its host's memory until it is sharded. When not all ranks' copies fit at once, they load in turns."""

from pathlib import Path

from trainer.contracts import TrainingJob
from trainer.distributed.group import Group

FLOAT32_PER_STORED = 2  # weights are mostly stored in 16 bits and loaded in 32
SHARE_OF_FREE_MEMORY = 0.7


def num_loaders(job: TrainingJob, num_local_ranks: int) -> int:
    """How many ranks of a machine may load at once, at least 1."""
    models = [job.model_directory, *([job.reference_directory] if job.reference_directory is not None else [])]
    num_bytes = FLOAT32_PER_STORED * sum(path.stat().st_size for model in models for path in model.glob("*.safetensors"))
    return max(1, min(num_local_ranks, int(SHARE_OF_FREE_MEMORY * free_bytes() / max(1, num_bytes))))


def free_bytes() -> float:
    """What Linux says can be had without swapping; elsewhere nobody waits."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) * 1024
    except (OSError, StopIteration, ValueError):
        return float("inf")


class Turns:
    """Every rank waits for all others as often as there are turns: the ranks of turn t load after the t-th time and before the next."""

    def __init__(self, group: Group, num_loaders: int) -> None:
        self._group = group
        self._own = group.place.local_rank // num_loaders
        self._num_turns = -(-group.place.num_local_ranks // num_loaders)

    def wait_for_own(self) -> None:
        for _ in range(self._own):
            self._group.wait()

    def let_others(self) -> None:
        for _ in range(self._num_turns - self._own):
            self._group.wait()
