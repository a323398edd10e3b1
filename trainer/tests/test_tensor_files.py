"""Files that are written tensor by tensor have the bytes of the library's own."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from torch import Tensor

from model.errors import InvalidJob
from trainer.tensor_files import CHUNK_BYTES, DTYPES, chunks_of, order_of, read_header, spec_of, write_stream, write_tensors

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
SHAPES = st.lists(st.integers(0, 3), max_size=3)


@st.composite
def tensors(draw: st.DrawFn) -> dict[str, Tensor]:
    found = {}
    for name in draw(st.lists(NAMES, max_size=8, unique=True)):
        dtype, shape = draw(st.sampled_from(sorted(DTYPES, key=str))), draw(SHAPES)
        number = torch.randint(0, 255, (*shape, dtype.itemsize), dtype=torch.uint8, generator=torch.Generator().manual_seed(len(name)))
        found[name] = (number[..., 0] % 2).bool() if dtype == torch.bool else number.view(dtype).reshape(shape)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


@settings(max_examples=60, deadline=None)
@given(every=tensors(), metadata=st.sampled_from([None, {"format": "pt"}, {"header": '{"a":"é"}'}]))
def test_the_bytes_are_those_of_the_library(
    tmp_path_factory: pytest.TempPathFactory, every: dict[str, Tensor], metadata: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("written") / "x.safetensors"
    write_tensors(path, every, metadata)
    assert path.read_bytes() == save(every, metadata=metadata)
    for name, stored in read_header(path).items():
        assert stored.spec == spec_of(every[name])
        assert b"".join(stored.chunks()) == b"".join(chunks_of(every[name]))


def test_views_strides_gradients_and_large_tensors_are_written_as_what_they_are(tmp_path: Path) -> None:
    base = torch.arange(3 * CHUNK_BYTES // 8, dtype=torch.float32)
    every = {"turned": base[:12].view(3, 4).T, "part": base[5:9], "trained": torch.nn.Parameter(torch.ones(3)), "large": base}
    write_tensors(tmp_path / "x", every)
    found = load((tmp_path / "x").read_bytes())
    assert found.keys() == every.keys()
    assert all(torch.equal(tensor, every[name]) for name, tensor in found.items())


def test_one_tensor_is_asked_for_at_a_time_in_the_order_of_the_file_also_by_those_who_write_nothing(tmp_path: Path) -> None:
    every = {"b": torch.ones(2), "a": torch.ones(2, dtype=torch.int64), "c": torch.ones(1, dtype=torch.int8)}
    specs = {name: spec_of(tensor) for name, tensor in every.items()}
    asked: list[list[str]] = []
    for path in (tmp_path / "x", None):
        calls: list[str] = []
        asked.append(calls)
        write_stream(path, specs, lambda name, calls=calls: calls.append(name) or chunks_of(every[name]))
    assert asked == [["a", "b", "c"]] * 2
    assert order_of(specs) == ["a", "b", "c"]


def test_a_tensor_with_other_bytes_than_announced_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a: 4 bytes instead of 8"):
        write_stream(tmp_path / "x", {"a": spec_of(torch.ones(2))}, lambda _: chunks_of(torch.ones(1)))


@pytest.mark.parametrize("damage", [b"", b"\xff" * 8, b"\x02\x00\x00\x00\x00\x00\x00\x00[]", b'\x0a\x00\x00\x00\x00\x00\x00\x00{"a":{}}  '])
def test_a_torn_header_is_an_invalid_job(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "x").write_bytes(damage)
    with pytest.raises(InvalidJob, match="cannot be read"):
        read_header(tmp_path / "x")
