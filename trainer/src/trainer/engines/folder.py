"""A folder of files that is either whole or absent, with a manifest that names them by hash."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from model.errors import InvalidJob
from model.files import canonical_json, fresh_directory, sync_directory, write_synced
from trainer.engines.rows import ExportBatch

MANIFEST = "export.json"


def check_target(target: Path) -> None:
    """Raises InvalidJob unless `target` is an empty folder or does not exist."""
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InvalidJob(f"{target} is not an empty folder; choose another --out")


def with_manifest(batch: ExportBatch, files: Iterable[tuple[str, bytes]], about: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The files, and last export.json with their hashes and `about`."""
    hashes: dict[str, dict[str, Any]] = {}
    for name, data in files:
        hashes[name] = {"sha256": hashlib.sha256(data).hexdigest(), "numBytes": len(data)}
        yield name, data
    manifest = {"schemaVersion": 1, **about, "batchSha256": batch.sha256, "batchHeader": batch.header, "files": hashes}
    yield MANIFEST, f"{canonical_json(manifest)}\n".encode()


def write_folder(target: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Writes beside `target` and renames: after any failure the target is as it was. Raises InvalidJob when it cannot be made there."""
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        fresh_directory(temporary)
        for name, data in files:
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_synced(path, data)
        for folder in [*(path for path in temporary.rglob("*") if path.is_dir()), temporary]:
            sync_directory(folder)
        temporary.rename(target)
        sync_directory(target.parent)
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise InvalidJob(f"cannot write {target}: {error.strerror}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
