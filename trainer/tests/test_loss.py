"""The loss by hand-computed values, and its gradient by what it does to a policy."""

import math

import pytest
import torch

from trainer.loss import MinibatchCounts, clipped_loss, k3_divergence, ratios, row_weight, token_logprobs


def loss_of(ratio: float, advantage: float) -> tuple[float, bool]:
    loss, clipped = clipped_loss(torch.tensor([ratio]), torch.tensor([advantage]), clip_low=0.2, clip_high=0.3, dual_clip=3.0)
    return round(loss.item(), 5), bool(clipped)


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected"),
    [
        (1.0, 2.0, (-2.0, False)),
        (1.5, 2.0, (-2.6, True)),  # above 1 + clip_high a good token earns no more
        (0.5, 2.0, (-1.0, False)),  # below, it is still pulled up
        (0.5, -2.0, (1.6, True)),  # below 1 - clip_low a bad token is pushed no further
        (1.5, -2.0, (3.0, False)),
        (9.0, -2.0, (6.0, True)),  # dual clip: at most 3 |A|
    ],
)
def test_clipped_loss_equals_hand_computed_values(ratio: float, advantage: float, expected: tuple[float, bool]) -> None:
    assert loss_of(ratio, advantage) == expected


def test_a_clipped_token_has_no_gradient() -> None:
    ratio = torch.tensor([1.5, 0.5, 9.0], requires_grad=True)
    clipped_loss(ratio, torch.tensor([1.0, -1.0, -1.0]), 0.2, 0.2, 3.0)[0].sum().backward()
    assert ratio.grad is not None
    assert ratio.grad.tolist() == [0.0, 0.0, 0.0]


def test_k3_is_zero_at_the_reference_and_positive_elsewhere() -> None:
    logprobs = torch.tensor([-1.0, -1.0, -1.0])
    divergence = k3_divergence(logprobs, torch.tensor([-1.0, -2.0, -0.5]))
    assert divergence.tolist() == pytest.approx([0.0, math.exp(-1) + 1 - 1, math.exp(0.5) - 0.5 - 1], abs=1e-6)


def test_k3_averages_to_the_kl_divergence_over_the_policy() -> None:
    generator = torch.Generator().manual_seed(0)
    policy, reference = (0.5 * torch.randn(2, 50, generator=generator)).log_softmax(1)  # near enough that no estimate is capped
    estimate = (policy.exp() * k3_divergence(policy, reference)).sum()
    torch.testing.assert_close(estimate, (policy.exp() * (policy - reference)).sum(), atol=1e-5, rtol=0)


def test_log_probabilities_are_taken_at_the_sampling_temperature() -> None:
    logits = torch.tensor([[2.0, 0.0]])
    logprobs, entropies = token_logprobs(logits, torch.tensor([0]), temperature=2.0)
    probability = 1 / (1 + math.exp(-1))
    assert logprobs.item() == pytest.approx(math.log(probability), abs=1e-6)
    entropy = -probability * math.log(probability) - (1 - probability) * math.log(1 - probability)
    assert entropies.item() == pytest.approx(entropy, abs=1e-6)


@pytest.mark.parametrize(("advantage", "rises"), [(1.0, True), (-1.0, False)])
def test_a_step_moves_the_probability_of_a_turn_with_its_advantage(advantage: float, rises: bool) -> None:
    logits, targets = torch.zeros(3, 5, requires_grad=True), torch.tensor([1, 4, 2])
    before, _ = token_logprobs(logits, targets, 1.0)
    loss, _ = clipped_loss(ratios(before, before.detach()), torch.full((3,), advantage), 0.2, 0.2, 3.0)
    loss.sum().backward()
    assert logits.grad is not None
    after, _ = token_logprobs(logits - 0.1 * logits.grad, targets, 1.0)
    assert bool((after > before).all()) is rises
    assert bool((after < before).all()) is not rises


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("token-mean", (1 + 1 + 6) / 3), ("seq-mean-token-sum", (2 + 6) / 2), ("seq-mean-token-mean", (1 + 6) / 2)],
)
def test_aggregations_equal_hand_computed_values(aggregation: str, expected: float) -> None:
    rows, counts = [[1.0, 1.0], [6.0]], MinibatchCounts(num_rows=2, num_actions=3)
    assert sum(sum(row) * row_weight(aggregation, len(row), counts) for row in rows) == pytest.approx(expected)
