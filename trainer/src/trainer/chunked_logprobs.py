"""Log-probabilities straight from hidden states, a chunk of tokens at a time: the logits of all tokens never exist at once.

In plain PyTorch, for every device and under autocast. The backward pass computes each chunk's logits again, which costs one more
product with the output matrix and saves N * V numbers (with 150,000 tokens of vocabulary: 0.6 GB for every 1,000 action tokens).

Dimensions: N action token, C action token of one chunk, D hidden, V vocabulary.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

MAX_LOGITS = 2**27
"""Logits that exist at a time (half a gigabyte in float32)."""


def chunked_logprobs(
    states_ND: Tensor, weight_VD: Tensor, targets_N: Tensor, temperature: float, max_logits: int = MAX_LOGITS
) -> tuple[Tensor, Tensor]:
    """What loss.token_logprobs says of the logits states @ weight.T: log-probabilities of the targets, and entropies in nats.

    Both float32 [N]; the entropies carry no gradient. Gradients flow to states and weight. Under autocast the products are taken in its
    data type, everything after them in float32.
    """
    device = states_ND.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else states_ND.dtype
    chunk = max(1, max_logits // len(weight_VD))
    logprobs_N, entropies_N = _ChunkedLogprobs.apply(states_ND, weight_VD, targets_N, temperature, chunk, dtype)  # type: ignore[misc]
    return logprobs_N, entropies_N


class _ChunkedLogprobs(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, states_ND: Tensor, weight_VD: Tensor, targets_N: Tensor, temperature: float, chunk: int, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        logprobs_N, entropies_N, normalizers_N = (states_ND.new_empty(len(states_ND), dtype=torch.float32) for _ in range(3))
        with torch.autocast(states_ND.device.type, enabled=False):
            matrix_VD = weight_VD.to(dtype)
            for part in _chunks(len(states_ND), chunk):
                logits_CV = _logits(states_ND[part], matrix_VD, temperature)
                normalizers_N[part] = logits_CV.logsumexp(dim=-1)
                logprobs_CV = logits_CV.sub_(normalizers_N[part, None])
                logprobs_N[part] = logprobs_CV.gather(1, targets_N[part, None]).squeeze(1)
                entropies_N[part] = -(logprobs_CV.exp() * logprobs_CV).sum(dim=-1)
        ctx.save_for_backward(states_ND, weight_VD, targets_N, normalizers_N)
        ctx.temperature, ctx.chunk, ctx.dtype = temperature, chunk, dtype
        ctx.mark_non_differentiable(entropies_N)
        return logprobs_N, entropies_N

    @staticmethod
    def backward(ctx: Any, gradients_N: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        """d logprob / d logits = (one-hot of the target - probabilities) / temperature."""
        states_ND, weight_VD, targets_N, normalizers_N = ctx.saved_tensors
        wants_states, wants_weight = ctx.needs_input_grad[:2]
        grad_states_ND = torch.empty_like(states_ND) if wants_states else None
        grad_weight_VD = torch.zeros_like(weight_VD, dtype=torch.float32) if wants_weight else None
        with torch.autocast(states_ND.device.type, enabled=False):
            matrix_VD = weight_VD.to(ctx.dtype)
            for part in _chunks(len(states_ND), ctx.chunk):
                logits_CV = _logits(states_ND[part], matrix_VD, ctx.temperature)
                grad_CV = logits_CV.sub_(normalizers_N[part, None]).exp_().neg_()
                grad_CV[torch.arange(len(grad_CV), device=grad_CV.device), targets_N[part]] += 1
                grad_CV = grad_CV.mul_(gradients_N[part, None] / ctx.temperature).to(ctx.dtype)
                if grad_states_ND is not None:
                    grad_states_ND[part] = (grad_CV @ matrix_VD).to(grad_states_ND.dtype)
                if grad_weight_VD is not None:
                    grad_weight_VD += grad_CV.T @ states_ND[part].to(ctx.dtype)
        return grad_states_ND, None if grad_weight_VD is None else grad_weight_VD.to(weight_VD.dtype), None, None, None, None


def _chunks(num_tokens: int, chunk: int) -> Iterator[slice]:
    return (slice(start, min(start + chunk, num_tokens)) for start in range(0, num_tokens, chunk))


def _logits(states_CD: Tensor, matrix_VD: Tensor, temperature: float) -> Tensor:
    return (states_CD.to(matrix_VD.dtype) @ matrix_VD.T).float().div_(temperature)
