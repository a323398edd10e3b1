"""A Hugging Face directory of a Qwen3 model as the fused float32 matrices that forward.py multiplies with."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from model.errors import InvalidJob
from model.shape import Qwen3Shape, qwen3_shape, read_config


@dataclass(frozen=True)
class LayerWeights:
    input_norm: Tensor
    query_key_value: Tensor
    """[(heads + 2 * key-value heads) * width, hidden]"""
    query_norm: Tensor
    """Carries the 1 / sqrt(width) of attention."""
    key_norm: Tensor
    output: Tensor
    post_norm: Tensor
    gate_up: Tensor
    down: Tensor


@dataclass(frozen=True)
class Weights:
    shape: Qwen3Shape
    embedding: Tensor
    layers: list[LayerWeights]
    final_norm: Tensor
    head: Tensor
    sha256: str
    """Of the bytes of model.safetensors that were loaded."""


def load_weights(directory: Path) -> Weights:
    """Reads config.json and model.safetensors. Raises InvalidJob when they are missing, torn, or of another architecture."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    shape = qwen3_shape(read_config(directory))
    if shape is None:
        raise InvalidJob(f"{directory} does not hold a plain Qwen3 model")
    try:
        data = (directory / "model.safetensors").read_bytes()
        tensors = load(data)
    except (OSError, SafetensorError) as error:
        raise InvalidJob(f"{directory / 'model.safetensors'} cannot be read: {error}") from None
    _check(shape, tensors, directory)
    return _fuse(shape, tensors, hashlib.sha256(data).hexdigest())


def expected_shapes(shape: Qwen3Shape) -> dict[str, tuple[int, ...]]:
    """Names and shapes of Qwen3ForCausalLM's parameters; a tied output matrix is not listed."""
    hidden, width = shape.hidden_size, shape.head_dim
    queries, keys = shape.num_heads * width, shape.num_key_value_heads * width
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (shape.vocab_size, hidden), "model.norm.weight": (hidden,)}
    for index in range(shape.num_layers):
        layer = f"model.layers.{index}."
        shapes |= {
            layer + "input_layernorm.weight": (hidden,),
            layer + "self_attn.q_proj.weight": (queries, hidden),
            layer + "self_attn.k_proj.weight": (keys, hidden),
            layer + "self_attn.v_proj.weight": (keys, hidden),
            layer + "self_attn.o_proj.weight": (hidden, queries),
            layer + "self_attn.q_norm.weight": (width,),
            layer + "self_attn.k_norm.weight": (width,),
            layer + "post_attention_layernorm.weight": (hidden,),
            layer + "mlp.gate_proj.weight": (shape.intermediate_size, hidden),
            layer + "mlp.up_proj.weight": (shape.intermediate_size, hidden),
            layer + "mlp.down_proj.weight": (hidden, shape.intermediate_size),
        }
    if not shape.tie_embeddings:
        shapes["lm_head.weight"] = (shape.vocab_size, hidden)
    return shapes


def _check(shape: Qwen3Shape, tensors: dict[str, Tensor], directory: Path) -> None:
    expected = expected_shapes(shape)
    extra = set(tensors) - set(expected) - ({"lm_head.weight"} if shape.tie_embeddings else set())
    wrong = sorted(extra) + [name for name, size in expected.items() if name not in tensors or tuple(tensors[name].shape) != size]
    if wrong:
        raise InvalidJob(f"{directory}: weights do not fit config.json: {', '.join(wrong[:3])}")


def _fuse(shape: Qwen3Shape, tensors: dict[str, Tensor], sha256: str) -> Weights:
    """Every matrix becomes a fresh allocation: where a file puts a tensor must not decide how a kernel reads it."""

    def fresh(*names: str) -> Tensor:
        return torch.cat([tensors[name].to(torch.float32) for name in names]).contiguous().clone()

    def layer(index: int) -> LayerWeights:
        prefix = f"model.layers.{index}."
        attention, mlp = prefix + "self_attn.", prefix + "mlp."
        return LayerWeights(
            input_norm=fresh(prefix + "input_layernorm.weight"),
            query_key_value=fresh(attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"),
            query_norm=fresh(attention + "q_norm.weight") * shape.head_dim**-0.5,
            key_norm=fresh(attention + "k_norm.weight"),
            output=fresh(attention + "o_proj.weight"),
            post_norm=fresh(prefix + "post_attention_layernorm.weight"),
            gate_up=fresh(mlp + "gate_proj.weight", mlp + "up_proj.weight"),
            down=fresh(mlp + "down_proj.weight"),
        )

    embedding = fresh("model.embed_tokens.weight")
    return Weights(
        shape=shape,
        embedding=embedding,
        layers=[layer(index) for index in range(shape.num_layers)],
        final_norm=fresh("model.norm.weight"),
        head=embedding if shape.tie_embeddings else fresh("lm_head.weight"),
        sha256=sha256,
    )
