"""Micro-batches for prime-rl's trainer, as its orchestrator would leave them for the filesystem transport.

Written against the structures of one commit of https://github.com/PrimeIntellect-ai/prime-rl (COMMIT):
  src/prime_rl/transports/rollouts/types.py       MicroBatch: a msgpack array of its fields in order
  src/prime_rl/transports/rollouts/filesystem.py  <output_dir>/rollouts/step_<n>/rank_<r>.bin, list[MicroBatch] per data rank
  src/prime_rl/trainer/batch.py                   packing, padding, micro-batches without loss that even out the ranks
  src/prime_rl/trainer/ckpt.py                    the first optimizer step is 1
The trainer polls for rank_<r>.bin; there is no marker file. All ranks have as many micro-batches in a step.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import msgspec

from model.errors import InvalidJob
from trainer.engines.rows import ExportBatch, ExportRow
from trainer.plan import minibatch, num_steps

COMMIT = "559b44772e471d1538537b8805cc77f3824a5e64"
PADDING_TOKEN = 1
RESERVED_ENVIRONMENT = "all"

T = TypeVar("T")


class MicroBatch(msgspec.Struct, array_like=True):
    """prime-rl's MicroBatch, by name and place. Per token over all packed rows unless said otherwise. What we have no use for (reference
    log-probabilities, routed experts, images, weights of its other losses) is absent there too."""

    input_ids: list[int]
    loss_mask: list[bool]
    advantages: list[float]
    inference_logprobs: list[float]
    position_ids: list[int]  # from 0 in each row, and again in the padding
    sequence_lengths: list[int]  # per row; the last one's includes the padding
    temperatures: list[float]
    env_names: list[str]
    seq_lens: list[int]  # attention segments: as sequence_lengths
    ref_logprobs: None = None
    routed_experts: None = None
    mm_kwargs: None = None
    mm_token_type_ids: None = None
    rl_weights: None = None
    ce_weights: None = None
    ref_kl_weights: None = None


@dataclass(frozen=True)
class PrimeRlOptions:
    temperature: float = 1.0
    max_length: int | None = None  # tokens packed into a micro-batch, prime-rl's model.seq_len; None: those of the longest row
    ranks: int = 1  # data-parallel ranks, each with its own file
    minibatches: int = 1  # optimizer steps that the batch is cut into
    seed: int = 0  # order in which rows are dealt to minibatches, as in our own trainer
    first_step: int = 1
    pad_to_multiple: int = 1  # prime-rl's model.cp
    environment: str = "turnwise"  # name under which prime-rl reports metrics


Bin = list[int]
"""Rows of one micro-batch, ascending; none: a micro-batch without loss."""
Steps = list[list[list[Bin]]]
"""Bins by step, rank and micro-batch."""


def plan(batch: ExportBatch, options: PrimeRlOptions) -> Steps:
    """Which row goes where: each row into one step, rank and micro-batch. A function of lengths and options alone."""
    lengths = [len(row) for row in batch.rows]
    max_length = options.max_length or max(lengths)
    num = num_steps(len(lengths), options.minibatches, 1)
    minibatches = [minibatch(len(lengths), options.minibatches, options.seed, step) for step in range(1, num + 1)]
    return [_deal(_split(_pack(rows, lengths, max_length), lengths, options.ranks), options.ranks) for rows in minibatches]


def files(batch: ExportBatch, steps: Steps, options: PrimeRlOptions) -> Iterator[tuple[str, bytes]]:
    """Names below prime-rl's output_dir, and contents. Raises InvalidJob for a name that prime-rl keeps for itself."""
    if options.environment == RESERVED_ENVIRONMENT:
        raise InvalidJob(f"prime-rl keeps the environment name {RESERVED_ENVIRONMENT!r} for its sums; choose another --environment")
    encoder = msgspec.msgpack.Encoder()
    for step, ranks in enumerate(steps, start=options.first_step):
        for rank, bins in enumerate(ranks):
            micro_batches = [_of_bin(batch, rows, ranks[0][0], options) for rows in bins]
            yield f"rollouts/step_{step}/rank_{rank}.bin", encoder.encode(micro_batches)


