"""Batches for other engines: what comes out is what went in, in the same order, for any batch and any number of ranks and steps."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from helpers import Zygote, random_tensors, tiny_model, write_batch
from model.files import sha256_file
from trainer.__main__ import main
from trainer.engines import verl
from trainer.engines.prime_rl import COMMIT, MicroBatch

SENT = ("token_ids", "loss_mask", "sampling_logprobs", "advantages")
Tensors = dict[str, Tensor]


@st.composite
def batches(draw: st.DrawFn) -> Tensors:
    """Rows of 1 to 12 tokens, some without actions, any mask beyond the first token, not all rows silent."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=9))
    lengths[0] = max(2, lengths[0])
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    size = int(offsets[-1])
    generator = torch.Generator().manual_seed(draw(st.integers(0, 999)))
    mask = torch.rand(size, generator=generator) < draw(st.floats(0, 1))
    mask[offsets[:-1]] = False
    mask[1] = True
    return {
        "token_ids": torch.randint(0, 1 << 17, (size,), generator=generator).int(),
        "loss_mask": mask.to(torch.uint8),
        "sampling_logprobs": -torch.rand(size, generator=generator) * mask,
        "advantages": torch.randn(size, generator=generator) * mask,
        "turn_ids": torch.where(mask, 3, -1).int(),
        "row_offsets": offsets,
    }


def rows_of(tensors: Tensors) -> list[dict[str, list[Any]]]:
    bounds = tensors["row_offsets"].tolist()
    return [{name: tensors[name][start:end].tolist() for name in SENT} for start, end in pairwise(bounds)]


def export(directory: Path, tensors: Tensors, engine: str, *options: str | float) -> Path:
    out = directory / "out"
    batch = write_batch(directory / "batch.safetensors", tensors)
    assert main(["export", str(batch), "--engine", engine, "--out", str(out), *map(str, options)]) == 0
    return out


