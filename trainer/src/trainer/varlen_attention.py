"""Segments of a flat sequence in one call of the flash kernel for variable lengths (torch.nn.attention.varlen), on CUDA.

The kernel takes rows of queries and keys of different lengths and aligns them at their ends, so that it serves packed rows (keys =
queries) and a tree of shared prefixes (keys = ancestors, then the segment) alike, without any mask. It needs no package beside torch.

Dimensions: H query head, K key-value head, S position, T position of the keys of all segments one after the other, E head width.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from trainer.segments import Segment

MAX_HEAD_WIDTH = 256


@dataclass(frozen=True)
class Lengths:
    """What the kernel is told of the segments; `spans` are the pieces of the sequence that the keys are made of, None for all of it."""

    query_offsets: Tensor
    key_offsets: Tensor
    max_queries: int
    max_keys: int
    spans: tuple[tuple[int, int], ...] | None


@lru_cache(maxsize=8)
def lengths_of(segments: tuple[Segment, ...], device: torch.device) -> Lengths:
    """The same for every layer of a model, so it is made once."""
    spans = [[(segments[index].start, segments[index].end) for index in (*one.ancestors, number)] for number, one in enumerate(segments)]
    num_queries = [segment.end - segment.start for segment in segments]
    num_keys = [sum(end - start for start, end in parts) for parts in spans]
    has_ancestors = any(segment.ancestors for segment in segments)
    return Lengths(
        query_offsets=_offsets(num_queries, device),
        key_offsets=_offsets(num_keys, device),
        max_queries=max(num_queries),
        max_keys=max(num_keys),
        spans=tuple(span for parts in spans for span in parts) if has_ancestors else None,
    )


def _offsets(lengths: Sequence[int], device: torch.device) -> Tensor:
    return torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=device)


def fits_kernel(queries_BHSE: Tensor, segments: Sequence[Segment]) -> bool:
    """One flat sequence of several segments, in half precision, on a device that has the kernel (compute capability 8 and later)."""
    rows, _, _, width = queries_BHSE.shape
    return (
        queries_BHSE.is_cuda
        and rows == 1
        and len(segments) > 1
        and queries_BHSE.dtype in (torch.bfloat16, torch.float16)
        and width % 8 == 0
        and width <= MAX_HEAD_WIDTH
        and torch.cuda.get_device_capability(queries_BHSE.device) >= (8, 0)
    )


def varlen_attention(
    queries_HSE: Tensor,
    keys_KSE: Tensor,
    values_KSE: Tensor,
    segments: Sequence[Segment],
    scale: float | None,
    kernel: Callable[..., Any] | None = None,
) -> Tensor:
    """Attention of every segment to itself (causally) and to its ancestors, [H, S, E]. Tests bring a kernel of their own."""
    if kernel is None:
        from torch.nn.attention.varlen import varlen_attn as kernel
    lengths = lengths_of(tuple(segments), queries_HSE.device)
    keys_TKE, values_TKE = (gather_spans(x.transpose(0, 1), lengths.spans) for x in (keys_KSE, values_KSE))
    mixed_SHE = kernel(
        queries_HSE.transpose(0, 1),
        keys_TKE,
        values_TKE,
        lengths.query_offsets,
        lengths.key_offsets,
        lengths.max_queries,
        lengths.max_keys,
        scale=scale,
        window_size=(-1, 0),
        enable_gqa=queries_HSE.shape[0] != keys_KSE.shape[0],
    )
    return mixed_SHE.transpose(0, 1)


def gather_spans(x_SKE: Tensor, spans: tuple[tuple[int, int], ...] | None) -> Tensor:
    return x_SKE if spans is None else _GatherSpans.apply(x_SKE, spans)  # type: ignore[return-value]


class _GatherSpans(torch.autograd.Function):
    """Pieces of a sequence one after the other. Gradients add up in float32 and in the spans' order: deterministic everywhere."""

    @staticmethod
    def forward(ctx: Any, x_SKE: Tensor, spans: tuple[tuple[int, int], ...]) -> Tensor:  # type: ignore[override]
        ctx.spans, ctx.num_positions = spans, len(x_SKE)
        return torch.cat([x_SKE[start:end] for start, end in spans])

    @staticmethod
    def backward(ctx: Any, grad_TKE: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        grad_SKE = grad_TKE.new_zeros(ctx.num_positions, *grad_TKE.shape[1:], dtype=torch.float32)
        at = 0
        for start, end in ctx.spans:
            grad_SKE[start:end] += grad_TKE[at : at + end - start]
            at += end - start
        return grad_SKE.to(grad_TKE.dtype), None
