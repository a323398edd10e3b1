"""One ragged step of a Qwen3 model over many sequences, written so that a row's result depends on that row alone.

A row is one token of one sequence: (slot, position, token). Prompt tokens and sampled tokens go through the same kernels; there is
no separate prefill. What keeps a row's bits independent of its neighbours:

- Matrix products run over a number of rows that is a multiple of ROW_MULTIPLE (fill rows go to a spare slot). The libraries choose
  other kernels for very few rows (fewer than 12 here), and the same one from there on, in which a row's sums do not depend on how
  many rows there are.
- Attention is one small product per row over its own cache, over a length that its position alone decides (the next multiple of
  BUCKET). Masked columns get weight exactly 0, and adding 0 changes nothing.
- Everything else works element by element or along one row.

The first two are facts about a library on a machine, not about arithmetic: selfcheck.py tests them when a policy is loaded.

Dimensions: R row, K key-value head, G query heads per key-value head, E head width, W columns of the step's longest bucket.
"""

import math
import mmap
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from policy_server.weights import Weights

BUCKET = 32
ROW_MULTIPLE = 16

IntArray = np.ndarray[tuple[int], np.dtype[np.int64]]


class StepModel(Protocol):
    """What the engine steps: this file's Forward on a CPU, device_forward.py's elsewhere."""

    weights: Weights
    max_rows: int
    row_multiple: int

    def copy_prefix(self, source: int, target: int, length: int) -> None: ...

    def forget_non_finite(self, slot: int) -> None: ...

    def step(self, rows: "Rows") -> Tensor: ...


@dataclass(frozen=True)
class Rows:
    """Tokens of one step, in any order but one: rows whose logits are wanted come first."""

    slots: IntArray
    positions: IntArray
    tokens: IntArray
    num_logits: int


