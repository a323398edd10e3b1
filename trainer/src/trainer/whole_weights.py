"""Exporting whole weights: every tensor of the directory that they came from, under its name, none lost and none beside them.

A model of transformers holds some weights under other names than the files do, all experts of a layer as one, and leaves out what a
language model does not need (a vision tower, heads that predict further tokens). Those are copied from the source byte for byte.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from model.errors import InvalidJob
from trainer.qwen3 import Qwen3, tied_names, weight_files
from trainer.tensor_files import Chunks, Spec, Stored, chunks_of, read_header, spec_of


@dataclass(frozen=True)
class Export:
    """By name in the file: what it holds, and where that comes from."""

    specs: Mapping[str, Spec]
    renamed: Mapping[str, str]
    """The one tensor of the module that it is."""
    converted: Mapping[str, tuple[str, ...]]
    """The tensors of the module that it is made of."""
    kept: Mapping[str, Stored]
    """What the module does not have."""


def plan_export(module: nn.Module, state: Mapping[str, Tensor], directory: Path) -> Export:
    """`state` are the weights by their names in the module. Raises InvalidJob when they are not those of the directory's files."""
    source = stored_tensors(directory)
    tied = tied_names(module)
    names, files = _names(module, state)
    extra = {file for file in set(files) - set(source) if names.get(file) in tied}
    files = {file: tensor for file, tensor in files.items() if file not in extra}
    unknown = sorted(set(files) - set(source))
    if unknown:
        raise InvalidJob(f"{directory} has no {few(unknown)}, as the trained weights would be called: they cannot be exported")
    resized = sorted(file for file, tensor in files.items() if tuple(tensor.shape) != source[file].spec.shape)
    if resized:
        raise InvalidJob(f"{directory}: {few(resized)} would be exported in another shape than it has")
    kept = {file: stored for file, stored in source.items() if file not in files}
    specs = {file: spec_of(tensor) for file, tensor in files.items()} | {file: stored.spec for file, stored in kept.items()}
    renamed = {file: names[file] for file in files if file in names}
    return Export(specs, renamed, _makers(module, state, set(files) - set(renamed)), kept)


def read_export(export: Export, module: nn.Module, whole: Callable[[str], Tensor]) -> Callable[[str], Chunks]:
    """What write_stream reads. `whole` gives a tensor of the module; it is called in the same order wherever the plan is the same.

    Of tensors that files hold otherwise only those are in memory whose names follow next.
    """
    made: dict[str, Tensor] = {}

    def read(file: str) -> Chunks:
        if file in export.kept:
            return export.kept[file].chunks()
        if file in export.renamed:
            return chunks_of(whole(export.renamed[file]))
        if file not in made:
            made.update(_reverted(module, {name: whole(name).detach().cpu() for name in export.converted[file]}))
        return chunks_of(made.pop(file))

    return read


def stored_tensors(directory: Path) -> dict[str, Stored]:
    """Every tensor of a directory's weights. Raises InvalidJob when a file is torn or two have the same."""
    found: dict[str, Stored] = {}
    for path in weight_files(directory):
        tensors = read_header(path)
        twice = sorted(set(tensors) & set(found))
        if twice:
            raise InvalidJob(f"{directory}: {few(twice)} is in {path.name} and in {found[twice[0]].path.name}")
        found |= tensors
    return found


def few(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more


def _names(module: nn.Module, state: Mapping[str, Tensor]) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Names in files of the tensors that only have another name there, and all tensors that files have, without their numbers."""
    shapes = _shapes(state)
    files = _reverted(module, shapes)
    owners = {id(tensor): name for name, tensor in shapes.items()}
    return {file: owners[id(tensor)] for file, tensor in files.items() if id(tensor) in owners}, files


def _makers(module: nn.Module, state: Mapping[str, Tensor], wanted: set[str]) -> dict[str, tuple[str, ...]]:
    """Which of the module's tensors each wanted one is made of: a single one where that gives all of them, else every one."""
    shapes = _shapes(state)
    alone = {file: (name,) for name, tensor in shapes.items() for file in _attempt(module, name, tensor) if file in wanted}
    return alone if set(alone) == wanted else dict.fromkeys(wanted, tuple(sorted(shapes)))


def _attempt(module: nn.Module, name: str, tensor: Tensor) -> Iterable[str]:
    """What files make of this tensor alone; nothing where it needs others."""
    try:
        found = _reverted(module, {name: tensor})
    except (RuntimeError, ValueError, KeyError, IndexError):
        return ()
    return [file for file, made in found.items() if made is not tensor]


def _shapes(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: torch.empty(tensor.shape, dtype=tensor.dtype, device="meta") for name, tensor in state.items()}


def _reverted(module: nn.Module, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    if isinstance(module, Qwen3):
        return weights
    from transformers.core_model_loading import revert_weight_conversion

    return revert_weight_conversion(cast(Any, module), weights)
