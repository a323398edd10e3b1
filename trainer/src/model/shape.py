"""The shape of a small Qwen3 policy, as config.json of its directory says it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import InvalidJob


@dataclass(frozen=True)
class Qwen3Size:
    """All but what a tokenizer says."""

    hidden_size: int
    num_layers: int
    num_heads: int
    num_key_value_heads: int
    head_dim: int
    intermediate_size: int
    rope_theta: float
    max_positions: int


@dataclass(frozen=True)
class Qwen3Shape(Qwen3Size):
    vocab_size: int
    rms_norm_eps: float = 1e-6
    tie_embeddings: bool = True


def qwen3_shape(config: dict[str, Any]) -> Qwen3Shape | None:
    """The shape that a Hugging Face config.json describes, or None when the model needs more than this module knows."""
    rope = config.get("rope_parameters") or {}
    plain = (
        config.get("model_type") == "qwen3"
        and rope.get("rope_type", "default") == "default"
        and not config.get("rope_scaling")
        and not config.get("attention_bias")
        and not config.get("use_sliding_window")
        and config.get("hidden_act", "silu") == "silu"
    )
    if not plain:
        return None
    return Qwen3Shape(
        vocab_size=config["vocab_size"],
        hidden_size=config["hidden_size"],
        num_layers=config["num_hidden_layers"],
        num_heads=config["num_attention_heads"],
        num_key_value_heads=config["num_key_value_heads"],
        head_dim=config["head_dim"],
        intermediate_size=config["intermediate_size"],
        rope_theta=float(rope.get("rope_theta", config.get("rope_theta", 10000.0))),
        max_positions=config["max_position_embeddings"],
        rms_norm_eps=config["rms_norm_eps"],
        tie_embeddings=bool(config["tie_word_embeddings"]),
    )


def qwen3_config(shape: Qwen3Shape) -> dict[str, Any]:
    """config.json of a shape, as transformers and vLLM read it."""
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "dtype": "float32",
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "hidden_size": shape.hidden_size,
        "initializer_range": 0.02,
        "intermediate_size": shape.intermediate_size,
        "max_position_embeddings": shape.max_positions,
        "model_type": "qwen3",
        "num_attention_heads": shape.num_heads,
        "num_hidden_layers": shape.num_layers,
        "num_key_value_heads": shape.num_key_value_heads,
        "rms_norm_eps": shape.rms_norm_eps,
        "rope_parameters": {"rope_theta": shape.rope_theta, "rope_type": "default"},
        "rope_theta": shape.rope_theta,
        "tie_word_embeddings": shape.tie_embeddings,
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": shape.vocab_size,
    }


def read_config(directory: Path) -> dict[str, Any]:
    try:
        return json.loads((directory / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidJob(f"{directory / 'config.json'} cannot be read: {error}") from None