class Forward:
    """A model with caches for `num_slots` sequences of up to `max_context` tokens. Not thread-safe: one thread steps it.

    Memory of the caches: 2 * layers * key-value heads * width * max_context * 4 bytes per slot, touched only as positions are used.
    """

    def __init__(self, weights: Weights, num_slots: int, max_context: int, max_rows: int, row_multiple: int = ROW_MULTIPLE) -> None:
        shape = weights.shape
        if max_rows % row_multiple:
            raise ValueError(f"max_rows {max_rows} is not a multiple of {row_multiple}")
        self.weights, self.max_rows, self.row_multiple = weights, max_rows, row_multiple
        self.length = -(-max_context // BUCKET) * BUCKET
        self._fill_slot = num_slots
        self._group = shape.num_heads // shape.num_key_value_heads
        size = (num_slots + 1, shape.num_key_value_heads, self.length, shape.head_dim)
        self._keys = [_untouched_zeros(size) for _ in weights.layers]
        self._values = [_untouched_zeros(size) for _ in weights.layers]
        self._cache_views: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
        self._head_offsets = np.arange(shape.num_key_value_heads, dtype=np.int64) * self.length
        self._norm_weights = [
            torch.cat([w.query_norm.expand(shape.num_heads, -1), w.key_norm.expand(shape.num_key_value_heads, -1)]).contiguous()
            for w in weights.layers
        ]
        self._cosine, self._sine = rotary_tables(shape.head_dim, shape.rope_theta, self.length)
        self._mask = torch.full((self.length, self.length), -torch.inf).triu_(1)
        rotated = (max_rows, shape.num_heads + shape.num_key_value_heads, shape.head_dim)
        self._rotated = torch.zeros(rotated)
        queries = self._rotated[:, : shape.num_heads].unflatten(1, (shape.num_key_value_heads, self._group))
        self._query_views = list(queries)
        self._mixed = torch.zeros(max_rows, shape.num_key_value_heads, self._group, shape.head_dim)
        self._mixed_views = list(self._mixed)
        self._scratch: dict[int, _Scratch] = {}

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Gives slot `target` the first `length` positions of slot `source`."""
        for cache in (*self._keys, *self._values):
            cache[target, :, :length] = cache[source, :, :length]

    def forget_non_finite(self, slot: int) -> None:
        """Masked columns have weight 0, but 0 * NaN is NaN: what a broken model left behind must not reach the slot's next user."""
        for cache in (*self._keys, *self._values):
            cache[slot].zero_()
        self._scratch.clear()

    @torch.inference_mode()
    def step(self, rows: Rows) -> Tensor:
        """Writes the rows' keys and values and gives the logits [num_logits, vocabulary] of the first rows."""
        shape, layers = self.weights.shape, self.weights.layers
        count, wanted = len(rows.slots), rows.num_logits
        slots, positions, tokens = self._filled(rows)
        x_RD = F.embedding(torch.from_numpy(tokens), self.weights.embedding)
        position_ids = torch.from_numpy(positions)
        rotary = self._cosine[position_ids].unsqueeze(1), self._sine[position_ids].unsqueeze(1)
        offsets = ((slots * shape.num_key_value_heads * self.length + positions)[:, None] + self._head_offsets).reshape(-1)
        targets = torch.from_numpy(offsets)
        attention = self._plan_attention(rows.slots, rows.positions, position_ids)
        for index, layer in enumerate(layers):
            is_last = index + 1 == len(layers)
            self._write_cache(index, x_RD, rotary, targets)
            if is_last:
                if wanted == 0:
                    return torch.empty(0, shape.vocab_size)
                count = wanted
                x_RD = x_RD[: self._round_up(wanted)]
            mixed_RD = self._attend(index, attention, count)[: x_RD.shape[0]]
            x_RD = x_RD + F.linear(mixed_RD, layer.output)
            x_RD = x_RD + self._mlp(index, x_RD)
        x_RD = F.rms_norm(x_RD, (shape.hidden_size,), self.weights.final_norm, shape.rms_norm_eps)
        return F.linear(x_RD, self.weights.head)[:wanted]

    def _filled(self, rows: Rows) -> tuple[IntArray, IntArray, IntArray]:
        """The rows with fill rows appended up to a number that the kernels treat alike."""
        count = len(rows.slots)
        fill = self._round_up(count) - count
        if count + fill > self.max_rows:
            raise ValueError(f"{count} rows in one step, at most {self.max_rows}")
        zeros = np.zeros(fill, dtype=np.int64)
        slots = np.concatenate((rows.slots, zeros + self._fill_slot))
        return slots, np.concatenate((rows.positions, zeros)), np.concatenate((rows.tokens, zeros))

    def _round_up(self, count: int) -> int:
        return max(1, -(-count // self.row_multiple)) * self.row_multiple

    def _write_cache(self, index: int, x_RD: Tensor, rotary: tuple[Tensor, Tensor], targets: Tensor) -> None:
        """Queries, keys and values of the rows; keys and values go to their slots, queries stay in `_rotated`."""
        shape, layer = self.weights.shape, self.weights.layers[index]
        count, heads = x_RD.shape[0], shape.num_heads + shape.num_key_value_heads
        normed = F.rms_norm(x_RD, (shape.hidden_size,), layer.input_norm, shape.rms_norm_eps)
        fused = F.linear(normed, layer.query_key_value).view(count, -1, shape.head_dim)
        plain = F.rms_norm(fused[:, :heads], (shape.head_dim,), None, shape.rms_norm_eps) * self._norm_weights[index]
        cosine, sine = rotary
        rotated = torch.addcmul(plain * cosine, plain.roll(shape.head_dim // 2, -1), sine, out=self._rotated[:count])
        keys = rotated[:, shape.num_heads :].reshape(-1, shape.head_dim)
        self._keys[index].view(-1, shape.head_dim).index_copy_(0, targets, keys)
        self._values[index].view(-1, shape.head_dim).index_copy_(0, targets, fused[:, heads:].reshape(-1, shape.head_dim))

    def _plan_attention(self, slots: IntArray, positions: IntArray, position_ids: Tensor) -> "_Attention":
        """The views that every layer of the step uses."""
        buckets = positions // BUCKET
        widest = int(buckets.max()) + 1
        scratch = self._scratch.get(widest)
        if scratch is None:
            scratch = self._scratch[widest] = _Scratch(self.max_rows, self.weights.shape.num_key_value_heads, self._group, widest)
        pairs = list(zip(slots.tolist(), buckets.tolist(), strict=True))
        caches = [self._cache_views.get(pair) or self._view_cache(pair) for pair in pairs]
        bucket_list = [bucket for _, bucket in pairs]
        mask = self._mask[position_ids[: len(pairs)], : widest * BUCKET]
        return _Attention(scratch, caches, [*map(scratch.row_views, range(len(pairs)), bucket_list)], mask[:, None, None])

    def _view_cache(self, pair: tuple[int, int]) -> list[tuple[Tensor, Tensor]]:
        slot, bucket = pair
        length = (bucket + 1) * BUCKET
        caches = zip(self._keys, self._values, strict=True)
        views = [(keys[slot, :, :length].transpose(1, 2), values[slot, :, :length]) for keys, values in caches]
        self._cache_views[pair] = views
        return views

    def _attend(self, index: int, attention: "_Attention", count: int) -> Tensor:
        """Mixed values [R, heads * width] of the first `count` rows; further rows hold what they held."""
        bmm, scratch = torch.bmm, attention.scratch
        caches, views = attention.caches[:count], attention.views[:count]
        for query, cache, view in zip(self._query_views, caches, views, strict=False):
            bmm(query, cache[index][0], out=view[0])
        scores = scratch.scores[:count]
        scores.add_(attention.mask[:count])
        torch.softmax(scores, -1, out=scratch.shares[:count])
        for mixed, cache, view in zip(self._mixed_views, caches, views, strict=False):
            bmm(view[1], cache[index][1], out=mixed)
        return self._mixed.view(self.max_rows, -1)

    def _mlp(self, index: int, x_RD: Tensor) -> Tensor:
        shape, layer = self.weights.shape, self.weights.layers[index]
        normed = F.rms_norm(x_RD, (shape.hidden_size,), layer.post_norm, shape.rms_norm_eps)
        gate, up = F.linear(normed, layer.gate_up).chunk(2, dim=-1)
        return F.linear(F.silu(gate).mul_(up), layer.down)


@dataclass(frozen=True)
class _Attention:
    scratch: "_Scratch"
    caches: list[list[tuple[Tensor, Tensor]]]
    views: list[tuple[Tensor, Tensor]]
    mask: Tensor


class _Scratch:
    """Scores and softmax shares [R, K, G, W] of steps whose longest row has W columns; columns past a row's bucket are masked."""

    def __init__(self, max_rows: int, num_key_value_heads: int, group: int, num_buckets: int) -> None:
        size = (max_rows, num_key_value_heads, group, num_buckets * BUCKET)
        self.scores, self.shares = torch.zeros(size), torch.zeros(size)
        self._views: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def row_views(self, row: int, bucket: int) -> tuple[Tensor, Tensor]:
        views = self._views.get((row, bucket))
        if views is None:
            length = (bucket + 1) * BUCKET
            views = self._views[row, bucket] = (self.scores[row, :, :, :length], self.shares[row, :, :, :length])
        return views


def _untouched_zeros(size: tuple[int, ...]) -> Tensor:
    """Zeros on pages that take no memory before they are written; page-aligned, so that every slot is aligned alike."""
    return torch.frombuffer(mmap.mmap(-1, 4 * math.prod(size)), dtype=torch.float32).view(size)


def rotary_tables(width: int, theta: float, length: int) -> tuple[Tensor, Tensor]:
    """Cosine and signed sine [length, width], so that a rotation is x * cosine + roll(x, width / 2) * sine."""
    frequencies = theta ** (-torch.arange(0, width, 2, dtype=torch.int64).float() / width)
    angles = torch.outer(torch.arange(length).float(), frequencies)
    return torch.cat((angles.cos(), angles.cos()), 1), torch.cat((-angles.sin(), angles.sin()), 1)
