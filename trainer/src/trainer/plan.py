"""Which rows an optimizer step sees: pure functions of the job, so there is no loader position to save."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import count

SORT_WINDOW = 32  # batches whose rows are sorted by length together: little padding, and still a random order


def shuffled(num_items: int, *seed: int | str) -> list[int]:
    """0 … num_items - 1 in the order of sha256("seed/…/item"): the same on every platform and version."""
    prefix = "/".join(map(str, seed))
    return sorted(range(num_items), key=lambda item: sha256(f"{prefix}/{item}".encode()).digest())


def num_steps(num_rows: int, num_minibatches: int, epochs: int) -> int:
    return epochs * min(num_minibatches, num_rows)


def minibatch(num_rows: int, num_minibatches: int, seed: int, step: int) -> list[int]:
    """Rows of optimizer step `step` (from 1), ascending. Each epoch cuts a new order into near-equal parts; each row is in one."""
    parts = min(num_minibatches, num_rows)
    epoch, part = divmod(step - 1, parts)
    order = shuffled(num_rows, "minibatch", seed, epoch)
    return sorted(order[part * num_rows // parts : (part + 1) * num_rows // parts])


def length_sorted_batches(lengths: Sequence[int], rows_per_batch: int, max_tokens: int, seed: int) -> list[list[int]]:
    """Batches of rows of similar length, epoch after epoch in new orders, until their tokens reach `max_tokens`."""
    plan: list[list[int]] = []
    num_tokens = 0
    for epoch in count():
        for batch in _epoch_batches(lengths, rows_per_batch, seed, epoch):
            if num_tokens >= max_tokens:
                return plan
            plan.append(batch)
            num_tokens += sum(lengths[row] for row in batch)
    raise AssertionError("unreachable: count() does not end")


def _epoch_batches(lengths: Sequence[int], rows_per_batch: int, seed: int, epoch: int) -> list[list[int]]:
    order = shuffled(len(lengths), "rows", seed, epoch)
    batches: list[list[int]] = []
    for window in _chunks(order, rows_per_batch * SORT_WINDOW):
        by_length = sorted(window, key=lambda row: (lengths[row], row))
        batches += _chunks(by_length, rows_per_batch)
    return [batches[index] for index in shuffled(len(batches), "batches", seed, epoch)]


def _chunks(items: Sequence[int], size: int) -> Iterable[list[int]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))
