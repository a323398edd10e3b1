"""Text to token ids and back, with the tokenizer of a policy's directory."""

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from tokenizers import Tokenizer

from model.errors import InvalidJob


class TextCodec:
    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._texts: dict[int, str] = {}

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=add_special_tokens).ids

    def decode(self, token_ids: list[int], skip_special_tokens: bool = True) -> str:
        return self._tokenizer.decode(token_ids, skip_special_tokens=skip_special_tokens)

    def token_text(self, token_id: int) -> str:
        """Text of one token; a token that is part of a character gives a replacement character."""
        text = self._texts.get(token_id)
        if text is None:
            text = self._texts[token_id] = self._tokenizer.decode([token_id], skip_special_tokens=False)
        return text

    def token_id(self, token: str) -> int | None:
        return self._tokenizer.token_to_id(token)


def read_codec(directory: Path) -> TextCodec | None:
    """The tokenizer of a model directory, or None when it has none. Raises InvalidJob when it cannot be read."""
    path = directory / "tokenizer.json"
    if not path.exists():
        return None
    try:
        return TextCodec(Tokenizer.from_file(str(path)))
    except Exception as error:  # the library raises bare Exception
        raise InvalidJob(f"{path} cannot be read: {error}") from None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a model directory; empty when the file is missing. Raises InvalidJob when it cannot be read."""
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidJob(f"{path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise InvalidJob(f"{path} is not a JSON object")
    return value


def read_end_token_ids(directory: Path, codec: TextCodec | None) -> frozenset[int]:
    """Tokens that end a text: of generation_config.json, else config.json, and the tokenizer's own, as vLLM has it."""
    ends: set[int] = set()
    for name in ("generation_config.json", "config.json"):
        value = read_json(directory / name).get("eos_token_id")
        if value is not None:
            ends.update([value] if isinstance(value, int) else value)
            break
    token = read_json(directory / "tokenizer_config.json").get("eos_token")
    if isinstance(token, dict):
        token = token.get("content")
    if codec is not None and isinstance(token, str):
        token_id = codec.token_id(token)
        if token_id is not None:
            ends.add(token_id)
    return frozenset(ends)
