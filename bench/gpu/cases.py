"""What is measured: Qwen3-4B with random weights on one card, and the same cases at toy size for a test on a CPU."""

from dataclasses import dataclass, replace

from model.shape import Qwen3Shape

QWEN3_4B = Qwen3Shape(
    vocab_size=151936,
    hidden_size=2560,
    num_layers=36,
    num_heads=32,
    num_key_value_heads=8,
    head_dim=128,
    intermediate_size=9728,
    rope_theta=1e6,
    max_positions=40960,
)
TINY = Qwen3Shape(
    vocab_size=199,
    hidden_size=32,
    num_layers=2,
    num_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    intermediate_size=48,
    rope_theta=1e4,
    max_positions=512,
)
ACTION_SHARE = 0.13
"""Of the tokens of a trajectory the agent wrote this many (200 trajectories of an airline agent with tools)."""


@dataclass(frozen=True)
class Case:
    name: str
    what: str
    num_rows: int
    row_length: int
    shared_prefix: int = 0
    layout: str = "packed"
    is_lora: bool = True
    recompute: bool = True
    action_share: float = ACTION_SHARE
    num_steps: int = 3
    """Measured, after one that is not."""


CASES = (
    Case("lora", "LoRA r16, rows of 16k, activations recomputed", 2, 16384),
    Case("lora-kept", "LoRA r16, rows of 16k, activations kept", 2, 16384, recompute=False),
    Case("lora-all-actions", "LoRA r16, rows of 16k, every token an action, as published figures have it", 2, 16384, action_share=1.0),
    Case("group-packed", "LoRA r16, 8 trajectories of 5.7k with a common prefix of 3.8k, each on its own", 8, 5700, 3800),
    Case("group-tree", "LoRA r16, 8 trajectories of 5.7k with a common prefix of 3.8k, computed once", 8, 5700, 3800, layout="tree"),
    Case("full", "all weights, rows of 16k, activations recomputed", 1, 16384, is_lora=False, num_steps=2),
)


def tiny(case: Case) -> Case:
    """A two-hundredth of the lengths."""
    lengths = {"row_length": case.row_length // 200, "shared_prefix": case.shared_prefix // 200}
    return replace(case, **lengths, num_steps=1, what=f"toy size: {case.what}")
