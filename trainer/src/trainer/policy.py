"""The trainable policy of a back-end: where it runs, logits of chosen positions, and the exported directory."""

import contextlib
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from trainer.attention import Segment, register_with_transformers
from trainer.errors import InvalidJob
from trainer.layouts.flat import Flat
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

    def logits(self, flat: Flat) -> Tensor:
        """Next-token logits [N, V] at the picks of a layout; nothing is computed for the others' vocabulary."""
        token_ids, picks = flat.token_ids_BS.to(self.device), flat.picks_N.to(self.device)
        positions = None if flat.positions_BS is None else flat.positions_BS.to(self.device)
        with torch.autocast("cuda", torch.bfloat16) if self._autocast else contextlib.nullcontext():
            if isinstance(self.module, Qwen3):
                states_BSD = self.module.hidden(token_ids, None if positions is None else positions[0], flat.segments)
                return self.module.logits(states_BSD.flatten(0, 1)[picks])
            return self._transformers_logits(token_ids, positions, flat.segments, picks)

    def _transformers_logits(
        self, token_ids_BS: Tensor, positions_BS: Tensor | None, segments: tuple[Segment, ...] | None, picks_N: Tensor
    ) -> Tensor:
        """In a batch of several rows the model can only leave out positions that no row asks for."""
        width = token_ids_BS.shape[1]
        kept, where = (picks_N % width).unique(return_inverse=True) if len(token_ids_BS) > 1 else (picks_N, torch.arange(len(picks_N)))
        options = {} if segments is None else {"position_ids": positions_BS, "segments": segments}
        logits_BUV = cast(Any, self.module)(input_ids=token_ids_BS, use_cache=False, logits_to_keep=kept, **options).logits
        return logits_BUV[picks_N // width, where.to(self.device)] if len(token_ids_BS) > 1 else logits_BUV[0]

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
        model = AutoModelForCausalLM.from_pretrained(
            directory, dtype=torch.float32, attn_implementation=register_with_transformers(), local_files_only=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise InvalidJob(f"transformers cannot load {directory}: {error}") from None
    if checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.train()
    return model
