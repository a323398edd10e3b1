"""Tests on this machine, for a policy's geometry, what forward.py builds on: that a row's bits do not depend on its neighbours."""

import logging

import numpy as np

from model.shape import Qwen3Shape
from policy_server.forward import ROW_MULTIPLE, Rows, StepModel
from policy_server.placement import Placement
from policy_server.weights import Weights

log = logging.getLogger("policy_server")

LENGTHS = (3, 20, 70)
CPU = Placement()
_known_multiples: dict[tuple[Qwen3Shape, int, Placement], int | None] = {}


def exact_row_multiple(weights: Weights, max_rows: int, placement: Placement) -> int | None:
    """The smallest row multiple under which results are exact here: ROW_MULTIPLE, or always `max_rows`, or None when neither is."""
    key = (weights.shape, max_rows, placement)
    if key not in _known_multiples:
        _known_multiples[key] = _find(weights, max_rows, placement)
    return _known_multiples[key]


def _find(weights: Weights, max_rows: int, placement: Placement) -> int | None:
    for multiple in (ROW_MULTIPLE, max_rows) if placement.has_own_kernels else (max_rows,):
        if is_invariant(weights, max_rows, multiple, placement):
            return multiple
        log.warning("sums depend on the number of rows with multiples of %d on this machine", multiple)
    return None


def is_invariant(weights: Weights, max_rows: int, row_multiple: int, placement: Placement = CPU) -> bool:
    """Whether prompts give the same logits, bit by bit, alone and token by token, alone in chunks, and batched in ragged chunks."""
    longest = min(max(LENGTHS), weights.shape.max_positions)
    generator = np.random.default_rng(0)
    prompts = [generator.integers(0, weights.shape.vocab_size, min(length, longest)) for length in LENGTHS]

    def fresh() -> StepModel:
        return placement.make_forward(weights, len(prompts), longest, max_rows, row_multiple)

    singly = [_run(fresh(), {slot: prompt}, 1) for slot, prompt in enumerate(prompts)]
    in_chunks = [_run(fresh(), {slot: prompt}, max_rows) for slot, prompt in enumerate(prompts)]
    together = _run(fresh(), dict(enumerate(prompts)), min(7, max_rows // len(prompts)))
    return all(
        np.array_equal(alone[slot], chunked[slot]) and np.array_equal(alone[slot], together[slot])
        for slot, (alone, chunked) in enumerate(zip(singly, in_chunks, strict=True))
    )


def _run(forward: StepModel, prompts: dict[int, np.ndarray], chunk: int) -> dict[int, np.ndarray]:
    """Logits of every position of the prompts, fed in steps of at most `chunk` tokens of each."""
    logits: dict[int, list[np.ndarray]] = {slot: [] for slot in prompts}
    for start in range(0, max(map(len, prompts.values())), chunk):
        parts = {slot: np.arange(start, min(start + chunk, len(prompt))) for slot, prompt in prompts.items() if start < len(prompt)}
        slots = np.concatenate([np.full(len(positions), slot) for slot, positions in parts.items()])
        tokens = np.concatenate([prompts[slot][positions] for slot, positions in parts.items()])
        result = forward.step(Rows(slots, np.concatenate(list(parts.values())), tokens, len(slots))).numpy()
        for slot in parts:
            logits[slot].append(result[slots == slot])
    return {slot: np.concatenate(parts) for slot, parts in logits.items()}
