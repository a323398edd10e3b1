"""Where a server's policies compute, and the model that computes there."""

from dataclasses import dataclass

import torch

from model.errors import InvalidJob
from policy_server.device_forward import DeviceForward
from policy_server.forward import Forward, StepModel
from policy_server.weights import Weights


@dataclass(frozen=True)
class Placement:
    device: str = "cpu"
    dtype: torch.dtype = torch.float32

    @property
    def precision(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    @property
    def has_own_kernels(self) -> bool:
        """Whether forward.py computes, which is made for a CPU in float32."""
        return self.device == "cpu" and self.dtype == torch.float32

    def make_forward(self, weights: Weights, num_slots: int, max_context: int, max_rows: int, row_multiple: int) -> StepModel:
        if self.has_own_kernels:
            return Forward(weights, num_slots, max_context, max_rows, row_multiple)
        return DeviceForward(weights, num_slots, max_context, max_rows, self.device, self.dtype)


def placement_of(device: str, dtype: str) -> Placement:
    """Raises InvalidJob when this machine has no such device."""
    if device != "cpu" and not torch.cuda.is_available():
        raise InvalidJob(f"--device {device}: torch finds no GPU here")
    if device != "cpu":
        torch.backends.cuda.matmul.allow_tf32 = False
    return Placement(device, getattr(torch, dtype))