def places(batch: ExportBatch, steps: Steps, options: PrimeRlOptions) -> list[dict[str, Any]]:
    """Where each row of the batch went, in the batch's order: `start` is its first token in the micro-batch."""
    found: dict[int, dict[str, Any]] = {}
    for step, ranks in enumerate(steps, start=options.first_step):
        for rank, bins in enumerate(ranks):
            for index, rows in enumerate(bins):
                start = 0
                for row in rows:
                    found[row] = {"step": step, "rank": rank, "microBatch": index, "start": start, "length": len(batch.rows[row])}
                    start += len(batch.rows[row])
    return [found[row] for row in sorted(found)]


def _pack(rows: Sequence[int], lengths: Sequence[int], max_length: int) -> list[Bin]:
    """First fit, in order."""
    bins: list[Bin] = []
    space: list[int] = []
    for row in rows:
        index = next((index for index, free in enumerate(space) if free >= lengths[row]), None)
        if index is None:
            index = len(bins)
            bins.append([])
            space.append(max_length)
        bins[index].append(row)
        space[index] -= lengths[row]
    return bins


def _split(bins: list[Bin], lengths: Sequence[int], ranks: int) -> list[Bin]:
    """Cuts the fullest bins in two until the ranks share them evenly, or only single rows are left."""
    bins = list(bins)
    while len(bins) % ranks:
        candidates = [index for index, rows in enumerate(bins) if len(rows) > 1]
        if not candidates:
            break
        fullest = max(candidates, key=lambda index: sum(lengths[row] for row in bins[index]))
        rows = bins[fullest]
        bins[fullest : fullest + 1] = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
    return bins


def _deal(bins: list[Bin], ranks: int) -> list[list[Bin]]:
    """Bins in turn to ranks; those that are left with one less get a bin without rows."""
    even = bins + [[] for _ in range(-len(bins) % ranks)]
    return [even[rank::ranks] for rank in range(ranks)]


def _of_bin(batch: ExportBatch, rows: Bin, stand_in: Bin, options: PrimeRlOptions) -> MicroBatch:
    """The micro-batch of a bin; for one without rows that of `stand_in`, without loss."""
    found = _micro_batch([batch.rows[row] for row in rows or stand_in], options)
    return found if rows else _without_loss(found)


def _micro_batch(rows: Sequence[ExportRow], options: PrimeRlOptions) -> MicroBatch:
    lengths = [len(row) for row in rows]
    num_tokens = sum(lengths)
    padding = _padded(num_tokens, options.pad_to_multiple) - num_tokens
    padded_lengths = [*lengths[:-1], lengths[-1] + padding]
    return MicroBatch(
        input_ids=_joined(rows, lambda row: row.token_ids_S.tolist(), [PADDING_TOKEN] * padding),
        loss_mask=_joined(rows, lambda row: row.loss_mask_S.tolist(), [False] * padding),
        advantages=_joined(rows, lambda row: row.advantages_S.tolist(), [0.0] * padding),
        inference_logprobs=_joined(rows, lambda row: row.logprobs_S.tolist(), [0.0] * padding),
        position_ids=_joined(rows, lambda row: range(len(row)), range(padding)),
        sequence_lengths=padded_lengths,
        temperatures=[options.temperature] * num_tokens + [1.0] * padding,
        env_names=[options.environment] * num_tokens + [""] * padding,
        seq_lens=padded_lengths,
    )


def _joined(rows: Sequence[ExportRow], values: Callable[[ExportRow], Sequence[T]], padding: Sequence[T]) -> list[T]:
    return [*chain.from_iterable(map(values, rows)), *padding]


def _padded(num_tokens: int, multiple: int) -> int:
    """At least 2: prime-rl squeezes its tensors, which must leave them an axis."""
    return -(-max(2, num_tokens) // multiple) * multiple


def _without_loss(source: MicroBatch) -> MicroBatch:
    """The same tokens, none of which is trained: it keeps the ranks in step, as prime-rl's own packer does."""
    size = len(source.input_ids)
    return msgspec.structs.replace(source, advantages=[0.0] * size, loss_mask=[False] * size)
