"""The clipped policy loss with dual clip, the k3 estimate of the KL divergence, and how tokens add up to one number.

Dimensions: N action token of one row, V vocabulary. Every function works on one row; a minibatch's loss is the sum over its rows,
because each row is weighted by counts of the whole minibatch. So neither micro-batches nor the number of processes can change it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

LOG_RATIO_LIMIT = 20.0
KL_LIMIT = 10.0


@dataclass(frozen=True)
class MinibatchCounts:
    """Over all rows of the minibatch, also those that are skipped or held by another process."""

    num_rows: int
    num_actions: int


def row_weight(aggregation: str, num_actions: int, counts: MinibatchCounts) -> float:
    """What each token loss of a row is multiplied by.

    token-mean: every token of the minibatch counts the same; seq-mean-token-sum and seq-mean-token-mean: every row does, with the
    sum or the mean over its tokens.
    """
    match aggregation:
        case "token-mean":
            return 1 / counts.num_actions
        case "seq-mean-token-sum":
            return 1 / counts.num_rows
        case "seq-mean-token-mean":
            return 1 / (counts.num_rows * num_actions)
    raise ValueError(f"unknown aggregation {aggregation}")


def token_logprobs(logits_NV: Tensor, targets_N: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Log-probabilities of the targets at a temperature, and entropies in nats; the entropies carry no gradient."""
    logprobs_NV = (logits_NV.float() / temperature).log_softmax(dim=-1)
    with torch.no_grad():
        entropies_N = -(logprobs_NV.exp() * logprobs_NV).sum(dim=-1)
    return logprobs_NV.gather(1, targets_N[:, None]).squeeze(1), entropies_N


def ratios(logprobs_N: Tensor, sampling_logprobs_N: Tensor) -> Tensor:
    """Probability under the policy now over that when it was sampled; 1 before the first step."""
    return (logprobs_N - sampling_logprobs_N).clamp(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT).exp()


def clipped_loss(ratios_N: Tensor, advantages_N: Tensor, clip_low: float, clip_high: float, dual_clip: float) -> tuple[Tensor, Tensor]:
    """Token losses of PPO with the dual clip of arXiv:1912.09729, and whether a clip took the token's gradient away.

    max(-A r, -A clip(r, 1 - clip_low, 1 + clip_high)); where A < 0 at most -A dual_clip, so that a token which the policy meanwhile
    likes much better cannot dominate the step.
    """
    free_N = -advantages_N * ratios_N
    clipped_N = -advantages_N * ratios_N.clamp(1 - clip_low, 1 + clip_high)
    losses_N = torch.maximum(free_N, clipped_N)
    bounds_N = torch.where(advantages_N < 0, -advantages_N * dual_clip, torch.inf)
    return torch.minimum(losses_N, bounds_N), (clipped_N > free_N) | (losses_N > bounds_N)


def importance_weights(old_logprobs_N: Tensor, sampling_logprobs_N: Tensor, truncation: float) -> Tensor:
    """min(old / sampler, truncation): what the sampler's kernels did to the probabilities that the trainer computes for the same weights.

    Truncated importance sampling (F. Yao et al. 2025, "Your Efficient RL Framework Secretly Brings You Off-Policy RL Training"): the
    weights multiply the clipped loss, whose ratio is then taken to the old policy as the trainer computes it. No gradient.
    """
    return ratios(old_logprobs_N, sampling_logprobs_N).clamp(max=truncation).detach()


def k3_divergence(logprobs_N: Tensor, reference_logprobs_N: Tensor) -> Tensor:
    """exp(d) - d - 1 with d = log reference - log policy: non-negative, unbiased on tokens the policy sampled."""
    difference_N = (reference_logprobs_N - logprobs_N).clamp(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT)
    return (difference_N.exp() - difference_N - 1).clamp(-KL_LIMIT, KL_LIMIT)
