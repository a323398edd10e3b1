"""Causal attention over a flat sequence that is made of segments: rows packed one after the other, or a tree of shared prefixes.

On CUDA in half precision all segments are one call of the flash kernel (varlen_attention.py); everywhere else they are computed one by
one with PyTorch's scaled_dot_product_attention, those with ancestors on a CPU without a mask (suffix_attention.py).

Dimensions: B row (1 here), H query head, K key-value head, S position, E head width.
"""

import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from model.errors import InvalidJob
from trainer.segments import Segment
from trainer.suffix_attention import suffix_attention
from trainer.varlen_attention import fits_kernel, varlen_attention


def segment_attention(
    queries_BHSE: Tensor, keys_BKSE: Tensor, values_BKSE: Tensor, segments: Sequence[Segment], *, scale: float | None = None
) -> Tensor:
    """What attention over every row on its own gives, [B, H, S, E]: each segment against itself and its ancestors, nothing else.

    No mask over the whole sequence is made: the work is that of the rows, less what they share.
    """
    queries_BHSE, keys_BKSE, values_BKSE = _as_autocast(queries_BHSE, keys_BKSE, values_BKSE)
    if fits_kernel(queries_BHSE, segments):
        return varlen_attention(queries_BHSE[0], keys_BKSE[0], values_BKSE[0], segments, scale)[None]
    lengths = [segment.end - segment.start for segment in segments]
    queries, keys, values = (x.split(lengths, dim=2) for x in (queries_BHSE, keys_BKSE, values_BKSE))
    parts = [
        _attend(queries[number], _joined(keys, segment.ancestors), _joined(values, segment.ancestors), keys[number], values[number], scale)
        for number, segment in enumerate(segments)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def _attend(
    queries: Tensor, prefix_keys: Tensor | None, prefix_values: Tensor | None, keys: Tensor, values: Tensor, scale: float | None
) -> Tensor:
    """Of one segment: to its ancestors, if it has any, and causally to itself."""
    grouped = queries.shape[1] != keys.shape[1]
    if prefix_keys is None or prefix_values is None:
        return F.scaled_dot_product_attention(queries, keys, values, is_causal=True, scale=scale, enable_gqa=grouped)
    if queries.device.type == "cpu":
        every = [x.repeat_interleave(queries.shape[1] // x.shape[1], dim=1) for x in (prefix_keys, prefix_values, keys, values)]
        return suffix_attention(queries, (every[0], every[1]), (every[2], every[3]), scale)
    keys, values = torch.cat([prefix_keys, keys], dim=2), torch.cat([prefix_values, values], dim=2)
    mask = _lower_right(queries.shape[2], keys.shape[2], queries.device)
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=scale, enable_gqa=grouped)


def _joined(parts: Sequence[Tensor], ancestors: Sequence[int]) -> Tensor | None:
    if not ancestors:
        return None
    return parts[ancestors[0]] if len(ancestors) == 1 else torch.cat([parts[ancestor] for ancestor in ancestors], dim=2)


def _as_autocast(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Under autocast in its data type: rotary embeddings and norms leave float32 behind."""
    device = tensors[0].device.type
    if not torch.is_autocast_enabled(device):
        return tensors
    return tuple(tensor.to(torch.get_autocast_dtype(device)) for tensor in tensors)


def _lower_right(num_queries: int, num_keys: int, device: torch.device) -> Tensor:
    """The queries are the last of the keys: query q sees the keys up to num_keys - num_queries + q."""
    return torch.ones(num_queries, num_keys, dtype=torch.bool, device=device).tril(num_keys - num_queries)


def _refuse_more_than_attention(length: int, options: dict[str, Any]) -> None:
    """Raises InvalidJob for models whose attention does more than softmax over the past: they would be trained wrongly without a word."""
    extras = [name for name in ("softcap", "s_aux", "position_bias") if options.get(name) is not None]
    if (options.get("sliding_window") or length) < length:
        extras.append(f"a sliding window of {options['sliding_window']}")
    if extras:
        raise InvalidJob(f"the model's attention uses {', '.join(extras)}, which is not supported")


def _refuse_more_than_causality(module: Any, mask: Tensor, segments: Sequence[Segment]) -> None:
    """Raises InvalidJob when the model's own mask hides more of a segment from itself than its future (chunks, chosen keys): segments
    take no mask. A mask is for every query [B, 1, S, S] whether it sees a key, or what is added to its score."""
    length = mask.shape[-1]
    if (getattr(getattr(module, "config", None), "attention_chunk_size", None) or length) < length:
        raise InvalidJob(f"{type(module).__name__} attends in chunks, which layouts packed and tree cannot: set layout to loop or padded")
    for segment in segments:
        part = mask[..., segment.start : segment.end, segment.start : segment.end]
        is_seen = part if part.dtype == torch.bool else part == 0
        if not torch.equal(is_seen, torch.ones_like(is_seen).tril()):
            raise InvalidJob(
                f"{type(module).__name__} masks more than the future, which layouts packed and tree cannot: set layout to loop"
            )


def register_with_transformers() -> str:
    """Makes `segment_attention` an attention implementation of transformers: its models then take `segments` in their forward.

    Without segments it is their own SDPA. Returns the implementation's name.
    """
    from transformers import AttentionInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    causal: list[weakref.ref[Tensor]] = []  # the last mask that was seen to be: a model hands the same one to all its layers

    def forward(module, query, key, value, attention_mask, scaling=None, segments=None, **options):  # type: ignore[no-untyped-def]
        _refuse_more_than_attention(query.shape[2], options)
        if segments is None:
            return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **options)
        if attention_mask is not None and not (causal and causal[0]() is attention_mask):
            _refuse_more_than_causality(module, attention_mask, segments)
            causal[:] = [weakref.ref(attention_mask)]
        return segment_attention(query, key, value, segments, scale=scaling).transpose(1, 2).contiguous(), None

    AttentionInterface.register("segments", forward)
    AttentionMaskInterface.register("segments", sdpa_mask)
    return "segments"
