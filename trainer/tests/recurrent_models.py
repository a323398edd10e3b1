"""Tiny random models of transformers, with layers that carry a state along the sequence and without."""

from pathlib import Path
from typing import Any

import torch

SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}
DELTA: dict[str, Any] = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "head_dim": 8,
}
MIXED = {"layer_types": ["linear_attention", "full_attention"]}
STATES = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_n_groups": 1, "mamba_d_state": 8}

RECURRENT: dict[str, dict[str, Any]] = {
    "Qwen3_5Text": {**SIZES, **DELTA, **MIXED},
    "Qwen3Next": {**SIZES, **DELTA, **MIXED, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16},
    "OlmoHybrid": {**SIZES, **DELTA, **MIXED},
    "Mamba": {"vocab_size": 97, "hidden_size": 32, "num_hidden_layers": 2},
    "Mamba2": {
        "vocab_size": 97,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_heads": 8,
        "head_dim": 8,
        "expand": 2,
        "state_size": 8,
        "n_groups": 2,
    },
    "Jamba": {**SIZES, "num_experts": 2, "attn_layer_period": 2, "attn_layer_offset": 1, "mamba_d_state": 4},
    "FalconH1": {**SIZES, "mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_n_groups": 1, "mamba_d_state": 8, "head_dim": 8},
    "Bamba": {**SIZES, **STATES, "attn_layer_indices": [1]},
    "Lfm2": {**SIZES, "layer_types": ["conv", "full_attention"]},
    "RecurrentGemma": {**SIZES, "num_hidden_layers": 3, "attention_window_size": 64, "lru_width": 32},
    "Rwkv": {
        "vocab_size": 97,
        "hidden_size": 32,
        "attention_hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "context_length": 128,
    },
}


def write_model(directory: Path, family: str, **changes: Any) -> Path:
    """Of a family above, or any other that takes SIZES."""
    import transformers

    config = getattr(transformers, f"{family}Config")(**{**RECURRENT.get(family, SIZES), "pad_token_id": 0, **changes})
    return save(transformers.AutoModelForCausalLM.from_config(config), directory)


def write_multimodal(directory: Path, tie: bool, dtype: torch.dtype = torch.float32) -> Path:
    """A Qwen3.5 with a vision tower: 77 tensors, one fewer where the output matrix is tied."""
    import transformers

    config = transformers.Qwen3_5Config(
        text_config={**SIZES, **DELTA, "num_hidden_layers": 4, "tie_word_embeddings": tie},
        vision_config={
            "depth": 1,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 4,
            "out_hidden_size": 32,
            "num_position_embeddings": 16,
            "patch_size": 4,
        },
        tie_word_embeddings=tie,
        image_token_id=90,
        video_token_id=91,
        vision_start_token_id=92,
        vision_end_token_id=93,
    )
    model: Any = transformers.Qwen3_5ForConditionalGeneration(config)
    return save(model.to(dtype), directory)


def save(model: Any, directory: Path) -> Path:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
    model.save_pretrained(directory)
    (directory / "tokenizer.json").write_text("{}\n")
    return directory
