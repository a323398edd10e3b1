"""The same ragged step as forward.py's in torch operations that run on any device: for a small GPU, in float32 or bfloat16.

A row's bits do not depend on its neighbours because every step has the same shapes: always `max_rows` rows (the missing ones go to a
spare slot), each attending over the whole length of its cache, masked. A GPU does that much work in little more time; a CPU does not,
which is why it has forward.py. selfcheck.py tests it when a policy is loaded.

Never run on a GPU by this project's tests: they run it on the CPU.

Dimensions: R row, H query head, K key-value head, E head width, L length of a cache.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from policy_server.forward import Rows, rotary_tables
from policy_server.weights import LayerWeights, Weights


class DeviceForward:
    """A model with caches for `num_slots` sequences of up to `max_context` tokens on a device. Not thread-safe.

    Memory of the caches: 2 * layers * key-value heads * width * max_context * bytes of the data type per slot, all of it from the start;
    beside it one layer's keys and values of `max_rows` rows.
    """

    def __init__(self, weights: Weights, num_slots: int, max_context: int, max_rows: int, device: str, dtype: torch.dtype) -> None:
        shape = weights.shape
        self.weights, self.max_rows, self.row_multiple, self.length = weights, max_rows, max_rows, max_context
        self._device = torch.device(device)
        self._on_device = _moved(weights, self._device, dtype)
        self._fill_slot = num_slots
        size = (len(weights.layers), num_slots + 1, shape.num_key_value_heads, max_context, shape.head_dim)
        self._keys = torch.zeros(size, device=self._device, dtype=dtype)
        self._values = torch.zeros(size, device=self._device, dtype=dtype)
        self._cosine, self._sine = (table.to(self._device) for table in rotary_tables(shape.head_dim, shape.rope_theta, max_context))
        self._columns = torch.arange(max_context, device=self._device)

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Gives slot `target` the first `length` positions of slot `source`."""
        for cache in (self._keys, self._values):
            cache[:, target, :, :length] = cache[:, source, :, :length]

    def forget_non_finite(self, slot: int) -> None:
        """Masked columns have weight 0, but 0 * NaN is NaN."""
        for cache in (self._keys, self._values):
            cache[:, slot].zero_()

    @torch.inference_mode()
    def step(self, rows: Rows) -> Tensor:
        """Writes the rows' keys and values and gives the logits [num_logits, vocabulary] of the first rows, in float32 on the CPU."""
        if len(rows.slots) > self.max_rows:
            raise ValueError(f"{len(rows.slots)} rows in one step, at most {self.max_rows}")
        weights, shape = self._on_device, self.weights.shape
        where = self._places(rows)
        x_RD = F.embedding(self._filled(rows.tokens, 0), weights.embedding)
        for index, layer in enumerate(weights.layers):
            x_RD = x_RD + F.linear(self._attend(index, layer, x_RD, where), layer.output)
            normed = F.rms_norm(x_RD, (shape.hidden_size,), layer.post_norm, shape.rms_norm_eps)
            gate, up = F.linear(normed, layer.gate_up).chunk(2, dim=-1)
            x_RD = x_RD + F.linear(F.silu(gate) * up, layer.down)
        states_RD = F.rms_norm(x_RD, (shape.hidden_size,), weights.final_norm, shape.rms_norm_eps)
        return F.linear(states_RD, weights.head)[: rows.num_logits].float().cpu()

    def _places(self, rows: Rows) -> "_Places":
        slots, positions = self._filled(rows.slots, self._fill_slot), self._filled(rows.positions, 0)
        rotary = self._cosine[positions].unsqueeze(1), self._sine[positions].unsqueeze(1)
        return _Places(slots, positions, rotary, self._columns[None] <= positions[:, None])

    def _filled(self, values: np.ndarray, fill: int) -> Tensor:
        return torch.from_numpy(np.concatenate((values, np.full(self.max_rows - len(values), fill, dtype=np.int64)))).to(self._device)

    def _attend(self, index: int, layer: LayerWeights, x_RD: Tensor, where: "_Places") -> Tensor:
        """Mixed values [R, heads * width]; keys and values of the rows go to their slots first."""
        shape = self.weights.shape
        heads, key_heads = shape.num_heads, shape.num_key_value_heads
        normed = F.rms_norm(x_RD, (shape.hidden_size,), layer.input_norm, shape.rms_norm_eps)
        fused = F.linear(normed, layer.query_key_value).view(self.max_rows, -1, shape.head_dim)
        queries, keys, values = fused.split((heads, key_heads, key_heads), dim=1)
        eps = shape.rms_norm_eps
        queries_RHE = _rotated(F.rms_norm(queries, (shape.head_dim,), layer.query_norm, eps), where.rotary)
        keys_RKE = _rotated(F.rms_norm(keys, (shape.head_dim,), layer.key_norm, eps), where.rotary)
        self._keys[index, where.slots, :, where.positions] = keys_RKE
        self._values[index, where.slots, :, where.positions] = values
        mixed = F.scaled_dot_product_attention(
            queries_RHE[:, :, None],
            self._keys[index, where.slots],
            self._values[index, where.slots],
            attn_mask=where.visible_RL[:, None, None],
            scale=1.0,
            enable_gqa=heads != key_heads,
        )
        return mixed.reshape(self.max_rows, -1)


@dataclass(frozen=True)
class _Places:
    """Of the rows of one step."""

    slots: Tensor
    positions: Tensor
    rotary: tuple[Tensor, Tensor]
    visible_RL: Tensor
    """The columns up to a row's position."""


def _rotated(x_RHE: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    cosine, sine = rotary
    return (x_RHE.float() * cosine + x_RHE.float().roll(x_RHE.shape[-1] // 2, -1) * sine).to(x_RHE.dtype)


def _moved(weights: Weights, device: torch.device, dtype: torch.dtype) -> Weights:
    """A copy on the device. The query norm carries the scale of attention (weights.py), so attention itself has none."""

    def move(tensor: Tensor) -> Tensor:
        return tensor.to(device, dtype)

    layers = [replace(layer, **{field.name: move(getattr(layer, field.name)) for field in fields(layer)}) for layer in weights.layers]
    embedding = move(weights.embedding)
    head = embedding if weights.head is weights.embedding else move(weights.head)
    return replace(weights, embedding=embedding, layers=layers, final_norm=move(weights.final_norm), head=head)
