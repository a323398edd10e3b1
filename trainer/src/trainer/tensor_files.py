"""safetensors files, written tensor by tensor: one tensor is in memory, not the file. The bytes are those of the library's own `save`.

A file is u64 little-endian length of the header, the header (JSON, padded with spaces to 8 bytes), then the tensors' bytes: wide data
types first, names in order among equals.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from model.errors import InvalidJob

CHUNK_BYTES = 2**24
Chunks = Iterable[memoryview | bytes]

# The library puts wide data types first: these, from the narrow end.
BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("C64", "F64", "I64", "U64"), 8),
}
RANKS = {dtype: rank for rank, dtype in enumerate(BYTES)}
DTYPES = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.float8_e5m2: "F8_E5M2",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e8m0fnu: "F8_E8M0",
    torch.int16: "I16",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int32: "I32",
    torch.float32: "F32",
    torch.float64: "F64",
    torch.int64: "I64",
}


@dataclass(frozen=True)
class Spec:
    """What the header says of a tensor, but for its place."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        return prod(self.shape) * BYTES[self.dtype]


@dataclass(frozen=True)
class Stored:
    """A tensor in a file: bytes [start, end) of it."""

    spec: Spec
    path: Path
    start: int
    end: int

    def chunks(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(self.start)
            left = self.end - self.start
            while left > 0:
                data = file.read(min(left, CHUNK_BYTES))
                if not data:
                    raise InvalidJob(f"{self.path} ends before its tensors do")
                left -= len(data)
                yield data


def spec_of(tensor: Tensor) -> Spec:
    return Spec(DTYPES[tensor.dtype], tuple(tensor.shape))


def chunks_of(tensor: Tensor) -> Iterator[memoryview]:
    """The bytes of a tensor on any device; it comes to the host when they are asked for."""
    flat = tensor.detach().to("cpu").contiguous().reshape(-1)
    data = memoryview(cast(Any, flat.view(torch.uint8).numpy())) if flat.numel() else memoryview(b"")
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


def order_of(specs: Mapping[str, Spec]) -> list[str]:
    """The names as they follow one another in a file."""
    return sorted(specs, key=lambda name: (-RANKS[specs[name].dtype], name))


def header_of(specs: Mapping[str, Spec], metadata: Mapping[str, str] | None = None) -> bytes:
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    offset = 0
    for name in order_of(specs):
        spec = specs[name]
        header[name] = {"dtype": spec.dtype, "shape": list(spec.shape), "data_offsets": [offset, offset + spec.num_bytes]}
        offset += spec.num_bytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    padded = text + b" " * (-len(text) % 8)
    return len(padded).to_bytes(8, "little") + padded


def write_stream(
    path: Path | None, specs: Mapping[str, Spec], read: Callable[[str], Chunks], metadata: Mapping[str, str] | None = None
) -> None:
    """`read` gives the bytes of a tensor; it is called once per name, in the order of the file. Synced when this returns.

    Without a path it is called all the same and nothing is written: what ranks do that only help to make tensors whole.
    """
    if path is None:
        for name in order_of(specs):
            read(name)
        return
    with path.open("wb") as file:
        file.write(header_of(specs, metadata))
        for name in order_of(specs):
            start = file.tell()
            for chunk in read(name):
                file.write(chunk)
            if file.tell() - start != specs[name].num_bytes:
                raise ValueError(f"{name}: {file.tell() - start} bytes instead of {specs[name].num_bytes}")
        file.flush()
        os.fsync(file.fileno())


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    write_stream(path, {name: spec_of(tensor) for name, tensor in tensors.items()}, lambda name: chunks_of(tensors[name]), metadata)


def read_header(path: Path) -> dict[str, Stored]:
    """Where the tensors of a file are. Raises InvalidJob when it is missing or torn."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, path.stat().st_size)))
        header.pop("__metadata__", None)
        begin = 8 + length
        return {name: _stored(path, begin, entry) for name, entry in header.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidJob(f"{path} cannot be read: {error}") from None


def _stored(path: Path, begin: int, entry: dict[str, Any]) -> Stored:
    start, end = entry["data_offsets"]
    found = Stored(Spec(entry["dtype"], tuple(entry["shape"])), path, begin + start, begin + end)
    if entry["dtype"] not in BYTES or found.spec.num_bytes != end - start:
        raise ValueError(f"{entry['dtype']} of shape {entry['shape']} in {end - start} bytes")
    return found
