"""Qwen3 in plain torch, lean enough for small models on a CPU.

Parameters carry the names and shapes of transformers' Qwen3ForCausalLM, so one safetensors file serves both, and the logits are the
same (tests/test_model.py). Attention is causal without a mask: rows are unpadded, or padded on the right where nothing looks back.

Dimensions: B row, S position, D hidden, H query head, K key-value head, E head width, V vocabulary.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from model.errors import InvalidJob
from model.shape import Qwen3Shape, qwen3_shape, read_config
from trainer.attention import segment_attention
from trainer.segments import Segment


class RMSNorm(nn.Module):
    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.eps)


class Attention(nn.Module):
    def __init__(self, shape: Qwen3Shape) -> None:
        super().__init__()
        self.num_heads, self.num_key_value_heads, self.head_dim = shape.num_heads, shape.num_key_value_heads, shape.head_dim
        queries, keys = shape.num_heads * shape.head_dim, shape.num_key_value_heads * shape.head_dim
        self.q_proj = nn.Linear(shape.hidden_size, queries, bias=False)
        self.k_proj = nn.Linear(shape.hidden_size, keys, bias=False)
        self.v_proj = nn.Linear(shape.hidden_size, keys, bias=False)
        self.o_proj = nn.Linear(queries, shape.hidden_size, bias=False)
        self.q_norm = RMSNorm(shape.head_dim, shape.rms_norm_eps)
        self.k_norm = RMSNorm(shape.head_dim, shape.rms_norm_eps)

    def forward(self, x_BSD: Tensor, rotary: tuple[Tensor, Tensor], segments: Sequence[Segment] | None = None) -> Tensor:
        rows, length, _ = x_BSD.shape
        queries_BHSE = self._heads(self.q_norm(self._split(self.q_proj(x_BSD), self.num_heads)), rotary)
        keys_BKSE = self._heads(self.k_norm(self._split(self.k_proj(x_BSD), self.num_key_value_heads)), rotary)
        values_BKSE = self._split(self.v_proj(x_BSD), self.num_key_value_heads).transpose(1, 2)
        whole = (Segment(0, length),) if segments is None else segments
        mixed_BHSE = segment_attention(queries_BHSE, keys_BKSE, values_BKSE, whole)
        return self.o_proj(mixed_BHSE.transpose(1, 2).reshape(rows, length, -1))

    def _split(self, x: Tensor, num_heads: int) -> Tensor:
        return x.view(*x.shape[:2], num_heads, self.head_dim)

    @staticmethod
    def _heads(x_BSHE: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
        """Rotated by position (in float32) and with heads before positions."""
        cosine, sine = rotary
        first, second = x_BSHE.transpose(1, 2).chunk(2, dim=-1)
        return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1).to(x_BSHE.dtype)


class MLP(nn.Module):
    def __init__(self, shape: Qwen3Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: Qwen3Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = MLP(shape)
        self.input_layernorm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor], segments: Sequence[Segment] | None = None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rotary, segments)
        return x + self.mlp(self.post_attention_layernorm(x))


class Trunk(nn.Module):
    def __init__(self, shape: Qwen3Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.num_layers))
        self.norm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)


class Qwen3(nn.Module):
    def __init__(self, shape: Qwen3Shape) -> None:
        super().__init__()
        self.shape = shape
        self.recompute = False
        """Gradient checkpointing: only the input of every layer is kept for the backward pass."""
        self.model = Trunk(shape)
        self.lm_head = nn.Linear(shape.hidden_size, shape.vocab_size, bias=False)
        if shape.tie_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight
        frequencies = shape.rope_theta ** (-torch.arange(0, shape.head_dim, 2, dtype=torch.int64).float() / shape.head_dim)
        angles = torch.outer(torch.arange(shape.max_positions).float(), frequencies)
        self.register_buffer("cosine", angles.cos(), persistent=False)
        self.register_buffer("sine", angles.sin(), persistent=False)

    def hidden(self, token_ids_BS: Tensor, positions_S: Tensor | None = None, segments: Sequence[Segment] | None = None) -> Tensor:
        """Normalized states of the last layer [B, S, D]; `logits` of them is what predicts the next token.

        Positions count from 0 and attention is causal, unless a layout says otherwise.
        """
        places = slice(token_ids_BS.shape[1]) if positions_S is None else positions_S
        rotary = cast(Tensor, self.cosine)[places], cast(Tensor, self.sine)[places]
        x = self.model.embed_tokens(token_ids_BS)
        recompute = self.recompute and torch.is_grad_enabled()
        for layer in self.model.layers:
            x = (
                checkpoint(layer, x, rotary, segments, use_reentrant=False, preserve_rng_state=False)
                if recompute
                else layer(x, rotary, segments)
            )
        return self.model.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        return self.lm_head(hidden)

    def forward(self, token_ids_BS: Tensor) -> Tensor:
        return self.logits(self.hidden(token_ids_BS))


def initialize(model: Qwen3, seed: int) -> None:
    """Fresh weights from a seed: normal(0, 0.02), the two matrices that write to the residual stream smaller by depth, norms 1."""
    generator = torch.Generator().manual_seed(seed)
    residual = 0.02 / (2 * model.shape.num_layers) ** 0.5
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2:
                scale = residual if name.endswith(("o_proj.weight", "down_proj.weight")) else 0.02
                parameter.normal_(0.0, scale, generator=generator)


def load_qwen3(directory: Path) -> Qwen3:
    """The model of a Hugging Face directory in float32. Raises InvalidJob when it is missing, torn, or of another architecture."""
    shape = qwen3_shape(read_config(directory))
    if shape is None:
        raise InvalidJob(f"{directory} does not hold a plain Qwen3 model")
    model = Qwen3(shape)
    load_weights(model, directory)
    return model


def load_weights(model: nn.Module, directory: Path) -> None:
    """Copies a directory's weights into a module's parameters; names and shapes must match exactly, tied copies aside."""
    tensors = {name: tensor for path in weight_files(directory) for name, tensor in read_tensors(path).items()}
    parameters = dict(model.named_parameters())
    wrong = sorted(set(parameters) ^ (set(tensors) - tied_names(model)))
    wrong += [name for name in parameters if name in tensors and parameters[name].shape != tensors[name].shape]
    if wrong:
        raise InvalidJob(f"{directory}: weights do not fit config.json: {', '.join(wrong[:3])}")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[name])


def weight_files(directory: Path) -> list[Path]:
    """model.safetensors, or the parts that large models come in."""
    whole = directory / "model.safetensors"
    return [whole] if whole.exists() else sorted(directory.glob("model-*-of-*.safetensors")) or [whole]


def read_tensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InvalidJob(f"{path} cannot be read: {error}") from None


def tied_names(model: nn.Module) -> set[str]:
    """Names of parameters that are the same tensor as an earlier one."""
    return set(dict(model.named_parameters(remove_duplicate=False))) - set(dict(model.named_parameters()))
