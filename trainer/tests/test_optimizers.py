"""The optimizers against what they are said to be."""

import torch
from torch import nn

from trainer.optimizers import AdamW, Muon, orthogonalize


def test_adamw_equals_that_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    ours = [nn.Parameter(torch.randn(5, 7, generator=generator)), nn.Parameter(torch.randn(4, generator=generator))]
    theirs = [nn.Parameter(parameter.detach().clone()) for parameter in ours]
    groups = [{"params": [theirs[0]], "weight_decay": 0.1}, {"params": [theirs[1]], "weight_decay": 0.0}]
    reference = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.95))
    optimizer = AdamW([("matrix", ours[0]), ("vector", ours[1])], (0.9, 0.95), weight_decay=0.1)
    for _ in range(20):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = other.grad = torch.randn(mine.shape, generator=generator)
        optimizer.step(0.01)
        reference.step()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-6)


def test_orthogonalize_brings_singular_values_near_one() -> None:
    matrices = torch.randn(3, 24, 60, generator=torch.Generator().manual_seed(0))
    for result in (orthogonalize(matrices), orthogonalize(matrices.mT)):
        singular = torch.linalg.svdvals(result)
        assert singular.min() > 0.6
        assert singular.max() < 1.3


def test_muon_goes_on_from_its_saved_state() -> None:
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(6, 8, 8, generator=generator)
    whole, first = nn.Parameter(torch.eye(8)), nn.Parameter(torch.eye(8))
    optimizer, half = Muon([("w", whole)]), Muon([("w", first)])
    for step, gradient in enumerate(gradients):
        whole.grad = first.grad = gradient
        optimizer.step(0.1)
        if step == 3:
            state = {name: tensor.clone() for name, tensor in half.state().items()}
            half = Muon([("w", first)])
            half.load_state(state)
        half.step(0.1)
    assert torch.equal(whole, first)
