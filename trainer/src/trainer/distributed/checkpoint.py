"""Checkpoints whose tensors are written by all ranks at once, each its shards (torch.distributed.checkpoint), for any number of ranks.

The protocol is that of trainer/checkpoint.py: the first rank makes the temporary folder, writes the manifest with the hash of every
rank's file, and renames. So a checkpoint is whole or not there, whichever rank dies, and one that was made by 2 ranks is loaded by 3.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from model.files import file_hash
from trainer.checkpoint import Checkpoint, Checkpoints, TensorGroups, Warn, read_state, step_of
from trainer.distributed.group import Group


class ShardedCheckpoints(Checkpoints):
    def __init__(self, root: Path, identity: str, group: Group) -> None:
        super().__init__(root, identity)
        self._group = group

    def save(self, checkpoint: Checkpoint) -> Path:
        temporary = self._group.share(self.begin(checkpoint.step) if self._group.is_first else None)
        run_collective(lambda: save(flat(checkpoint.tensors), storage_writer=FileSystemWriter(temporary, sync_files=True)))
        files = {name: found for part in self._group.gather(self._hash_own(temporary)) for name, found in part.items()}
        return self._group.share(self.commit(temporary, checkpoint, files) if self._group.is_first else None)

    def load_last_good(self, own: TensorGroups, warn: Warn) -> Checkpoint | None:
        """Loads into `own`: each rank reads what its shards need, whoever wrote it."""
        directory = self._group.share(self.find_last_good(warn) if self._group.is_first else None)
        if directory is None:
            return None
        run_collective(lambda: load(flat(own), storage_reader=FileSystemReader(directory)))
        return Checkpoint(step_of(directory), own, read_state(directory))

    def _hash_own(self, temporary: Path) -> dict[str, Any]:
        """Every rank reads what it wrote; the first also what belongs to all."""
        names = [*temporary.glob(f"__{self._group.rank}_*"), *(temporary.glob(".metadata") if self._group.is_first else [])]
        return {path.name: file_hash(path) for path in sorted(names)}


def flat(tensors: TensorGroups) -> dict[str, Any]:
    return {f"{group}/{name}": tensor for group, members in tensors.items() for name, tensor in members.items()}


def run_collective(call: Callable[[], object]) -> None:
    """One rank's full disk is that rank's OSError, not an exception of all ranks around it."""
    try:
        call()
    except CheckpointException as error:
        first, _ = min(error.failures.items())[1]
        raise first from None
