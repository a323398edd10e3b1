"""Attention of queries that see a prefix whole and themselves causally, on a CPU: two calls of PyTorch's flash kernel and no mask.

The kernel's causal mask begins at the first key, so a suffix would need a mask of its own, and with one the kernel computes what is
masked too. Instead the two parts are computed apart and put together by their log-sum-exp. The backward kernel makes its
probabilities from the log-sum-exp that it is given: with that of the whole, each part's gradients are exact (as in ring attention,
arXiv 2310.01889).

Dimensions: B row, H head, Q query, P position of the prefix, E head width.
"""

from typing import Any

import torch
from torch import Tensor

_attend = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default
_attend_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward.default


def suffix_attention(
    queries_BHQE: Tensor, prefix: tuple[Tensor, Tensor], suffix: tuple[Tensor, Tensor], scale: float | None = None
) -> Tensor:
    """Softmax over all P + (q + 1) keys that query q sees, [B, H, Q, E]. `prefix` and `suffix` are keys and values with as many heads."""
    return _SuffixAttention.apply(queries_BHQE, *prefix, *suffix, scale)  # type: ignore[return-value]


class _SuffixAttention(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, queries: Tensor, prefix_keys: Tensor, prefix_values: Tensor, keys: Tensor, values: Tensor, scale: float | None
    ) -> Tensor:
        before, before_BHQ = _attend(queries, prefix_keys, prefix_values, 0.0, False, scale=scale)
        itself, itself_BHQ = _attend(queries, keys, values, 0.0, True, scale=scale)
        whole_BHQ = torch.logaddexp(before_BHQ, itself_BHQ)
        mixed = before * _share(before_BHQ, whole_BHQ, before) + itself * _share(itself_BHQ, whole_BHQ, itself)
        ctx.save_for_backward(queries, prefix_keys, prefix_values, keys, values, mixed, whole_BHQ)
        ctx.scale = scale
        return mixed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        queries, prefix_keys, prefix_values, keys, values, mixed, whole_BHQ = ctx.saved_tensors
        gradient = gradient.contiguous()
        before = _attend_backward(gradient, queries, prefix_keys, prefix_values, mixed, whole_BHQ, 0.0, False, scale=ctx.scale)
        itself = _attend_backward(gradient, queries, keys, values, mixed, whole_BHQ, 0.0, True, scale=ctx.scale)
        return before[0] + itself[0], before[1], before[2], itself[1], itself[2], None


def _share(part_BHQ: Tensor, whole_BHQ: Tensor, like: Tensor) -> Tensor:
    return (part_BHQ - whole_BHQ).exp().unsqueeze(-1).to(like.dtype)
