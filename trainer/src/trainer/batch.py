"""The batch file: trajectories as flat token arrays with one advantage per action token. Checked whole before anything is trained.

Dimensions: N token of all rows (flat), R row. An action token is one that the policy sampled: loss mask 1.
"""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from model.errors import InvalidJob
from model.files import sha256_file
from trainer.contracts import validate

DTYPES = {
    "token_ids": torch.int32,
    "loss_mask": torch.uint8,
    "sampling_logprobs": torch.float32,
    "advantages": torch.float32,
    "turn_ids": torch.int32,
    "row_offsets": torch.int64,
}


@dataclass(frozen=True)
class Row:
    """One trajectory, cut after its last action token: what comes later changes nothing."""

    token_ids: Tensor  # all tokens
    positions: Tensor  # where the logits of each action token are: the position before it
    sampling_logprobs: Tensor  # per action token
    advantages: Tensor  # per action token
    turn_ids: Tensor  # per action token

    @property
    def num_actions(self) -> int:
        return len(self.positions)

    @property
    def is_silent(self) -> bool:
        """Whether every advantage is 0, so that the policy loss has no gradient."""
        return not bool(self.advantages.any())


@dataclass(frozen=True)
class Batch:
    header: dict[str, Any]
    rows: list[Row]
    max_token_id: int
    max_length: int


def read_batch(path: Path, sha256: str) -> Batch:
    """Raises InvalidJob when the file is missing, not the one that was meant, or breaks a rule of BatchHeader's comment."""
    if not path.is_file():
        raise InvalidJob(f"no such batch file: {path}")
    if sha256_file(path) != sha256:
        raise InvalidJob(f"{path.name} does not have the sha256 of the job")
    header, tensors = read_arrays(path)
    lengths = tensors["row_offsets"].diff()
    return Batch(header, _rows(tensors), int(tensors["token_ids"].max()), int(lengths.max()))


def read_arrays(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header and the flat arrays of a batch file. Raises InvalidJob when they break a rule of BatchHeader's comment."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("header", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise InvalidJob(f"{path.name} is not a batch file: {error}") from None
    validate(header, "BatchHeader", "batch header")
    _check_tensors(tensors)
    _check_counts(header, tensors)
    return header, tensors


def _check_tensors(tensors: dict[str, Tensor]) -> None:
    for name, dtype in DTYPES.items():
        _require(name in tensors, f"tensor {name} is missing")
        _require(tensors[name].dtype == dtype and tensors[name].ndim == 1, f"{name} must be a flat array of {dtype}")
    lengths = {name: len(tensor) for name, tensor in tensors.items() if name in DTYPES and name != "row_offsets"}
    _require(len(set(lengths.values())) == 1, f"arrays differ in length: {lengths}")
    _check_offsets(tensors["row_offsets"], lengths["token_ids"])
    _check_values(tensors)


def _check_offsets(offsets: Tensor, num_tokens: int) -> None:
    _require(len(offsets) >= 2 and num_tokens > 0, "the batch is empty")
    _require(int(offsets[0]) == 0 and int(offsets[-1]) == num_tokens, "row_offsets must run from 0 to the number of tokens")
    _require(bool((offsets.diff() > 0).all()), "row_offsets must rise: a row is empty")


def _check_values(tensors: dict[str, Tensor]) -> None:
    mask = tensors["loss_mask"]
    _require(bool((mask <= 1).all()), "loss_mask must be 0 or 1")
    _require(not bool(mask[tensors["row_offsets"][:-1]].any()), "the first token of a row cannot be an action")
    for name in ("advantages", "sampling_logprobs"):
        _require(bool(tensors[name].isfinite().all()), f"{name} are not all finite")
        _require(not bool(tensors[name][mask == 0].any()), f"{name} must be 0 outside the loss mask")
    _require(int(tensors["token_ids"].min()) >= 0, "a token id is negative")
    _require(bool((tensors["turn_ids"][mask == 1] >= 0).all()), "an action token has no turn id")


def _check_counts(header: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    found = {
        "numTokens": len(tensors["token_ids"]),
        "numActionTokens": int(tensors["loss_mask"].sum()),
        "numRows": len(tensors["row_offsets"]) - 1,
    }
    for name, count in found.items():
        _require(header[name] == count, f"the header says {name} {header[name]}, the arrays {count}")
    _require(len(header["rows"]) == header["numRows"], "the header does not name every row")
    _require(header["numActionTokens"] > 0, "the batch has no action token")


def _rows(tensors: dict[str, Tensor]) -> list[Row]:
    bounds = tensors["row_offsets"].tolist()
    return [_row(tensors, slice(start, end)) for start, end in pairwise(bounds)]


def _row(tensors: dict[str, Tensor], span: slice) -> Row:
    actions = tensors["loss_mask"][span].nonzero().flatten()
    end = int(actions[-1]) + 1 if len(actions) else 0
    return Row(
        token_ids=tensors["token_ids"][span][:end].long(),
        positions=actions - 1,
        sampling_logprobs=tensors["sampling_logprobs"][span][actions],
        advantages=tensors["advantages"][span][actions],
        turn_ids=tensors["turn_ids"][span][actions],
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InvalidJob(f"batch: {message}")
