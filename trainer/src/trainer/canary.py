"""What the trainer says of stored turns under the weights that it leaves: whoever serves them must say the same (contract PolicyCanary)."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.files import file_hash, write_atomic
from trainer.batch import Row

FILE = "canary.json"
NUM_TURNS = 64
STRIDE = 2654435761  # Knuth's multiplier: an order of the rows in which neighbours, which share their task, are far apart

IndexedRows = list[tuple[int, Row]]


def make_canary(
    rows: list[Row], score: Callable[[IndexedRows], Mapping[int, Tensor]], temperature: float, precision: torch.dtype
) -> dict[str, Any]:
    """Log-probabilities of up to NUM_TURNS turns. `score` gives those of every action token of a row, by the row's index."""
    chosen = choose_rows(rows)
    logprobs = score(chosen)
    turns = [turn for index, row in chosen for turn in _turns(row, logprobs[index])][:NUM_TURNS]
    return {"schemaVersion": 1, "temperature": temperature, "precision": str(precision).removeprefix("torch."), "turns": turns}


def write_canary(job_directory: Path, canary: dict[str, Any]) -> dict[str, Any]:
    """Its hash and size."""
    write_atomic(job_directory / FILE, (json.dumps(canary, sort_keys=True) + "\n").encode())
    return file_hash(job_directory / FILE)


def choose_rows(rows: list[Row]) -> IndexedRows:
    """Rows from all over the batch that hold NUM_TURNS turns together, or all that have any. Ascending, a function of the batch alone."""
    chosen: IndexedRows = []
    num_turns = 0
    for index in sorted(range(len(rows)), key=lambda index: (index * STRIDE) % 2**32):
        if rows[index].num_actions and num_turns < NUM_TURNS:
            chosen.append((index, rows[index]))
            num_turns += len(rows[index].turn_ids.unique())
    return sorted(chosen, key=lambda entry: entry[0])


def _turns(row: Row, logprobs_N: Tensor) -> list[dict[str, Any]]:
    """Every turn of a row with all that comes before it. The tokens of a turn follow one another."""
    found = []
    for turn in row.turn_ids.unique():
        own = row.turn_ids == turn
        positions = row.positions[own] + 1
        start, end = int(positions[0]), int(positions[-1]) + 1
        found.append({"tokenIds": row.token_ids[:end].tolist(), "start": start, "logprobs": logprobs_N[own.to(logprobs_N.device)].tolist()})
    return found