def in_fresh_directory(test: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        test(Path(directory))


def micro_batches(out: Path, step: int, rank: int) -> list[MicroBatch]:
    return msgspec.msgpack.decode((out / f"rollouts/step_{step}/rank_{rank}.bin").read_bytes(), type=list[MicroBatch])


def manifest(out: Path) -> dict[str, Any]:
    return json.loads((out / "export.json").read_text())


def prime_rl_rows(out: Path) -> list[dict[str, list[Any]]]:
    """Rows in the order of export.json, cut out of the micro-batches."""
    found = []
    for place in manifest(out)["places"]:
        packed = micro_batches(out, place["step"], place["rank"])[place["microBatch"]]
        span = slice(place["start"], place["start"] + place["length"])
        found.append(
            {
                "token_ids": packed.input_ids[span],
                "loss_mask": [int(bit) for bit in packed.loss_mask[span]],
                "sampling_logprobs": packed.inference_logprobs[span],
                "advantages": packed.advantages[span],
            }
        )
    return found


def verl_rows(out: Path) -> list[dict[str, list[Any]]]:
    tensors = verl.load(out / verl.FILE)["tensors"]
    found = []
    for row in range(len(tensors["input_ids"])):
        present = tensors["attention_mask"][row].bool()
        outside = torch.zeros(int(present.sum()) - int(present[tensors["prompts"].shape[1] :].sum()))
        inside = present[tensors["prompts"].shape[1] :]

        def whole(name: str, row: int = row, outside: Tensor = outside, inside: Tensor = inside) -> list[Any]:
            values = tensors[name][row][inside]
            return torch.cat([outside.to(values.dtype), values]).tolist()

        found.append(
            {
                "token_ids": tensors["input_ids"][row][present].tolist(),
                "loss_mask": whole("response_mask"),
                "sampling_logprobs": whole("old_log_probs"),
                "advantages": whole("advantages"),
            }
        )
    return found


@settings(max_examples=40, deadline=None)
@given(batches(), st.integers(1, 4), st.integers(1, 3), st.integers(1, 4), st.integers(0, 9), st.integers(0, 3))
def test_prime_rl_gets_every_token_mask_logprob_and_advantage_once(
    tensors: Tensors, ranks: int, minibatches: int, multiple: int, seed: int, room: int
) -> None:
    def check(directory: Path) -> None:
        longest = int(tensors["row_offsets"].diff().max())
        options = ["--ranks", ranks, "--minibatches", minibatches, "--pad-to-multiple", multiple, "--seed", seed]
        out = export(directory, tensors, "prime-rl", *options, "--max-length", longest * 2**room)
        assert prime_rl_rows(out) == rows_of(tensors)
        everything = [packed for file in sorted(out.rglob("*.bin")) for packed in decode(file)]
        trained = sum(sum(packed.loss_mask) for packed in everything)
        assert trained == int(tensors["loss_mask"].sum())
        places = {tuple(place[key] for key in ("step", "rank", "microBatch", "start")) for place in manifest(out)["places"]}
        assert len(places) == len(tensors["row_offsets"]) - 1

    in_fresh_directory(check)


def test_on_the_wire_a_micro_batch_is_an_array_of_the_fields_of_the_pinned_commit(tmp_path: Path) -> None:
    """Field by field as in src/prime_rl/transports/rollouts/types.py at COMMIT; test_engine_peers.py compares with the file itself."""
    tensors = {
        "token_ids": torch.tensor([5, 6, 7], dtype=torch.int32),
        "loss_mask": torch.tensor([0, 1, 0], dtype=torch.uint8),
        "sampling_logprobs": torch.tensor([0, -0.5, 0]),
        "advantages": torch.tensor([0, 2.0, 0]),
        "turn_ids": torch.tensor([-1, 0, -1], dtype=torch.int32),
        "row_offsets": torch.tensor([0, 3]),
    }
    out = export(tmp_path, tensors, "prime-rl", "--pad-to-multiple", 2, "--environment", "shop", "--temperature", 0.5)
    assert msgspec.msgpack.decode((out / "rollouts/step_1/rank_0.bin").read_bytes()) == [
        [
            [5, 6, 7, 1],  # input_ids
            [False, True, False, False],  # loss_mask
            [0.0, 2.0, 0.0, 0.0],  # advantages
            [0.0, -0.5, 0.0, 0.0],  # inference_logprobs
            [0, 1, 2, 0],  # position_ids
            [4],  # sequence_lengths
            [0.5, 0.5, 0.5, 1.0],  # temperatures
            ["shop", "shop", "shop", ""],  # env_names
            [4],  # seq_lens
            *[None] * 7,  # ref_logprobs, routed_experts, mm_kwargs, mm_token_type_ids, rl_weights, ce_weights, ref_kl_weights
        ]
    ]


@settings(max_examples=40, deadline=None)
@given(batches(), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3))
def test_prime_rl_gets_micro_batches_of_the_form_its_own_packer_makes(tensors: Tensors, ranks: int, multiple: int, room: int) -> None:
    def check(directory: Path) -> None:
        max_length = int(tensors["row_offsets"].diff().max()) * 2**room
        out = export(directory, tensors, "prime-rl", "--ranks", ranks, "--pad-to-multiple", multiple, "--max-length", max_length)
        by_rank = [micro_batches(out, 1, rank) for rank in range(ranks)]
        assert {len(packed) for packed in by_rank} == {len(by_rank[0])}
        for packed in (packed for rank in by_rank for packed in rank):
            size = len(packed.input_ids)
            assert {len(getattr(packed, name)) for name in PER_TOKEN} == {size}
            assert packed.sequence_lengths == packed.seq_lens
            assert sum(packed.sequence_lengths) == size
            assert size >= 2
            assert size % multiple == 0
            assert size < max(2, max_length) + multiple
            lengths = packed.sequence_lengths
            num_padding = packed.env_names.count("")
            assert packed.position_ids == [
                position for length in [*lengths[:-1], lengths[-1] - num_padding, num_padding] for position in range(length)
            ]

    in_fresh_directory(check)


@settings(max_examples=40, deadline=None)
@given(batches(), st.integers(1, 4), st.integers(0, 3))
def test_a_micro_batch_without_rows_is_the_last_resort(tensors: Tensors, ranks: int, room: int) -> None:
    def check(directory: Path) -> None:
        max_length = int(tensors["row_offsets"].diff().max()) * 2**room
        out = export(directory, tensors, "prime-rl", "--ranks", ranks, "--max-length", max_length)
        held = Counter((place["rank"], place["microBatch"]) for place in manifest(out)["places"])
        num_micro_batches = sum(len(micro_batches(out, 1, rank)) for rank in range(ranks))
        assert num_micro_batches - len(held) < ranks
        assert num_micro_batches == len(held) or set(held.values()) == {1}

    in_fresh_directory(check)


