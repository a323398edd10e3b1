"""What each back-end means, at a glance. Everything but the device can be had on a CPU too, so tests run every path without a card.

name   device             numbers                      layout   activations   vocabulary
cpu    CPU                float32                      loop     kept          all logits of a row at once
gpu    one CUDA device    bfloat16 matrix products,    packed   recomputed    log-probabilities chunk by chunk
                          float32 weights and moments
fsdp   as gpu, weights, gradients and moments spread over several processes (CUDA and nccl, or CPU in float32 and gloo): distributed/

Weights that are not trained (a frozen reference, the base under an adapter) are kept in the numbers of the matrix products.
"""

import contextlib
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch

from model.errors import InvalidJob


@dataclass(frozen=True)
class Backend:
    name: str
    device: torch.device
    compute_dtype: torch.dtype
    """Of matrix products; with another than float32 they run under autocast."""
    layout: str
    """What the layout `auto` stands for."""
    recompute: bool
    """Gradient checkpointing: activations of a layer are computed again in the backward pass."""
    chunked: bool
    """Whether log-probabilities are taken chunk by chunk, so that the logits of all action tokens never exist at once."""

    def autocast(self) -> AbstractContextManager[Any]:
        if self.compute_dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.compute_dtype)

    def on(self, device: str) -> "Backend":
        """The same settings elsewhere: how tests run those of a GPU on a CPU."""
        return replace(self, device=torch.device(device))


CPU = Backend("cpu", torch.device("cpu"), torch.float32, "loop", recompute=False, chunked=False)
GPU = Backend("gpu", torch.device("cuda"), torch.bfloat16, "packed", recompute=True, chunked=True)


def fsdp_on(device: torch.device) -> Backend:
    """What one of the processes computes with: as `gpu` on its card, in float32 on a CPU."""
    return replace(GPU, name="fsdp", device=device, compute_dtype=torch.float32 if device.type == "cpu" else GPU.compute_dtype)


def backend_of(name: str) -> Backend:
    """Raises InvalidJob when this machine has not what the back-end needs."""
    if name == "cpu":
        return CPU
    if name == "gpu":
        if not torch.cuda.is_available():
            raise InvalidJob("backend gpu: no CUDA device is visible")
        return GPU
    if name == "process":
        raise InvalidJob("backend process is for an engine of your own, which training.command names, and not for this one")
    raise ValueError(f"backend {name} is not one of a single process")
