"""Our exports under the engines' own code: their structures, their way to the loss, the loss and gradient of our trainer.

TURNWISE_PRIME_RL        a checkout of prime-rl at the commit of trainer/engines/prime_rl.py
TURNWISE_ENGINES_PYTHON  an interpreter that has verl, and what prime-rl's loss imports (docs/engines.md)
Without them these tests are skipped.
"""

import importlib.util
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from helpers import Zygote, random_tensors, tiny_model, trainer_environment, write_batch, write_job, write_tiny_model
from trainer.__main__ import main

CHECKOUT = os.environ.get("TURNWISE_PRIME_RL")
PYTHON = os.environ.get("TURNWISE_ENGINES_PYTHON")
TEMPERATURE = 0.7
LENGTHS = [20, 33, 9, 41, 26, 14, 30, 12]
needs_checkout = pytest.mark.skipif(CHECKOUT is None, reason="TURNWISE_PRIME_RL names no checkout of prime-rl")
needs_python = pytest.mark.skipif(PYTHON is None, reason="TURNWISE_ENGINES_PYTHON names no interpreter with verl")
WITHOUT_CLIP = {"clipLow": 1 - 1e-6, "clipHigh": 1e6, "dualClip": 1e9}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A model, and a batch that a somewhat different model sampled: ratios are not 1, and some tokens are clipped."""
    write_tiny_model(tmp_path / "model")
    write_batch(tmp_path / "batch.safetensors", random_tensors(tiny_model(spread=1.5), LENGTHS, temperature=TEMPERATURE))
    return tmp_path


def export(directory: Path, engine: str, *options: str) -> Path:
    arguments = ["--engine", engine, "--out", str(directory / "out"), "--temperature", str(TEMPERATURE), *options]
    assert main(["export", str(directory / "batch.safetensors"), *arguments]) == 0
    return directory / "out"


def ours(zygote: Zygote, directory: Path, **hyperparameters: Any) -> dict[str, float]:
    """Metrics of the first step of our own trainer on the whole batch."""
    once = {"numMinibatches": 1, "epochs": 1, "gradientClip": 1e9, "maxGradientNorm": 1e9, **hyperparameters}
    job = write_job(directory / "job", directory / "model", directory / "batch.safetensors", once, temperature=TEMPERATURE)
    assert zygote.run("train", job).exit_code == 0
    return json.loads((job / "result.json").read_text())["steps"][0]


def theirs(*arguments: str | Path) -> dict[str, float]:
    assert PYTHON is not None
    command = [PYTHON, str(Path(__file__).with_name("engine_peers.py")), *map(str, arguments)]
    finished = subprocess.run(command, env=trainer_environment(), capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stderr[-3000:]
    return json.loads(finished.stdout.splitlines()[-1])


def assert_same_step(found: dict[str, float], expected: dict[str, float]) -> None:
    assert found["loss"] == pytest.approx(expected["policyLoss"], abs=1e-5)
    assert found["gradientNorm"] == pytest.approx(expected["gradientNorm"], rel=1e-5)
    assert found["numRows"] == len(LENGTHS)


@needs_python
@pytest.mark.parametrize("aggregation", ["token-mean", "seq-mean-token-sum", "seq-mean-token-mean"])
def test_verl_takes_the_loss_and_gradient_that_we_take(zygote: Zygote, directory: Path, aggregation: str) -> None:
    expected = ours(zygote, directory, aggregation=aggregation)
    assert expected["clipFraction"] > 0
    assert_same_step(theirs("verl", export(directory, "verl"), directory / "model", aggregation), expected)


@needs_python
@needs_checkout
@pytest.mark.parametrize("ranks", ["1", "3"])
def test_prime_rl_takes_the_loss_and_gradient_that_we_take_without_clipping(zygote: Zygote, directory: Path, ranks: str) -> None:
    out = export(directory, "prime-rl", "--ranks", ranks, "--max-length", "64", "--pad-to-multiple", "4")
    expected = ours(zygote, directory, **WITHOUT_CLIP)
    assert_same_step(theirs("prime-rl", out, directory / "model", ranks, "default", str(CHECKOUT)), expected)


@needs_python
@needs_checkout
def test_prime_rl_takes_our_clipped_loss_when_it_is_told_to(zygote: Zygote, directory: Path) -> None:
    expected = ours(zygote, directory)
    assert expected["clipFraction"] > 0
    out = export(directory, "prime-rl", "--ranks", "2", "--max-length", "64")
    assert_same_step(theirs("prime-rl", out, directory / "model", "2", "custom", str(CHECKOUT)), expected)


@needs_checkout
def test_the_structures_of_the_pinned_commit_read_and_write_our_bytes(directory: Path) -> None:
    types = their_types()
    out = export(directory, "prime-rl", "--ranks", "2", "--minibatches", "2", "--max-length", "64")
    num_tokens = 0
    for file in sorted(out.rglob("*.bin")):
        found = msgspec.msgpack.decode(file.read_bytes(), type=list[types.MicroBatch])
        assert msgspec.msgpack.encode(found) == file.read_bytes()
        assert all(packed.ref_logprobs is packed.rl_weights is packed.routed_experts is None for packed in found)
        num_tokens += sum(len(packed.input_ids) for packed in found if any(packed.loss_mask))
    assert num_tokens == sum(LENGTHS)


@needs_checkout
def test_our_fields_are_those_of_the_pinned_commit_in_name_place_and_type() -> None:
    from trainer.engines.prime_rl import MicroBatch

    theirs, ours = (msgspec.structs.fields(found) for found in (their_types().MicroBatch, MicroBatch))
    assert [(field.name, field.required) for field in ours] == [(field.name, field.required) for field in theirs]
    assert [field.type for field in ours if field.required] == [field.type for field in theirs if field.required]


def their_types() -> ModuleType:
    path = Path(str(CHECKOUT)) / "src" / "prime_rl" / "transports" / "rollouts" / "types.py"
    spec = importlib.util.spec_from_file_location("prime_rl_types", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Inputs:
    trainer_logprobs: Tensor
    inference_logprobs: Tensor
    advantages: Tensor
    loss_mask: Tensor


def test_our_clipped_loss_in_prime_rl_is_that_of_our_trainer() -> None:
    from trainer.engines.prime_rl_loss import clipped
    from trainer.loss import clipped_loss, ratios

    generator = torch.Generator().manual_seed(0)
    now, before, advantages = (torch.randn(50, generator=generator) for _ in range(3))
    mask = torch.arange(50) % 3 == 0
    found = clipped(Inputs(now, before, advantages, mask))
    losses, is_clipped = clipped_loss(ratios(now, before), advantages, 0.2, 0.2, 3.0)
    torch.testing.assert_close(found.loss, (losses * mask).sum())
    assert 0 < found.metrics["clip_fraction"].item() == pytest.approx((is_clipped & mask).sum().item() / mask.sum().item())
