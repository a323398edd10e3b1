"""The trainable policy of a back-end: where it runs, log-probabilities of the action tokens, and the exported directory."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.errors import InvalidJob
from model.shape import qwen3_shape, read_config
from trainer.adapter import adapter_off, adapter_parameters, leave_casts_to_autocast, merge_adapter, put_adapter, write_adapter
from trainer.attention import register_with_transformers
from trainer.backends import Backend, backend_of
from trainer.chunked_logprobs import chunked_logprobs
from trainer.contracts import AdapterShape
from trainer.layouts.flat import Flat
from trainer.loss import token_logprobs
from trainer.model_files import WEIGHTS_METADATA, copy_tokenizer, write_config
from trainer.qwen3 import Qwen3, load_qwen3, tied_names
from trainer.segments import Segment
from trainer.tensor_files import write_stream
from trainer.whole_weights import few, plan_export, read_export


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


class TrainablePolicy:
    """A causal language model of a Hugging Face directory, with float32 weights. backends.py says what each back-end means.

    A plain Qwen3 runs in our own module, every other model in transformers. `module` is the model itself where it is there already.
    """

    def __init__(self, directory: Path, backend: Backend | str, module: nn.Module | None = None) -> None:
        self.backend = backend_of(backend) if isinstance(backend, str) else backend
        self.device = self.backend.device
        self._source = directory
        self._config = read_config(directory)
        self.module: nn.Module = load_module(directory, self.backend) if module is None else module
        self.adapter: AdapterShape | None = None
        self._head = output_layer(self.module) if self.backend.chunked else None

    @property
    def vocab_size(self) -> int:
        return self._size("vocab_size")

    @property
    def max_positions(self) -> int:
        return self._size("max_position_embeddings")

    def _size(self, name: str) -> int:
        """Of config.json, whose names for it some architectures have their own words for. Raises InvalidJob for a model without one."""
        found = self._config.get(name) or getattr(getattr(self.module, "config", None), name, None)
        if found is None:
            raise InvalidJob(f"{self._source / 'config.json'} does not say {name}")
        return int(found)

    def named_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """What is trained, by name."""
        return list(self.module.named_parameters()) if self.adapter is None else adapter_parameters(self.module)

    def add_adapter(self, shape: AdapterShape, seed: int) -> None:
        """From here on only an adapter is trained, exported and kept in checkpoints; the weights that were loaded stay as they are."""
        self.freeze()
        put_adapter(self.module, shape, seed)
        self.adapter = shape
        if self.backend.compute_dtype != torch.float32:
            leave_casts_to_autocast(self.module)

    def logprobs(self, flat: Flat, temperature: float) -> tuple[Tensor, Tensor]:
        """Log-probabilities of a layout's targets and entropies in nats, both [N]; only the former carry gradients."""
        targets_N = flat.targets_N.to(self.device)
        with self.backend.autocast():
            if self._head is None:
                return token_logprobs(self.logits(flat), targets_N, temperature)
            states_ND = self._states(flat).flatten(0, 1)[flat.picks_N.to(self.device)]
            return chunked_logprobs(states_ND, self._head.weight, targets_N, temperature)

    def logits(self, flat: Flat) -> Tensor:
        """Next-token logits [N, V] at the picks of a layout; nothing is computed for the others' vocabulary."""
        picks = flat.picks_N.to(self.device)
        if isinstance(self.module, Qwen3):
            return self.module.logits(self._states(flat).flatten(0, 1)[picks])
        token_ids, positions = self._inputs(flat)
        return self._transformers_logits(token_ids, positions, flat.segments, picks)

    def _states(self, flat: Flat) -> Tensor:
        """What the output matrix reads, [B, S, D]."""
        token_ids, positions = self._inputs(flat)
        if isinstance(self.module, Qwen3):
            return self.module.hidden(token_ids, None if positions is None else positions[0], flat.segments)
        return transformers_states(self.module, token_ids, **segment_options(positions, flat.segments))

    def _inputs(self, flat: Flat) -> tuple[Tensor, Tensor | None]:
        return flat.token_ids_BS.to(self.device), None if flat.positions_BS is None else flat.positions_BS.to(self.device)

    def _transformers_logits(
        self, token_ids_BS: Tensor, positions_BS: Tensor | None, segments: tuple[Segment, ...] | None, picks_N: Tensor
    ) -> Tensor:
        """In a batch of several rows the model can only leave out positions that no row asks for."""
        width = token_ids_BS.shape[1]
        kept, where = (picks_N % width).unique(return_inverse=True) if len(token_ids_BS) > 1 else (picks_N, torch.arange(len(picks_N)))
        options = segment_options(positions_BS, segments)
        logits_BUV = cast(Any, self.module)(input_ids=token_ids_BS, use_cache=False, logits_to_keep=kept, **options).logits
        if logits_BUV.shape[1] != len(kept):
            raise InvalidJob(
                f"{type(self.module).__name__} does not heed logits_to_keep: it gave {logits_BUV.shape[1]} positions for {len(kept)}"
            )
        return logits_BUV[picks_N // width, where.to(self.device)] if len(token_ids_BS) > 1 else logits_BUV[0]

    def weights(self) -> dict[str, Tensor]:
        return {name: parameter.detach().contiguous() for name, parameter in self.named_parameters()}

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                parameter.copy_(weights[name])

    def load_adapter(self, tensors: dict[str, Tensor], directory: Path) -> None:
        """Raises InvalidJob when they are not exactly those of the adapter."""
        own = self.named_parameters()
        wrong = sorted({name for name, _ in own} ^ set(tensors))
        wrong += [name for name, parameter in own if name in tensors and tensors[name].shape != parameter.shape]
        if wrong:
            raise InvalidJob(f"the adapter in {directory} does not fit the model: {', '.join(wrong[:3])}")
        self.load_weights(tensors)

    def freeze(self) -> "TrainablePolicy":
        """Weights that are not trained need no more precision than the products that they are in."""
        self.module.requires_grad_(False)
        for parameter in self.module.parameters():
            parameter.data = parameter.data.to(self.backend.compute_dtype)
        return self

    def check_export(self) -> None:
        """Raises InvalidJob when the weights could not be exported under the names of the files that they came from."""
        plan_export(self.module, self.module.state_dict(), self._source)

    def export(self, directory: Path, base_hash: str, whole: Callable[[Tensor], Tensor] = _as_it_is, is_writer: bool = True) -> None:
        """The directory it came from with new weights: same config but for the data type, same tokenizer. Or the adapter alone, whose base
        is named by its hash, with the base's tokenizer.

        `whole` makes one out of a tensor's shards; a rank that is no writer does nothing else.
        """
        if self.adapter is None:
            self._write_model(directory, self.module.state_dict(), whole, is_writer)
        else:
            write_adapter(directory, self.adapter, base_hash, self.weights(), whole, is_writer)
        if is_writer:
            copy_tokenizer(self._source, directory)

    def export_merged(self, directory: Path) -> None:
        """A whole model with the adapter added into its weights, in float32. The policy is of no use afterwards."""
        self._write_model(directory, merge_adapter(self.module), _as_it_is, is_writer=True)
        copy_tokenizer(self._source, directory)

    def _write_model(self, directory: Path, weights: Mapping[str, Tensor], whole: Callable[[Tensor], Tensor], is_writer: bool) -> None:
        export = plan_export(self.module, weights, self._source)
        if is_writer:
            write_config(directory / "config.json", in_float32(self._config, getattr(self.module, "config", None)))
        read = read_export(export, self.module, lambda name: whole(weights[name]))
        write_stream(directory / "model.safetensors" if is_writer else None, export.specs, read, WEIGHTS_METADATA)


class BaseOf:
    """The base model of a policy with an adapter, which is off while this computes: a reference without a second copy of the weights."""

    def __init__(self, policy: TrainablePolicy) -> None:
        self._policy = policy

    def logprobs(self, flat: Flat, temperature: float) -> tuple[Tensor, Tensor]:
        with adapter_off(self._policy.module):
            return self._policy.logprobs(flat, temperature)


def load_module(directory: Path, backend: Backend) -> nn.Module:
    """On the back-end's device, in float32. Raises InvalidJob when the directory cannot be loaded."""
    own = qwen3_shape(read_config(directory)) is not None
    module = load_qwen3(directory) if own else _load_transformers(directory)
    if isinstance(module, Qwen3):
        module.recompute = backend.recompute
    elif backend.recompute:
        cast(Any, module).activation_checkpointing_enable({"use_reentrant": False})
        module.train()
    return module.to(backend.device)


def _load_transformers(directory: Path) -> nn.Module:
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(directory, local_files_only=True)
        without_dropout(config)
        options = {"dtype": torch.float32, "attn_implementation": register_with_transformers(), "local_files_only": True}
        module, said = cast(Any, AutoModelForCausalLM).from_pretrained(directory, config=config, output_loading_info=True, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InvalidJob(f"transformers cannot load {directory}: {error}") from None
    missing = sorted(set(said["missing_keys"]) - tied_names(module))
    if missing:  # transformers makes them up, with a warning
        raise InvalidJob(f"{directory}: weights do not fit config.json: {few(missing)} missing")
    return module


def without_dropout(config: Any) -> None:
    """The ratio compares probabilities of one and the same network. Models name their dropouts in their own ways."""
    for name, value in config.to_dict().items():
        if isinstance(value, float) and ("dropout" in name or name.endswith("pdrop")):
            setattr(config, name, 0.0)


def in_float32(config: dict[str, Any], used: Any) -> dict[str, Any]:
    """config.json of exported weights; `used` is the part of it that the module was made from, where it is a part."""
    part = getattr(used, "base_config_key", "")
    found = {name: value for name, value in config.items() if name != "torch_dtype"} | {"dtype": "float32"}
    return found | {part: in_float32(config[part], None)} if isinstance(config.get(part), dict) else found


def segment_options(positions_BS: Tensor | None, segments: tuple[Segment, ...] | None) -> dict[str, Any]:
    return {} if segments is None else {"position_ids": positions_BS, "segments": segments}


def transformers_states(module: nn.Module, token_ids_BS: Tensor, **options: Any) -> Tensor:
    return cast(Any, module).base_model(input_ids=token_ids_BS, use_cache=False, **options).last_hidden_state


def output_layer(module: nn.Module) -> nn.Linear | None:
    """The layer whose matrix [V, D] makes logits from the last states, or None for models that do more to them (a bias, scaling, a cap).

    Tried out on two tokens: the model's own logits must be bit for bit those of the matrix.
    """
    if isinstance(module, Qwen3):
        return module.lm_head
    head = cast(Any, module).get_output_embeddings()
    if cast(Any, module).base_model is module:  # it does not say where its states are
        return None
    if type(head) is not nn.Linear or head.bias is not None:
        return None
    probe_BS = torch.tensor([[0, 1]], device=head.weight.device)
    with torch.no_grad():
        own = cast(Any, module)(input_ids=probe_BS, use_cache=False).logits
        plain = F.linear(transformers_states(module, probe_BS), head.weight)
    return head if torch.equal(own, plain) else None
