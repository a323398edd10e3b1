"""Muon for hidden matrices, AdamW for the rest, and optimizer state as named tensors."""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

NamedParameters = list[tuple[str, nn.Parameter]]


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
    """torch's AdamW with its state under the parameters' names. Weight decay acts on matrices only."""

    def __init__(self, parameters: NamedParameters, betas: tuple[float, float], weight_decay: float = 0.0) -> None:
        self._parameters = parameters
        matrices = [parameter for _, parameter in parameters if parameter.ndim >= 2]
        vectors = [parameter for _, parameter in parameters if parameter.ndim < 2]
        groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW([group for group in groups if group["params"]], lr=0.0, betas=betas)
        for _, parameter in parameters:
            zeros = {"exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}
            self._optimizer.state[parameter] = {"step": torch.tensor(0.0), **zeros}

    def step(self, learning_rate: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.step()

    def state(self) -> dict[str, Tensor]:
        """exp_avg.<name>, exp_avg_sq.<name> and the number of steps taken."""
        moments = {
            f"{moment}.{name}": self._optimizer.state[parameter][moment]
            for name, parameter in self._parameters
            for moment in ("exp_avg", "exp_avg_sq")
        }
        return {**moments, "step": self._optimizer.state[self._parameters[0][1]]["step"].clone()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Raises KeyError or ValueError when a moment is missing or has another shape."""
        for name, parameter in self._parameters:
            for moment in ("exp_avg", "exp_avg_sq"):
                if state[f"{moment}.{name}"].shape != parameter.shape:
                    raise ValueError(f"{moment}.{name} has another shape than the parameter")
                self._optimizer.state[parameter][moment].copy_(state[f"{moment}.{name}"])
            self._optimizer.state[parameter]["step"].copy_(state["step"])


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Global L2 norm of all gradients."""
    return torch.nn.utils.get_total_norm([_gradient(parameter) for parameter in parameters])


def clear_gradients(parameters: Iterable[nn.Parameter]) -> None:
    for parameter in parameters:
        parameter.grad = None


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