PER_TOKEN = ("input_ids", "loss_mask", "advantages", "inference_logprobs", "position_ids", "temperatures", "env_names")


def decode(file: Path) -> list[MicroBatch]:
    return msgspec.msgpack.decode(file.read_bytes(), type=list[MicroBatch])


@settings(max_examples=40, deadline=None)
@given(batches(), st.integers(0, 5))
def test_verl_gets_every_token_mask_logprob_and_advantage_in_order(tensors: Tensors, pad_token_id: int) -> None:
    def check(directory: Path) -> None:
        out = export(directory, tensors, "verl", "--pad-token-id", pad_token_id)
        assert verl_rows(out) == rows_of(tensors)

    in_fresh_directory(check)


@settings(max_examples=40, deadline=None)
@given(batches())
def test_verl_gets_prompts_padded_left_responses_padded_right_and_nothing_in_the_padding(tensors: Tensors) -> None:
    def check(directory: Path) -> None:
        found = verl.load(export(directory, tensors, "verl", "--pad-token-id", 131072) / verl.FILE)["tensors"]
        width = found["prompts"].shape[1]
        prompt_mask, answer_mask = found["attention_mask"].split([width, found["responses"].shape[1]], dim=1)
        assert bool((prompt_mask.diff(dim=1) >= 0).all())
        assert bool((answer_mask.diff(dim=1) <= 0).all())
        assert bool((found["input_ids"][found["attention_mask"] == 0] == 131072).all())
        assert torch.equal(found["input_ids"], torch.cat([found["prompts"], found["responses"]], dim=1))
        assert bool((found["response_mask"] <= answer_mask).all())
        outside = found["response_mask"] == 0
        assert not any(found[name][outside].any() for name in ("old_log_probs", "rollout_log_probs", "advantages", "returns"))
        for row, mask in zip(found["position_ids"], found["attention_mask"], strict=True):
            assert row[mask == 1].tolist() == list(range(int(mask.sum())))

    in_fresh_directory(check)


@pytest.mark.parametrize("engine", ["prime-rl", "verl"])
def test_the_same_batch_gives_the_same_bytes(tmp_path: Path, batch_path: Path, engine: str) -> None:
    hashes = []
    for name in ("first", "second"):
        assert main(["export", str(batch_path), "--engine", engine, "--out", str(tmp_path / name)]) == 0
        hashes.append({str(path.relative_to(tmp_path / name)): sha256_file(path) for path in files_of(tmp_path / name)})
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 2


@pytest.mark.parametrize("engine", ["prime-rl", "verl"])
def test_the_manifest_names_batch_engine_and_every_file_by_hash(tmp_path: Path, batch_path: Path, engine: str) -> None:
    out = tmp_path / "out"
    main(["export", str(batch_path), "--engine", engine, "--out", str(out), "--temperature", "0.5"])
    found = manifest(out)
    assert found["batchSha256"] == sha256_file(batch_path)
    assert found["engineVersion"] == {"prime-rl": COMMIT, "verl": verl.VERSION}[engine]
    assert found["options"]["temperature"] == 0.5
    named = {name: entry["sha256"] for name, entry in found["files"].items()}
    assert named == {str(path.relative_to(out)): sha256_file(path) for path in files_of(out) if path.name != "export.json"}
    assert [row["taskId"] for row in found["batchHeader"]["rows"][:3]] == ["task-0", "task-0", "task-1"]


def test_minibatches_are_those_of_our_own_trainer(tmp_path: Path, batch_path: Path) -> None:
    from trainer.plan import minibatch

    out = tmp_path / "out"
    main(["export", str(batch_path), "--engine", "prime-rl", "--out", str(out), "--minibatches", "3", "--seed", "7", "--first-step", "5"])
    steps = [place["step"] for place in manifest(out)["places"]]
    for step in (1, 2, 3):
        assert [row for row, found in enumerate(steps) if found == step + 4] == minibatch(8, 3, 7, step)


def test_the_temperature_reaches_every_token(tmp_path: Path, batch_path: Path) -> None:
    main(["export", str(batch_path), "--engine", "prime-rl", "--out", str(tmp_path / "p"), "--temperature", "0.7"])
    main(["export", str(batch_path), "--engine", "verl", "--out", str(tmp_path / "v"), "--temperature", "0.7"])
    assert {value for packed in micro_batches(tmp_path / "p", 1, 0) for value in packed.temperatures} == {0.7}
    assert verl.load(tmp_path / "v" / verl.FILE)["meta_info"]["temperature"] == 0.7


