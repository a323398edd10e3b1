"""Muon for hidden matrices, AdamW for the rest, and optimizer state as named tensors."""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

NamedParameters = list[tuple[str, nn.Parameter]]
MOMENTS = ("exp_avg", "exp_avg_sq")


def orthogonalize(matrices: Tensor) -> Tensor:
    """Matrices [N, rows, columns] with singular values pushed towards 1: five quintic Newton-Schulz iterations (Muon, K. Jordan 2024)."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + torch.baddbmm(gram, gram, gram, beta=-4.7750, alpha=2.0315) @ x
    return x.mT if tall else x


class Muon:
    """Nesterov momentum, orthogonalized. Matrices of equal shape are one batched multiplication."""

    def __init__(self, parameters: NamedParameters, momentum: float = 0.95) -> None:
        by_shape: dict[tuple[int, ...], NamedParameters] = defaultdict(list)
        for name, parameter in parameters:
            by_shape[tuple(parameter.shape)].append((name, parameter))
        self._groups = list(by_shape.values())
        self._momentum = momentum
        self._buffers = [torch.zeros(len(group), *group[0][1].shape) for group in self._groups]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        for group, buffer in zip(self._groups, self._buffers, strict=True):
            gradients = torch.stack([_gradient(parameter) for _, parameter in group])
            buffer.lerp_(gradients, 1 - self._momentum)
            updates = orthogonalize(gradients.lerp_(buffer, self._momentum))
            rows, columns = updates.shape[-2:]
            scale = learning_rate * max(1.0, rows / columns) ** 0.5
            for (_, parameter), update in zip(group, updates, strict=True):
                parameter.sub_(update, alpha=scale)

    def state(self) -> dict[str, Tensor]:
        slices = zip(self._groups, self._buffers, strict=True)
        return {f"momentum.{name}": buffer[index] for group, buffer in slices for index, (name, _) in enumerate(group)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        for name, buffer in self.state().items():
            buffer.copy_(state[name])


class AdamW:
    """Decoupled weight decay (arXiv:1711.05101), on matrices only; state under the parameters' names.

    Written out, because constructing any torch.optim optimizer imports torch's compiler: over 3 s at the start of every job.
    """

    def __init__(self, parameters: NamedParameters, betas: tuple[float, float], weight_decay: float = 0.0, epsilon: float = 1e-8) -> None:
        self._parameters, self._betas, self._weight_decay, self._epsilon = parameters, betas, weight_decay, epsilon
        self._means = [torch.zeros_like(parameter) for _, parameter in parameters]
        self._squares = [torch.zeros_like(parameter) for _, parameter in parameters]
        self._num_steps = torch.tensor(0, dtype=torch.int64)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        beta1, beta2 = self._betas
        self._num_steps += 1
        step = int(self._num_steps)
        rate, square_root = learning_rate / (1 - beta1**step), (1 - beta2**step) ** 0.5
        for (_, parameter), mean, square in zip(self._parameters, self._means, self._squares, strict=True):
            gradient = _gradient(parameter)
            if parameter.ndim >= 2 and self._weight_decay:
                parameter.mul_(1 - learning_rate * self._weight_decay)
            mean.lerp_(gradient, 1 - beta1)
            square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            parameter.addcdiv_(mean, (square.sqrt() / square_root).add_(self._epsilon), value=-rate)

    def state(self) -> dict[str, Tensor]:
        """exp_avg.<name>, exp_avg_sq.<name> and the number of steps taken."""
        moments = zip(self._parameters, self._means, self._squares, strict=True)
        named = {f"{kind}.{name}": tensor for (name, _), *pair in moments for kind, tensor in zip(MOMENTS, pair, strict=True)}
        return {**named, "step": self._num_steps}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Raises KeyError or ValueError, before anything is changed, when a moment is missing or has another shape."""
        own = self.state()
        for name, tensor in own.items():
            if state[name].shape != tensor.shape:
                raise ValueError(f"{name} has another shape than the parameter")
        for name, tensor in own.items():
            tensor.copy_(state[name])


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Global L2 norm of all gradients."""
    return torch.nn.utils.get_total_norm([_gradient(parameter) for parameter in parameters])


def clear_gradients(parameters: Iterable[nn.Parameter]) -> None:
    for parameter in parameters:
        parameter.grad = None


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
