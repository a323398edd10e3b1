"""The benchmark for a GPU, at toy size on the CPU: that it runs the trainer, and that its arithmetic is right."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cases import CASES, QWEN3_4B, Case
from flops import Work, layer_parameters, needed_flops, published_flops
from helpers import trainer_environment
from measure import make_rows, work_of

FOLDER = Path(__file__).parents[2] / "bench" / "gpu"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / "main.py"), *arguments]
    return subprocess.run(command, env=trainer_environment(), capture_output=True, text=True, timeout=300, check=False)


def test_every_case_trains_at_toy_size_on_the_cpu() -> None:
    ended = run("--device", "cpu", "--tiny")
    assert ended.returncode == 0, ended.stderr
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [one["case"] for one in found] == [case.name for case in CASES]
    for one in found:
        positive = ("seconds", "tokensPerSecond", "actionTokensPerSecond", "trajectoriesPerSecond", "peakMemoryGib", "teraflopsNeeded")
        assert all(one[name] > 0 for name in positive)
        assert one["mfuPublished"] is None


@pytest.mark.parametrize("arguments", [[], ["--device", "cpu"]])
def test_without_a_gpu_the_real_thing_is_one_clear_line(arguments: list[str]) -> None:
    if torch.cuda.is_available() and not arguments:
        pytest.skip("this machine has a GPU")
    ended = run(*arguments)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1


def test_the_published_count_gives_the_published_share() -> None:
    """prime-rl at Qwen3-4B, LoRA r16, rows of 16k on an H100: 6,229 tokens/s are 21.7 % of 989 teraflops."""
    num_adapter = 36 * 16 * (2560 + 4096 + 2 * (2560 + 1024) + 4096 + 2560 + 3 * (2560 + 9728))
    work = Work(num_tokens=1, num_computed_tokens=1, num_attended_pairs=0, num_actions=1, row_length=16384)
    assert 6229 * published_flops(QWEN3_4B, work, num_adapter) / 989e12 == pytest.approx(0.217, abs=0.002)


def test_a_model_of_these_shapes_has_four_billion_parameters() -> None:
    assert layer_parameters(QWEN3_4B) + 151936 * 2560 == pytest.approx(4.02e9, rel=0.01)


def test_a_shared_prefix_is_needed_once() -> None:
    packed, tree = (next(case for case in CASES if case.name == name) for name in ("group-packed", "group-tree"))
    apart, together = (work_of(case, make_rows(case, QWEN3_4B)) for case in (packed, tree))
    assert apart.num_tokens == together.num_tokens == 8 * 5700
    assert together.num_computed_tokens == apart.num_computed_tokens - 7 * 3800
    assert needed_flops(QWEN3_4B, together, 0) < 0.6 * needed_flops(QWEN3_4B, apart, 0)


def test_pairs_are_counted_as_attention_sees_them() -> None:
    case = Case("one", "", 3, 40, 10, layout="tree", action_share=1.0)
    rows = make_rows(case, QWEN3_4B)
    own = [len(row.token_ids) - 1 - 10 for row in rows]
    assert work_of(case, rows).num_attended_pairs == 10 * 11 // 2 + sum(length * (length + 1) // 2 + length * 10 for length in own)
