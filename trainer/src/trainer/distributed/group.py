"""The ranks of a job, and the few things they tell each other beside what the model's shards need. Those are small and go over gloo."""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

from model.errors import Terminated
from trainer.supervision import Supervision

# The last resort: whoever supervises the job notices a rank that hangs long before.
COLLECTIVE_TIMEOUT = timedelta(minutes=30)


@dataclass(frozen=True)
class Place:
    """Which of how many: of the whole job, and on this machine."""

    rank: int
    world_size: int
    local_rank: int
    num_local_ranks: int

    @classmethod
    def from_environment(cls) -> "Place":
        """What torchrun and our launcher both say."""
        return cls(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")))


class Group:
    """All methods are collective: every rank calls them, in the same order."""

    def __init__(self, device: torch.device, place: Place, meeting: str | None) -> None:
        """`meeting` is a file that does not exist yet; None means torchrun's own address and port."""
        self.device, self.place, self.rank, self.world_size = device, place, place.rank, place.world_size
        backends = "gloo" if device.type == "cpu" else "cpu:gloo,cuda:nccl"
        address = "env://" if meeting is None else f"file://{meeting}"
        dist.init_process_group(backends, init_method=address, rank=self.rank, world_size=self.world_size, timeout=COLLECTIVE_TIMEOUT)
        self.mesh: DeviceMesh = init_device_mesh(device.type, (self.world_size,))

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def sum(self, values: list[float]) -> list[float]:
        return self._reduced(values, dist.ReduceOp.SUM)

    def max(self, value: float) -> float:
        return self._reduced([value], dist.ReduceOp.MAX)[0]

    def share(self, value: Any) -> Any:
        """What the first rank has."""
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def gather(self, value: Any) -> list[Any]:
        """What each rank has, by rank."""
        found: list[Any] = [None] * self.world_size
        dist.all_gather_object(found, value)
        return found

    def wait(self) -> None:
        """Returns when every rank is here."""
        self.max(0.0)

    def close(self) -> None:
        dist.destroy_process_group()

    def _reduced(self, values: list[float], operation: dist.ReduceOp.RedOpType) -> list[float]:
        tensor: Tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, operation)
        return tensor.tolist()


class GroupSupervision:
    """Ranks stop together or not at all: `check` raises in every one of them when any was asked to."""

    def __init__(self, supervision: Supervision, group: Group) -> None:
        self._supervision, self._group = supervision, group

    def check(self) -> None:
        stop: Terminated | None = None
        try:
            self._supervision.check()
        except Terminated as error:
            stop = error
        if self._group.max(float(stop is not None)):
            raise stop or Terminated("another rank was stopped by a signal; progress is saved")
