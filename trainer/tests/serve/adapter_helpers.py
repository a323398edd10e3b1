"""LoRA adapters of the served test policies, written by peft itself."""

import warnings
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from transformers import Qwen3ForCausalLM

ALL_PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def write_adapter(
    directory: Path, base: Path, seed: int = 0, base_name: str | None = None, targets: list[str] = ALL_PROJECTIONS, **options: object
) -> Path:
    """A rank 4 adapter of random weights that changes what the base says."""
    model = Qwen3ForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=targets, **options)  # type: ignore[arg-type]
    adapted = get_peft_model(model, config)  # type: ignore[arg-type]
    adapted.peft_config["default"].base_model_name_or_path = base_name or base.name
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.data.normal_(0, 0.2, generator=generator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted.save_pretrained(str(directory), save_embedding_layers=False)
    return directory


def reference_logprobs(base: Path, adapter: Path, token_ids: list[int]) -> Tensor:
    """log-probabilities [S - 1] of the tokens from the second on, by transformers and peft, unmerged."""
    model = PeftModel.from_pretrained(Qwen3ForCausalLM.from_pretrained(base, dtype=torch.float32), adapter)
    ids = torch.tensor([token_ids])
    with torch.inference_mode():
        logprobs = model(ids).logits[0, :-1].double().log_softmax(-1)
    return logprobs.gather(1, ids[0, 1:, None]).squeeze(1)
