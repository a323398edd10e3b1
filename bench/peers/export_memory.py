"""Peak memory of writing a model's weights, beyond the weights themselves: our stream, the library's save_file (the peer), and its save
(bytes of the whole file, what 0.1.0 did). Linux only.

    npm run bench -- export
    cd trainer/src && PYTHONPATH=. ../../.turnwise/python/bin/python ../../bench/peers/export_memory.py 512 /tmp

prints one JSON line per writer: megabytes of weights, megabytes above them at the peak, seconds with the file synced, sha256 of the file.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save, save_file
from torch import Tensor
from model.files import write_synced
from trainer.tensor_files import write_tensors

MATRIX = (2048, 4096)  # 32 MiB in float32: about a projection of a 4B model
METADATA = {"format": "pt"}


def peer(path: Path, tensors: Mapping[str, Tensor]) -> None:
    save_file(dict(tensors), path, METADATA)
    with path.open("rb") as file:
        os.fsync(file.fileno())


WRITERS: dict[str, Callable[[Path, Mapping[str, Tensor]], None]] = {
    "stream": lambda path, tensors: write_tensors(path, tensors, METADATA),
    "save_file": peer,
    "save": lambda path, tensors: write_synced(path, save(dict(tensors), METADATA)),
}


def status_megabytes(field: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def measure(writer: str, megabytes: int, path: Path) -> dict[str, object]:
    tensors = {f"layer.{number}.weight": torch.rand(MATRIX) for number in range(megabytes // 32)}
    WRITERS[writer](path, tensors)  # the first file of a size is slow on any side: memory for its pages must be found
    Path("/proc/self/clear_refs").write_text("5")  # the peak from here on
    before, started = status_megabytes("VmRSS"), time.perf_counter()
    WRITERS[writer](path, tensors)
    seconds, above = time.perf_counter() - started, status_megabytes("VmHWM") - before
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"writer": writer, "weightsMb": 32 * len(tensors), "aboveMb": round(above, 1), "seconds": round(seconds, 2), "sha256": digest}


def main() -> None:
    megabytes, folder = int(sys.argv[1]), Path(sys.argv[2])
    for writer in WRITERS:
        torch.manual_seed(0)
        if (child := os.fork()) == 0:
            path = folder / f"export-memory-{os.getpid()}.safetensors"
            try:
                print(json.dumps(measure(writer, megabytes, path)), flush=True)
            finally:
                path.unlink(missing_ok=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
