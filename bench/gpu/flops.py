"""How much arithmetic a training step is, and how much a card can do.

Two counts, both in floating-point operations (a multiplication and an addition are two), neither with what is computed again:

published  the convention of torchtitan and prime-rl, so that shares can be compared with their figures: every token pays for all matrices,
           the output matrix among them, and for attention to a whole row of hidden-size width, as if it were not causal.
           4 per frozen parameter (forward, and gradients of activations), 6 per trained one, 12 * layers * hidden * row length.
needed     what has to be computed: causal attention of the heads' true width, the output matrix for action tokens only, shared prefixes
           once.
"""

from dataclasses import dataclass

from model.shape import Qwen3Shape

PEAK_BFLOAT16 = {"H200": 989e12, "H100": 989e12, "B200": 2250e12, "A100": 312e12}
"""Dense products per second, from the makers' data sheets (SXM models)."""


@dataclass(frozen=True)
class Work:
    """What a step was given. Lengths are those of rows; attended pairs are (query, key) pairs that see each other."""

    num_tokens: int
    num_computed_tokens: int
    num_attended_pairs: int
    num_actions: int
    row_length: float


def layer_parameters(shape: Qwen3Shape) -> int:
    queries, keys = shape.num_heads * shape.head_dim, shape.num_key_value_heads * shape.head_dim
    attention = shape.hidden_size * (2 * queries + 2 * keys)
    return shape.num_layers * (attention + 3 * shape.hidden_size * shape.intermediate_size)


def published_flops(shape: Qwen3Shape, work: Work, num_adapter: int) -> float:
    parameters = layer_parameters(shape) + shape.vocab_size * shape.hidden_size
    per_token = (4 * parameters + 6 * num_adapter) if num_adapter else 6 * parameters
    return work.num_tokens * (per_token + 12 * shape.num_layers * shape.hidden_size * work.row_length)


def needed_flops(shape: Qwen3Shape, work: Work, num_adapter: int) -> float:
    per_parameter = 4 if num_adapter else 6
    layers = work.num_computed_tokens * (per_parameter * layer_parameters(shape) + 6 * num_adapter)
    output = work.num_actions * per_parameter * shape.vocab_size * shape.hidden_size
    attention = 12 * shape.num_layers * shape.num_heads * shape.head_dim * work.num_attended_pairs
    return layers + output + attention


def peak_flops(device_name: str) -> float | None:
    return next((peak for name, peak in PEAK_BFLOAT16.items() if name in device_name), None)
