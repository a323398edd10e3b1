"""A policy whose weights, gradients and moments are spread over ranks: FSDP2, one unit per transformer block and one for the rest.

A block's weights are gathered while it computes and dropped again; its gradients are summed over the ranks as they appear.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from model.errors import InvalidJob
from trainer.backends import Backend
from trainer.distributed.group import Group
from trainer.layouts.flat import Flat
from trainer.policy import TrainablePolicy
from trainer.qwen3 import Qwen3


class Root(nn.Module):
    """The outermost unit. Whatever is called through it finds the weights outside of the blocks whole, the output matrix among them."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, compute: Callable[..., Any], *arguments: Any) -> Any:
        return compute(*arguments)


class ShardedPolicy:
    """What TrainablePolicy is to one process. Every method that computes or exports is collective."""

    def __init__(self, policy: TrainablePolicy, backend: Backend, group: Group) -> None:
        """Takes the policy over: its module, on the CPU before, is sharded in place onto the back-end's device."""
        policy.backend, policy.device = backend, backend.device
        self.backend, self.device, self.adapter, self.module = backend, backend.device, policy.adapter, policy.module
        self.vocab_size, self.max_positions = policy.vocab_size, policy.max_positions
        self._policy, self._group = policy, group
        self._root = shard(policy.module, backend, group)

    def named_parameters(self) -> list[tuple[str, nn.Parameter]]:
        return self._policy.named_parameters()

    def logprobs(self, flat: Flat, temperature: float) -> tuple[Tensor, Tensor]:
        found = self._root(self._policy.logprobs, flat, temperature)
        if not torch.is_grad_enabled():
            cast(FSDPModule, self._root).reshard()  # what a backward pass would have done: or changed weights would go unnoticed
        return found

    def weights(self) -> dict[str, Tensor]:
        return self._policy.weights()

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        self._policy.load_weights(weights)

    def export(self, directory: Path, base_hash: str) -> None:
        """Written by the first rank, one whole tensor after the other."""
        self._policy.export(directory, base_hash, whole, self._group.is_first)


def shard(module: nn.Module, backend: Backend, group: Group) -> Root:
    """Gradients are sums over the ranks, not means: rows are weighted by counts of the whole minibatch already."""
    root = Root(module)
    numbers = None if backend.compute_dtype == torch.float32 else backend.compute_dtype
    precision = MixedPrecisionPolicy(param_dtype=numbers, reduce_dtype=numbers and torch.float32, cast_forward_inputs=False)
    for unit in [*blocks(module), root]:
        fully_shard(unit, mesh=group.mesh, mp_policy=precision)
    for unit in cast(list[FSDPModule], [part for part in root.modules() if isinstance(part, FSDPModule)]):
        unit.set_gradient_divide_factor(1.0)
        unit.set_force_sum_reduction_for_comms(True)
        unit.set_reduce_scatter_unused_params(True, recurse=False)  # experts that only other ranks' tokens are sent to
    return root


def blocks(module: nn.Module) -> list[nn.Module]:
    """The parts that transformers says must not be split; the layers of our own model."""
    if isinstance(module, Qwen3):
        return list(module.model.layers)
    kinds = set(getattr(module, "_no_split_modules", None) or [])
    found = [part for part in module.modules() if type(part).__name__ in kinds]
    if not found:
        raise InvalidJob(f"backend fsdp: {type(module).__name__} does not say what its transformer blocks are")
    return found


def whole(tensor: Tensor) -> Tensor:
    """Out of all ranks' shards; every rank calls it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def sharded_like(whole: Tensor, own: Tensor) -> Tensor:
    """This rank's share of a tensor that every rank can read."""
    if not isinstance(own, DTensor) or whole.shape != own.shape:
        return whole
    return distribute_tensor(whole.to(own.device), own.device_mesh, own.placements, src_data_rank=None)
