"""Conversations as JSONL of segments: the data of `tokenizer` and `sft`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.errors import InvalidJob


@dataclass(frozen=True)
class Segment:
    text: str
    trained: bool


def read_corpus(path: Path) -> Iterator[list[Segment]]:
    """One list of segments per line. Raises InvalidJob with file and line for anything that is not the contract's SftRow."""
    try:
        file = path.open(encoding="utf-8")
    except OSError as error:
        raise InvalidJob(f"data cannot be read: {error}") from None
    with file:
        for number, line in enumerate(file, start=1):
            try:
                yield _parse_row(line)
            except (ValueError, TypeError, KeyError) as error:
                raise InvalidJob(f'{path.name} line {number}: expected {{"segments": [{{"text", "trained"}}, …]}} ({error})') from None


def _parse_row(line: str) -> list[Segment]:
    segments = [Segment(segment["text"], segment["trained"]) for segment in json.loads(line)["segments"]]
    if not segments:
        raise ValueError("no segments")
    if not all(isinstance(segment.text, str) and isinstance(segment.trained, bool) for segment in segments):
        raise TypeError("text is a string and trained a boolean")
    return segments
