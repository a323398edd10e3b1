"""Checkpoints that are whole or not there: temporary folder, fsync, manifest with hashes last, rename. The last two are kept.

checkpoints/step-000005/ holds one safetensors file per group of tensors, state.json, and manifest.json.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save
from torch import Tensor

from trainer.files import canonical_json, file_hash, fresh_directory, replace_directory, write_synced

KEPT = 2
FORMAT = 1  # of state.json; raise it when its fields change
TensorGroups = dict[str, dict[str, Tensor]]


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the next optimizer step depends on, and the place in events.jsonl."""

    step: int
    tensors: TensorGroups
    state: dict[str, Any]


def directory_of(root: Path, step: int) -> Path:
    return root / f"step-{step:06d}"


def save_checkpoint(root: Path, checkpoint: Checkpoint, identity: str) -> Path:
    target = directory_of(root, checkpoint.step)
    temporary = fresh_directory(root / f".{target.name}.tmp")
    for name, tensors in checkpoint.tensors.items():
        write_synced(temporary / f"{name}.safetensors", save(tensors))
    write_synced(temporary / "state.json", json.dumps(checkpoint.state).encode())
    files = {path.name: file_hash(path) for path in sorted(temporary.iterdir())}
    manifest = {"format": FORMAT, "identity": identity, "step": checkpoint.step, "files": files}
    write_synced(temporary / "manifest.json", canonical_json(manifest).encode())
    replace_directory(temporary, target)
    for old in _directories(root)[KEPT:]:
        shutil.rmtree(old)
    return target


def load_last_good(root: Path, identity: str, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint of this job whose files all have their hashes; each one passed over is told to `warn` and removed."""
    for directory in _directories(root):
        problem = _problem(directory, identity)
        if problem is None:
            return _load(directory)
        warn(f"{directory.name} is not used: {problem}")
        shutil.rmtree(directory)
    return None


def _directories(root: Path) -> list[Path]:
    return sorted(root.glob("step-*"), reverse=True)


def _problem(directory: Path, identity: str) -> str | None:
    try:
        manifest = json.loads((directory / "manifest.json").read_bytes())
        if manifest.get("format") != FORMAT:
            return "it was written by another version of the trainer"
        if manifest["identity"] != identity:
            return "it belongs to another job.json"
        for name, expected in manifest["files"].items():
            if file_hash(directory / name) != expected:
                return f"{name} does not have its hash"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _load(directory: Path) -> Checkpoint:
    manifest = json.loads((directory / "manifest.json").read_bytes())
    tensors = {Path(name).stem: load_file(directory / name) for name in manifest["files"] if name.endswith(".safetensors")}
    return Checkpoint(manifest["step"], tensors, json.loads((directory / "state.json").read_bytes()))
