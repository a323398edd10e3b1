"""Files that are either whole or absent: write under a temporary name, fsync, rename."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> str:
    """JSON text with sorted keys and no white space: equal values, equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_hash(path: Path) -> dict[str, Any]:
    """The contract's FileHash of one file."""
    return {"sha256": sha256_file(path), "numBytes": path.stat().st_size}


def sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_atomic(path: Path, data: bytes) -> None:
    """`path` holds either what it held before or all of `data`, whenever the process or the machine stops."""
    temporary = temporary_of(path)
    write_synced(temporary, data)
    replace_file(temporary, path)


def temporary_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def replace_file(temporary: Path, path: Path) -> None:
    """Moves a synced file to its name."""
    temporary.replace(path)
    sync_directory(path.parent)


def replace_directory(temporary: Path, target: Path) -> None:
    """Moves a finished directory to its name. An older one there is removed first; readers go by a manifest, not by its presence."""
    for entry in temporary.iterdir():
        with entry.open("rb") as file:
            os.fsync(file.fileno())
    sync_directory(temporary)
    if target.exists():
        shutil.rmtree(target)
    temporary.rename(target)
    sync_directory(target.parent)


def remove_temporaries(*directories: Path) -> None:
    """What a failed attempt was in the middle of writing."""
    for path in (path for directory in directories for path in directory.glob(".*.tmp")):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def fresh_directory(path: Path) -> Path:
    """An empty directory at `path`; leftovers of an interrupted attempt are removed."""
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    return path
