"""A policy as a Hugging Face model directory: config.json, model.safetensors and the tokenizer's files, with deterministic bytes."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from torch import Tensor

from model.errors import InvalidJob
from model.files import canonical_json, sha256_file, write_synced
from trainer.tensor_files import write_tensors

WEIGHTS_METADATA = {"format": "pt"}

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "generation_config.json",
)


def policy_hash(directory: Path) -> str:
    """The PolicyManifest's hash: sha256 of the canonical JSON of file name -> sha256. Hidden files are not part of a policy."""
    if not directory.is_dir():
        raise InvalidJob(f"no such model directory: {directory}")
    files = {path.name: sha256_file(path) for path in directory.iterdir() if path.is_file() and not path.name.startswith(".")}
    return hashlib.sha256(canonical_json(files).encode()).hexdigest()


def write_config(path: Path, config: dict[str, Any]) -> None:
    write_synced(path, (json.dumps(config, indent=2, sort_keys=True) + "\n").encode())


def write_model(directory: Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    write_config(directory / "config.json", config)
    write_tensors(directory / "model.safetensors", tensors, WEIGHTS_METADATA)


def copy_tokenizer(source: Path, target: Path) -> None:
    """Raises InvalidJob when the source has no tokenizer.json."""
    if not (source / "tokenizer.json").is_file():
        raise InvalidJob(f"no tokenizer.json in {source}")
    for name in TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
