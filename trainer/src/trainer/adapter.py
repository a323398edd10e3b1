"""LoRA adapters (arXiv:2106.09685), put into a model by peft: only they are trained, saved and exported.

On disk an adapter is what peft's PeftModel.from_pretrained and vLLM's /v1/load_lora_adapter read: adapter_config.json and
adapter_model.safetensors. Weights, moments and gradients carry the names of that file everywhere.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from model.errors import InvalidJob
from trainer.contracts import AdapterShape
from trainer.model_files import WEIGHTS_METADATA, write_config
from trainer.tensor_files import chunks_of, spec_of, write_stream

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
NAME = "default"
SHA256 = re.compile(r"[0-9a-f]{64}")


def put_adapter(module: nn.Module, shape: AdapterShape, seed: int) -> None:
    """Freezes the module and gives its target layers a fresh adapter in float32: A uniform in 1 / sqrt(inputs) from the seed, B zero.

    So the module computes what it did before. Raises InvalidJob when a target is no linear layer of the model's layers.
    """
    from peft import LoraConfig, inject_adapter_in_model

    _check_targets(module, shape)
    config = LoraConfig(r=shape.rank, lora_alpha=shape.alpha, target_modules=list(shape.target_modules))  # type: ignore[arg-type]
    module.requires_grad_(False)
    inject_adapter_in_model(config, module, NAME)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in adapter_parameters(module):
            parameter.data = _initial(name, parameter, generator).to(parameter.device)


def _initial(name: str, parameter: Tensor, generator: torch.Generator) -> Tensor:
    if ".lora_B." in name:
        return torch.zeros(parameter.shape)
    bound = parameter.shape[1] ** -0.5
    return torch.empty(parameter.shape).uniform_(-bound, bound, generator=generator)


def _check_targets(module: nn.Module, shape: AdapterShape) -> None:
    output = getattr(module, "lm_head", None)
    for target in shape.target_modules:
        found = [part for name, part in module.named_modules() if name == target or name.endswith(f".{target}")]
        if not found:
            raise InvalidJob(f"adapter: the model has no layer called {target}")
        if any(not isinstance(part, nn.Linear) or part is output for part in found):
            raise InvalidJob(f"adapter: {target} is no linear layer inside the model")


def adapter_parameters(module: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Under the names that peft gives them in files."""
    found = [(name, parameter) for name, parameter in module.named_parameters() if ".lora_" in name]
    return [(f"base_model.model.{name.replace(f'.{NAME}.', '.')}", parameter) for name, parameter in found]


def leave_casts_to_autocast(module: nn.Module) -> None:
    """peft would make a float32 copy of every adapted layer's input, which autocast then takes back."""
    for layer in _layers(module):
        layer.cast_input_dtype_enabled = False


@contextmanager
def adapter_off(module: nn.Module) -> Iterator[None]:
    """Within it the module is its base model."""
    layers = list(_layers(module))
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)


def merge_adapter(module: nn.Module) -> dict[str, Tensor]:
    """The weights with the adapter added in, under the names that they have without one."""
    for layer in _layers(module):
        layer.merge()
    state = {name.replace(".base_layer.", "."): tensor for name, tensor in module.state_dict().items() if ".lora_" not in name}
    return {name: tensor.detach().float().cpu().contiguous() for name, tensor in state.items()}


def _layers(module: nn.Module) -> Iterator[Any]:
    from peft.tuners.lora import LoraLayer

    return (part for part in module.modules() if isinstance(part, LoraLayer))


def write_adapter(
    directory: Path,
    shape: AdapterShape,
    base_hash: str,
    tensors: Mapping[str, Tensor],
    whole: Callable[[Tensor], Tensor],
    is_writer: bool,
) -> None:
    """Into an empty directory, with the same bytes for the same adapter. The base is named by its policy hash. `whole` makes one out of a
    tensor's shards; a rank that is no writer does nothing else."""
    config = {
        "base_model_name_or_path": base_hash,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": shape.alpha,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": shape.rank,
        "target_modules": sorted(shape.target_modules),
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": False,
    }
    if is_writer:
        write_config(directory / CONFIG_FILE, config)
    specs = {name: spec_of(tensor) for name, tensor in tensors.items()}
    path = directory / WEIGHTS_FILE if is_writer else None
    write_stream(path, specs, lambda name: chunks_of(whole(tensors[name])), WEIGHTS_METADATA)


def read_adapter(directory: Path, shape: AdapterShape, base_hash: str) -> dict[str, Tensor]:
    """The tensors of an adapter of this shape for this base. Raises InvalidJob when it is another, missing, or torn."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config = json.loads((directory / CONFIG_FILE).read_bytes())
        tensors = load_file(directory / WEIGHTS_FILE)
    except (OSError, ValueError, SafetensorError) as error:
        raise InvalidJob(f"{directory} is no adapter that can be read: {error}") from None
    base = str(config.get("base_model_name_or_path"))
    if SHA256.fullmatch(base) and base != base_hash:
        raise InvalidJob(f"{directory} is an adapter for another base model")
    found = AdapterShape(config.get("r", 0), config.get("lora_alpha", 0), tuple(sorted(config.get("target_modules") or [])))
    if found != AdapterShape(shape.rank, shape.alpha, tuple(sorted(shape.target_modules))):
        raise InvalidJob(f"{directory} has another shape than the job's adapter: {found}")
    extras = [name for name in ("use_dora", "use_rslora", "modules_to_save", "rank_pattern", "alpha_pattern") if config.get(name)]
    if extras:
        raise InvalidJob(f"{directory} uses {', '.join(extras)}, which is not supported")
    return tensors


def read_shape(directory: Path) -> AdapterShape:
    try:
        config = json.loads((directory / CONFIG_FILE).read_bytes())
        return AdapterShape(config["r"], config["lora_alpha"], tuple(config["target_modules"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidJob(f"{directory / CONFIG_FILE} cannot be read: {error}") from None
