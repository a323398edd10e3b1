"""A batch file as the engines need it: whole rows, also what follows the last action token, in the file's order."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from torch import Tensor

from model.errors import InvalidJob
from model.files import sha256_file
from trainer.batch import read_arrays


@dataclass(frozen=True)
class ExportRow:
    """One row. Arrays over its S tokens; log-probabilities (nats) and advantages are 0 outside the loss mask."""

    task_id: str
    trial: int
    branch: int
    token_ids_S: Tensor  # i64
    loss_mask_S: Tensor  # bool
    logprobs_S: Tensor  # f32, of the sampler
    advantages_S: Tensor  # f32

    def __len__(self) -> int:
        return len(self.token_ids_S)


@dataclass(frozen=True)
class ExportBatch:
    sha256: str
    header: dict[str, Any]
    rows: list[ExportRow]


def read_export_batch(path: Path, sha256: str | None, max_length: int | None) -> ExportBatch:
    """Raises InvalidJob when the file is missing, is not the one that was meant, is no batch, or has a row beyond `max_length` tokens.

    sha256  what the file must have; None takes the file's word, where its name is a hash, or nobody's.
    """
    if not path.is_file():
        raise InvalidJob(f"no such batch file: {path}")
    found = sha256_file(path)
    expected = sha256 or (path.stem if _is_hash(path.stem) else found)
    if found != expected:
        raise InvalidJob(f"{path.name} has the sha256 {found}, not {expected}")
    header, tensors = read_arrays(path)
    bounds = pairwise(tensors["row_offsets"].tolist())
    rows = [_row(key, tensors, slice(*span)) for key, span in zip(header["rows"], bounds, strict=True)]
    _check_lengths(rows, max_length)
    return ExportBatch(found, header, rows)


def _row(key: dict[str, Any], tensors: dict[str, Tensor], span: slice) -> ExportRow:
    return ExportRow(
        task_id=key["taskId"],
        trial=key["trial"],
        branch=key["branch"],
        token_ids_S=tensors["token_ids"][span].long(),
        loss_mask_S=tensors["loss_mask"][span].bool(),
        logprobs_S=tensors["sampling_logprobs"][span],
        advantages_S=tensors["advantages"][span],
    )


def _check_lengths(rows: list[ExportRow], max_length: int | None) -> None:
    longest = max(rows, key=len)
    if max_length is not None and len(longest) > max_length:
        name = f"branch {longest.branch} of trial {longest.trial} of task {longest.task_id}"
        raise InvalidJob(f"batch: {name} has {len(longest)} tokens, more than --max-length {max_length}; rows are never cut")


def _is_hash(name: str) -> bool:
    return len(name) == 64 and all(letter in "0123456789abcdef" for letter in name)