def test_a_row_keeps_its_name_in_verl(tmp_path: Path, batch_path: Path) -> None:
    main(["export", str(batch_path), "--engine", "verl", "--out", str(tmp_path / "out")])
    found = verl.load(tmp_path / "out" / verl.FILE)["non_tensors"]
    assert found["uid"].tolist() == [f"task-{row // 2}" for row in range(8)]
    assert found["trial"].tolist() == [row % 2 for row in range(8)]
    assert found["branch"].tolist() == [0] * 8


def files_of(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


@pytest.mark.parametrize("engine", ["prime-rl", "verl"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sha256", "0" * 64], "has the sha256"),
        (["--max-length", "40"], "branch 0 of trial 1 of task task-1 has 41 tokens, more than --max-length 40"),
    ],
)
def test_a_batch_that_is_not_meant_or_does_not_fit_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], batch_path: Path, engine: str, options: list[str], message: str
) -> None:
    assert_refused(tmp_path, capsys, [str(batch_path), "--engine", engine, *options], message)


def test_a_file_named_by_another_hash_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], batch_path: Path) -> None:
    named = batch_path.rename(tmp_path / ("a" * 64))
    assert_refused(tmp_path, capsys, [str(named), "--engine", "verl"], f"not {'a' * 64}")


def test_a_batch_without_rows_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = {name: tensor[:0] for name, tensor in random_tensors(tiny_model(), [20]).items()}
    path = write_batch(tmp_path / "batch.safetensors", {**tensors, "row_offsets": torch.tensor([0])})
    assert_refused(tmp_path, capsys, [str(path), "--engine", "prime-rl"], "the batch is empty")


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere.safetensors", "no such batch file"), ("text.safetensors", "is not a batch file"), (".", "no such batch file")],
)
def test_what_is_no_batch_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, message: str) -> None:
    (tmp_path / "text.safetensors").write_text("hello")
    assert_refused(tmp_path, capsys, [str(tmp_path / name), "--engine", "verl"], message)


@pytest.mark.parametrize(
    ("engine", "options", "message"),
    [
        ("verl", ["--ranks", "2"], "--ranks means nothing for verl"),
        ("prime-rl", ["--pad-token-id", "2"], "--pad-token-id means nothing for prime-rl"),
        ("prime-rl", ["--environment", "all"], "prime-rl keeps the environment name 'all'"),
    ],
)
def test_an_option_that_cannot_hold_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], batch_path: Path, engine: str, options: list[str], message: str
) -> None:
    assert_refused(tmp_path, capsys, [str(batch_path), "--engine", engine, *options], message)


def assert_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """Exit code 2, one line on stderr, nothing written."""
    before = files_of(tmp_path)
    assert main(["export", *arguments, "--out", str(tmp_path / "out")]) == 2
    stderr = capsys.readouterr().err
    assert stderr.startswith("error: trainer.invalid-job: ")
    assert stderr.count("\n") == 1
    assert message in stderr
    assert files_of(tmp_path) == before
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_anything_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str], batch_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert main(["export", str(batch_path), "--engine", "verl", "--out", str(out)]) == 2
    assert "is not an empty folder" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    assert main(["export", str(batch_path), "--engine", "verl", "--out", str(out / "mine.txt")]) == 2
    assert main(["export", str(batch_path), "--engine", "verl", "--out", str(out / "mine.txt" / "below")]) == 2
    assert (out / "mine.txt").read_text() == "mine"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, zygote: Zygote, batch_path: Path) -> None:
    before = files_of(tmp_path)
    finished = zygote.run("export", batch_path, "--engine", "prime-rl", "--out", tmp_path / "out", max_file_bytes=1000)
    assert finished.exit_code == 2
    assert finished.stderr.startswith("error: trainer.disk-full: ")
    assert files_of(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["batch.safetensors"]


def test_an_export_that_was_killed_is_made_anew(tmp_path: Path, batch_path: Path) -> None:
    leftover = tmp_path / ".out.tmp" / "rollouts"
    leftover.mkdir(parents=True)
    (leftover / "half").write_text("half")
    assert main(["export", str(batch_path), "--engine", "verl", "--out", str(tmp_path / "out")]) == 0
    assert [path.name for path in files_of(tmp_path / "out")] == ["dataproto.safetensors", "export.json"]
    assert not (tmp_path / ".out.tmp").exists()
