"""Our clipped loss inside prime-rl's trainer: `--loss.type custom --loss.import-path trainer.engines.prime_rl_loss.clipped`.

prime-rl's own loss is another one (DPPO with a squared log-ratio term). It calls a custom one with the tokens of one packed row, sums
over rows and divides by the trained tokens of the whole step: aggregation token-mean.
"""

from typing import NamedTuple, Protocol

from torch import Tensor

from trainer.loss import clipped_loss, ratios


class LossInputs(Protocol):
    """The fields that we read of prime-rl's LossInputs. Arrays over the S tokens of a row."""

    trainer_logprobs: Tensor
    inference_logprobs: Tensor
    advantages: Tensor
    loss_mask: Tensor


class LossOutputs(NamedTuple):
    loss: Tensor  # sum over tokens
    metrics: dict[str, Tensor]


def clipped(inputs: LossInputs, clip_low: float = 0.2, clip_high: float = 0.2, dual_clip: float = 3.0) -> LossOutputs:
    """trainer.loss.clipped_loss over the action tokens of a row; defaults are those of our hyperparameters."""
    actions = inputs.loss_mask
    ratios_N = ratios(inputs.trainer_logprobs[actions], inputs.inference_logprobs[actions])
    losses_N, clipped_N = clipped_loss(ratios_N, inputs.advantages[actions], clip_low, clip_high, dual_clip)
    return LossOutputs(losses_N.sum(), {"clip_fraction": clipped_N.sum() / actions.sum().clamp(min=1)})
