"""Chunked log-probabilities are those of the plain logits, in value and gradient, whatever the chunk."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainer.chunked_logprobs import chunked_logprobs
from trainer.loss import token_logprobs

TOLERANCE = 1e-6


def inputs(num_tokens: int, vocab: int, width: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """States, matrix, targets, and what the loss, a mean over tokens, multiplies each log-probability with."""
    generator = torch.Generator().manual_seed(seed)
    states_ND, weight_VD = (torch.randn(count, width, generator=generator) for count in (num_tokens, vocab))
    targets_N = torch.randint(0, vocab, (num_tokens,), generator=generator)
    factors_N = torch.randn(num_tokens, generator=generator) / num_tokens
    return states_ND.requires_grad_(), (weight_VD * width**-0.5).requires_grad_(), targets_N, factors_N


@settings(max_examples=100, deadline=None)
@given(
    num_tokens=st.integers(1, 40),
    vocab=st.integers(2, 60),
    width=st.sampled_from([1, 8, 17]),
    temperature=st.floats(0.3, 2.0),
    max_logits=st.integers(1, 3000),
    seed=st.integers(0, 2**31),
)
def test_values_and_gradients_are_those_of_the_plain_logits(
    num_tokens: int, vocab: int, width: int, temperature: float, max_logits: int, seed: int
) -> None:
    states, weight, targets, factors = inputs(num_tokens, vocab, width, seed)
    expected, expected_entropies = token_logprobs(states @ weight.T, targets, temperature)
    gradients = torch.autograd.grad((expected * factors).sum(), (states, weight))
    found, entropies = chunked_logprobs(states, weight, targets, temperature, max_logits)
    torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=TOLERANCE)
    torch.testing.assert_close(entropies, expected_entropies, atol=TOLERANCE, rtol=TOLERANCE)
    for one, other in zip(torch.autograd.grad((found * factors).sum(), (states, weight)), gradients, strict=True):
        torch.testing.assert_close(one, other, atol=TOLERANCE, rtol=TOLERANCE)


def test_the_gradient_is_that_of_finite_differences() -> None:
    """In float64, apart from the plain formula. The results themselves are float32, so the steps are large and the tolerance is not."""
    states, weight, targets, factors = (tensor.double() if tensor.is_floating_point() else tensor for tensor in inputs(3, 5, 4, seed=1))

    def total(states_ND: Tensor, weight_VD: Tensor) -> Tensor:
        return (chunked_logprobs(states_ND, weight_VD, targets, 0.7, max_logits=5)[0] * factors).sum()

    states, weight = states.detach().requires_grad_(), weight.detach().requires_grad_()
    assert torch.autograd.gradcheck(total, (states, weight), eps=1e-2, atol=2e-3, rtol=2e-3)


def test_a_frozen_matrix_gets_no_gradient_and_changes_that_of_the_states_by_nothing() -> None:
    states, weight, targets, factors = inputs(9, 30, 8, seed=2)
    (chunked_logprobs(states, weight, targets, 1.0, 60)[0] * factors).sum().backward()
    expected, states.grad = states.grad, None
    frozen = weight.detach()
    (chunked_logprobs(states, frozen, targets, 1.0, 60)[0] * factors).sum().backward()
    assert frozen.grad is None
    assert states.grad is not None
    assert expected is not None
    assert torch.equal(states.grad, expected)


def test_entropies_carry_no_gradient() -> None:
    states, weight, targets, _ = inputs(4, 9, 3, seed=3)
    assert not chunked_logprobs(states, weight, targets, 1.0)[1].requires_grad


def test_under_autocast_only_the_products_are_in_half_precision() -> None:
    states, weight, targets, factors = inputs(16, 50, 32, seed=4)
    expected, _ = chunked_logprobs(states, weight, targets, 1.0, 200)
    with torch.autocast("cpu", torch.bfloat16):
        found, entropies = chunked_logprobs(states, weight, targets, 1.0, 200)
    assert (found.dtype, entropies.dtype) == (torch.float32, torch.float32)
    assert 1e-5 < (found - expected).abs().max().item() < 5e-2
    (found * factors).sum().backward()
    assert states.grad is not None
    assert states.grad.dtype == torch.float32


@pytest.mark.parametrize("max_logits", [50, 10**9])
def test_no_more_logits_than_allowed_exist_at_a_time(max_logits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer import chunked_logprobs as module

    sizes: list[int] = []
    plain = module._logits

    def watched(*arguments: object) -> Tensor:
        logits = plain(*arguments)  # type: ignore[arg-type]
        sizes.append(logits.numel())
        return logits

    monkeypatch.setattr(module, "_logits", watched)
    states, weight, targets, _ = inputs(20, 10, 4, seed=5)
    chunked_logprobs(states, weight, targets, 1.0, max_logits)[0].sum().backward()
    assert max(sizes) <= max_logits
    assert sum(sizes) == 2 * 20 * 10
