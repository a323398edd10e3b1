"""LoRA adapters as peft writes them, merged into a policy's matrices when they are loaded.

A merged adapter costs nothing per token and is scored by the same code as whole weights. What it leaves alone is shared with the base.
"""

import hashlib
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.errors import InvalidJob
from model.shape import Qwen3Shape
from policy_server.text import read_json
from policy_server.weights import LayerWeights, Weights

CONFIG = "adapter_config.json"
TENSORS = "adapter_model.safetensors"

_NAME = re.compile(r"base_model\.model\.model\.layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)\.lora_(A|B)\.weight")

_PLAIN: dict[str, tuple[Any, ...]] = {
    "peft_type": ("LORA",),
    "bias": ("none", None),
    "use_dora": (False, None),
    "lora_bias": (False, None),
    "fan_in_fan_out": (False, None),
    "modules_to_save": (None, []),
    "rank_pattern": ({}, None),
    "alpha_pattern": ({}, None),
}
"""Settings that would change what an adapter means: only these values are served."""


@dataclass(frozen=True)
class Adapter:
    sha256: str
    """Of the bytes of adapter_model.safetensors."""
    base: str | None
    """`base_model_name_or_path`: for adapters of this project, the hash of the policy that it adds to."""
    changes: dict[tuple[int, str], Tensor]
    """(layer, projection) -> what is added to that matrix [out, in], float64."""


def read_adapter(directory: Path, shape: Qwen3Shape) -> Adapter:
    """Raises InvalidJob when a file is missing or torn, or the adapter does not fit a model of this shape."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    config = _read_config(directory)
    try:
        data = (directory / TENSORS).read_bytes()
        tensors = load(data)
    except (OSError, SafetensorError) as error:
        raise InvalidJob(f"{directory / TENSORS} cannot be read: {error}") from None
    rank, alpha = config["r"], config["lora_alpha"]
    scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    base = config.get("base_model_name_or_path")
    return Adapter(hashlib.sha256(data).hexdigest(), base, _changes(tensors, shape, scale, directory))


def merge(weights: Weights, adapter: Adapter) -> Weights:
    """The weights with the adapter's changes added, in float64 and rounded once."""
    layers = [_merged(layer, index, adapter.changes, weights.shape) for index, layer in enumerate(weights.layers)]
    return replace(weights, layers=layers, sha256=adapter.sha256)


def projections(shape: Qwen3Shape) -> dict[str, tuple[int, int]]:
    """[out, in] of every matrix that an adapter may change."""
    hidden, inner = shape.hidden_size, shape.intermediate_size
    queries, keys = shape.num_heads * shape.head_dim, shape.num_key_value_heads * shape.head_dim
    return {
        "q_proj": (queries, hidden),
        "k_proj": (keys, hidden),
        "v_proj": (keys, hidden),
        "o_proj": (hidden, queries),
        "gate_proj": (inner, hidden),
        "up_proj": (inner, hidden),
        "down_proj": (hidden, inner),
    }


def _read_config(directory: Path) -> dict[str, Any]:
    if not (directory / CONFIG).is_file():
        raise InvalidJob(f"{directory} holds no {CONFIG}")
    config = read_json(directory / CONFIG)
    for name, plain in _PLAIN.items():
        if config.get(name) not in plain:
            raise InvalidJob(f"{directory / CONFIG}: {name}={config.get(name)!r} is not served")
    if type(config.get("r")) is not int or config["r"] < 1 or not isinstance(config.get("lora_alpha"), int | float):
        raise InvalidJob(f"{directory / CONFIG}: r and lora_alpha must be numbers, r at least 1")
    return config


def _changes(tensors: dict[str, Tensor], shape: Qwen3Shape, scale: float, directory: Path) -> dict[tuple[int, str], Tensor]:
    sizes = projections(shape)
    halves: dict[tuple[int, str], dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        match = _NAME.fullmatch(name)
        if match is None or match[2] not in sizes or int(match[1]) >= shape.num_layers:
            raise InvalidJob(f"{directory / TENSORS}: {name} is no adapter of one of the model's {', '.join(sizes)}")
        halves.setdefault((int(match[1]), match[2]), {})[match[3]] = tensor.double()
    if not halves:
        raise InvalidJob(f"{directory / TENSORS} holds no tensors")
    changes: dict[tuple[int, str], Tensor] = {}
    for (layer, name), pair in halves.items():
        rows, columns = sizes[name]
        fits = len(pair) == 2 and pair["A"].shape[1:] == (columns,) and pair["B"].shape == (rows, len(pair["A"]))
        if not fits:
            raise InvalidJob(f"{directory / TENSORS}: lora_A and lora_B of {name} in layer {layer} do not fit a matrix {rows} x {columns}")
        changes[layer, name] = scale * pair["B"] @ pair["A"]
    return changes


def _merged(layer: LayerWeights, index: int, changes: dict[tuple[int, str], Tensor], shape: Qwen3Shape) -> LayerWeights:
    sizes = projections(shape)

    def fused(matrix: Tensor, *names: str) -> Tensor:
        """A fresh matrix, or the base's own where nothing changes."""
        if not any((index, name) in changes for name in names):
            return matrix
        parts = [changes.get((index, name), torch.zeros(sizes[name], dtype=torch.float64)) for name in names]
        return (matrix.double() + torch.cat(parts)).float().contiguous()

    return replace(
        layer,
        query_key_value=fused(layer.query_key_value, "q_proj", "k_proj", "v_proj"),
        output=fused(layer.output, "o_proj"),
        gate_up=fused(layer.gate_up, "gate_proj", "up_proj"),
        down=fused(layer.down, "down_proj"),
    )
