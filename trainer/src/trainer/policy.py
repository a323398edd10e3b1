"""The trainable policy of a back-end: where it runs, logits of chosen positions, and the exported directory."""

import contextlib
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from trainer.errors import InvalidJob
from trainer.model import Qwen3, load_qwen3, qwen3_shape, read_config, tied_names
from trainer.model_files import copy_tokenizer, write_model


class TrainablePolicy:
    """A causal language model of a Hugging Face directory, in float32.

    On `cpu` a plain Qwen3 runs in our own module. Every other model, and every model on `gpu` (bfloat16 autocast, gradient
    checkpointing), runs in transformers.
    """

    def __init__(self, directory: Path, backend: str) -> None:
        self.device = device_of(backend)
        self._source = directory
        self._config = read_config(directory)
        self._autocast = backend == "gpu"
        own = backend == "cpu" and qwen3_shape(self._config) is not None
        self.module: nn.Module = load_qwen3(directory) if own else _load_transformers(directory, checkpointing=backend == "gpu")
        self.module.to(self.device)

    @property
    def vocab_size(self) -> int:
        return self._config["vocab_size"]

    @property
    def max_positions(self) -> int:
        return self._config["max_position_embeddings"]

    def named_parameters(self) -> list[tuple[str, nn.Parameter]]:
        return list(self.module.named_parameters())

    def logits(self, token_ids_S: Tensor, positions_N: Tensor) -> Tensor:
        """Next-token logits [N, V] after the given positions of one unpadded row; nothing is computed for the others' vocabulary."""
        token_ids, positions = token_ids_S[None].to(self.device), positions_N.to(self.device)
        with torch.autocast("cuda", torch.bfloat16) if self._autocast else contextlib.nullcontext():
            if isinstance(self.module, Qwen3):
                return self.module.logits(self.module.hidden(token_ids)[0, positions])
            return cast(Any, self.module)(input_ids=token_ids, use_cache=False, logits_to_keep=positions).logits[0]

    def weights(self) -> dict[str, Tensor]:
        return {name: parameter.detach().contiguous() for name, parameter in self.named_parameters()}

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                parameter.copy_(weights[name])

    def freeze(self) -> "TrainablePolicy":
        self.module.requires_grad_(False)
        return self

    def export(self, directory: Path) -> None:
        """The directory it came from with new weights: same config but for the data type, same tokenizer."""
        config = {**self._config, "dtype": "float32"}
        config.pop("torch_dtype", None)
        tied = tied_names(self.module)
        state = {name: tensor.cpu().contiguous() for name, tensor in self.module.state_dict().items() if name not in tied}
        write_model(directory, config, state)
        copy_tokenizer(self._source, directory)


def device_of(backend: str) -> torch.device:
    if backend == "cpu":
        return torch.device("cpu")
    if backend == "gpu":
        if not torch.cuda.is_available():
            raise InvalidJob("backend gpu: no CUDA device is visible")
        return torch.device("cuda")
    raise InvalidJob(f"backend {backend} is not available in this version")


def _load_transformers(directory: Path, checkpointing: bool) -> nn.Module:
    from transformers import AutoModelForCausalLM

    try:
        model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise InvalidJob(f"transformers cannot load {directory}: {error}") from None
    if checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.train()
    return model
