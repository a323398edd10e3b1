"""Training with the rows of each minibatch dealt to ranks: the loss and the gradients are those of one process (tests/distributed/)."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import safe_open
from torch import Tensor
from torch.distributed.tensor import DTensor

from model.files import temporary_of
from trainer.backends import Backend, fsdp_on
from trainer.batch import Batch, Row
from trainer.contracts import TrainingJob
from trainer.distributed.deal import deal
from trainer.distributed.group import Group
from trainer.distributed.load_turns import Turns, num_loaders
from trainer.distributed.sharding import ShardedPolicy, sharded_like, whole
from trainer.layouts import lay_out
from trainer.loss import MinibatchCounts
from trainer.optimizers import gradient_norm
from trainer.policy import BaseOf, TrainablePolicy
from trainer.tensor_files import chunks_of, spec_of, write_stream
from trainer.train import Scorer, StepSums, TrainLearner, action_logprobs, commit_outputs
from trainer.train import create_learner as create_single

# What a rank computes when the others have a micro-batch more: collectives need every rank. Its loss counts nothing.
NOTHING = Row(torch.tensor([0, 0]), torch.tensor([0]), torch.zeros(1), torch.zeros(1), torch.zeros(1, dtype=torch.int32))
Rows = list[tuple[int, Row]]


class ShardedLearner(TrainLearner):
    def __init__(self, job: TrainingJob, batch: Batch, policy: ShardedPolicy, reference: Scorer | None, group: Group) -> None:
        self._group = group
        super().__init__(job, batch, cast(TrainablePolicy, policy), reference)
        self.device = f"{policy.device.type} x {group.world_size}"
        self.num_devices = group.world_size if policy.device.type == "cuda" else 0
        if reference is not None:
            self._reference_logprobs = self._logprobs_under(reference, self._rows_with_actions())

    def _micro_batches(self, rows: Rows) -> list[Rows]:
        """Those of this rank, and empty ones up to the number of the rank with the most."""
        shares = deal([len(row.token_ids) for _, row in rows], self._group.world_size)
        cuts = [super(ShardedLearner, self)._micro_batches([rows[at] for at in share]) for share in shares]
        own = cuts[self._group.rank]
        return own + [[] for _ in range(max(map(len, cuts)) - len(own))]

    def _accumulate_gradients(self, indices: list[int], check: Callable[[], None]) -> StepSums:
        return summed(super()._accumulate_gradients(indices, check), self._group)

    def _micro_batch_backward(self, rows: Rows, counts: MinibatchCounts, sums: StepSums) -> None:
        if rows:
            super()._micro_batch_backward(rows, counts, sums)
        else:
            logprobs_N, _ = self._policy.logprobs(lay_out(self._layout, [NOTHING]), self._job.temperature)
            (0.0 * logprobs_N.sum()).backward()

    def _logprobs_under(self, scorer: Scorer, rows: Rows) -> dict[int, Tensor]:
        """Of every one of the rows, computed once, by the rank that it is dealt to, and known to all."""
        own: dict[int, Tensor] = {}
        for micro_batch in self._micro_batches(rows):
            with torch.no_grad():
                found = action_logprobs(scorer, [row for _, row in micro_batch] or [NOTHING], self._layout, self._job.temperature)
            own.update({index: logprobs_N.cpu() for (index, _), (logprobs_N, _) in zip(micro_batch, found, strict=False)})
        return {index: logprobs_N.to(self._policy.device) for part in self._group.gather(own) for index, logprobs_N in part.items()}

    def _gradient_norm(self) -> float:
        norm = gradient_norm(parameter for _, parameter in self._policy.named_parameters())
        return cast(DTensor, norm).full_tensor().item()

    def _read_moments(self, path: Path) -> dict[str, Tensor]:
        own = self._optimizer.state()
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            return {name: sharded_like(file.get_tensor(name), own[name]) for name in names if name in own}

    def result(self, job_directory: Path, steps: list[dict[str, Any]], marks: list[dict[str, Any]]) -> dict[str, Any]:
        path, state, is_first = job_directory / "optimizer.safetensors", self._optimizer.state(), self._group.is_first
        specs = {name: spec_of(moment) for name, moment in state.items()}
        write_stream(temporary_of(path) if is_first else None, specs, lambda name: chunks_of(whole(state[name])))
        canary = self._canary()
        return commit_outputs(job_directory, path, canary, steps) if is_first else {}


def summed(sums: StepSums, group: Group) -> StepSums:
    """The sums of all ranks; of `ratio_max` the largest. Counts stay whole numbers: they are far below 2^53."""
    names = [field.name for field in fields(sums)]
    totals = dict(zip(names, group.sum([float(getattr(sums, name)) for name in names]), strict=True))
    totals["ratio_max"] = group.max(sums.ratio_max)
    return StepSums(**{name: type(getattr(sums, name))(total) for name, total in totals.items()})


def create_learner(job: TrainingJob, group: Group, backend: Backend | None = None) -> ShardedLearner:
    """Reads what one process reads, on the CPU, and then keeps this rank's share. Raises InvalidJob alike on every rank.

    A back-end is given by tests only, to run the numbers of a GPU on a CPU.
    """
    backend = backend or fsdp_on(group.device)
    turns = Turns(group, group.share(num_loaders(job, group.place.num_local_ranks)))
    turns.wait_for_own()

    def make(job: TrainingJob, batch: Batch, policy: TrainablePolicy, reference: Scorer | None) -> ShardedLearner:
        sharded = ShardedPolicy(policy, policy.backend.on(str(backend.device)), group)
        kept = sharded_reference(reference, sharded, group)
        turns.let_others()
        return ShardedLearner(job, batch, sharded, kept, group)

    return cast(ShardedLearner, create_single(job, backend.on("cpu"), make))


def sharded_reference(reference: Scorer | None, policy: ShardedPolicy, group: Group) -> Scorer | None:
    if isinstance(reference, BaseOf):
        return BaseOf(cast(TrainablePolicy, policy))
    return reference if reference is None else ShardedPolicy(cast(TrainablePolicy, reference), policy.backend, group)
