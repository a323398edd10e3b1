"""Checkpoints that are whole or not there: temporary folder, fsync, manifest with hashes last, rename.

checkpoints/step-000005/ holds one safetensors file per group of tensors, state.json, and manifest.json. The last two are kept, and the
best: the one with the lowest validation loss, where a job measures any. How the tensors of an `fsdp` job are written: distributed/.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from model.files import canonical_json, file_hash, fresh_directory, replace_directory, write_synced
from trainer.tensor_files import write_tensors

KEPT = 2
FORMAT = 1  # of state.json; raise it when its fields change
TensorGroups = dict[str, dict[str, Tensor]]
Warn = Callable[[str], None]


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the next optimizer step depends on, and the place in events.jsonl."""

    step: int
    tensors: TensorGroups
    state: dict[str, Any]
    validation_loss: float | None = None


class Checkpoints:
    """Those of one job, which is what `identity` says."""

    def __init__(self, root: Path, identity: str) -> None:
        self.root, self._identity = root, identity

    def save(self, checkpoint: Checkpoint) -> Path:
        temporary = self.begin(checkpoint.step)
        for name, tensors in checkpoint.tensors.items():
            write_tensors(temporary / f"{name}.safetensors", tensors)
        return self.commit(temporary, checkpoint, hash_files(temporary))

    def load_last_good(self, _own: TensorGroups, warn: Warn) -> Checkpoint | None:
        """The newest one whose files all have their hashes. `_own` is what the job holds now: the places to load into, where that helps."""
        directory = self.find_last_good(warn)
        if directory is None:
            return None
        tensors = {path.stem: load_file(path) for path in sorted(directory.glob("*.safetensors"))}
        return Checkpoint(step_of(directory), tensors, read_state(directory))

    def begin(self, step: int) -> Path:
        """An empty folder to write the tensors into."""
        return fresh_directory(self.root / f".{name_of(step)}.tmp")

    def commit(self, temporary: Path, checkpoint: Checkpoint, tensor_files: dict[str, Any]) -> Path:
        """Adds the state, and the manifest last, gives the folder its name, and removes the checkpoints that are no longer needed."""
        write_synced(temporary / "state.json", json.dumps(checkpoint.state).encode())
        manifest = {
            "format": FORMAT,
            "identity": self._identity,
            "step": checkpoint.step,
            "validationLoss": checkpoint.validation_loss,
            "files": {**tensor_files, "state.json": file_hash(temporary / "state.json")},
        }
        write_synced(temporary / "manifest.json", canonical_json(manifest).encode())
        target = self.root / name_of(checkpoint.step)
        replace_directory(temporary, target)
        self._remove_old()
        return target

    def find_last_good(self, warn: Warn) -> Path | None:
        """Each one passed over is told to `warn` and removed."""
        for directory in self._directories():
            problem = self._problem(directory)
            if problem is None:
                return directory
            warn(f"{directory.name} is not used: {problem}")
            shutil.rmtree(directory)
        return None

    def _directories(self) -> list[Path]:
        return sorted(self.root.glob("step-*"), reverse=True)

    def _remove_old(self) -> None:
        directories = self._directories()
        best = min(directories, key=_validation_loss)
        for old in directories[KEPT:]:
            if old != best or _validation_loss(old) == float("inf"):
                shutil.rmtree(old)

    def _problem(self, directory: Path) -> str | None:
        try:
            manifest = json.loads((directory / "manifest.json").read_bytes())
            if manifest.get("format") != FORMAT:
                return "it was written by another version of the trainer"
            if manifest["identity"] != self._identity:
                return "it belongs to another job.json"
            for name, expected in manifest["files"].items():
                if file_hash(directory / name) != expected:
                    return f"{name} does not have its hash"
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            return f"{type(error).__name__}: {error}"
        return None


def hash_files(directory: Path) -> dict[str, Any]:
    return {path.name: file_hash(path) for path in sorted(directory.iterdir())}


def name_of(step: int) -> str:
    return f"step-{step:06d}"


def step_of(directory: Path) -> int:
    return int(directory.name.removeprefix("step-"))


def read_state(directory: Path) -> dict[str, Any]:
    return json.loads((directory / "state.json").read_bytes())


def _validation_loss(directory: Path) -> float:
    """Infinity where none was measured, or nobody can tell."""
    try:
        loss = json.loads((directory / "manifest.json").read_bytes())["validationLoss"]
    except (OSError, ValueError, KeyError, TypeError):
        return float("inf")
    return float("inf") if loss is None else float(loss)
