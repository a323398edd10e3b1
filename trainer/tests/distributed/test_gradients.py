"""The loss and the gradients of a minibatch are those of one process, however many ranks share it and however its rows are laid out."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from distributed.ranks import LORA, PRELOAD, TRANSFORMERS
from helpers import Zygote, random_tensors, tiny_model, write_batch, write_job, write_tiny_model

TOLERANCE = 1e-6
LENGTHS = [20, 33, 9, 41, 26, 14, 30, 12]
WITH_REFERENCE = {"klWeight": 0.1, "importanceTruncation": 2.0}

# name: ranks, fields of the job, hyperparameters, and the number of rows of the batch
CASES: dict[str, tuple[int, dict[str, Any], dict[str, Any], int]] = {
    "loop, 2 ranks": (2, {}, {**WITH_REFERENCE, "layout": "loop"}, 8),
    "padded in pairs, 2 ranks": (2, {}, {**WITH_REFERENCE, "layout": "padded", "microBatchTokens": 80}, 8),
    "packed, 2 ranks": (2, {}, {**WITH_REFERENCE, "layout": "packed"}, 8),
    "packed in small micro-batches, 2 ranks": (2, {}, {**WITH_REFERENCE, "layout": "packed", "microBatchTokens": 30}, 8),
    "tree, 2 ranks": (2, {}, {**WITH_REFERENCE, "layout": "tree"}, 8),
    "tree, 1 rank": (1, {}, {**WITH_REFERENCE, "layout": "tree"}, 8),
    "tree, 3 ranks": (3, {}, {**WITH_REFERENCE, "layout": "tree", "microBatchTokens": 50}, 8),
    "fewer rows than ranks": (3, {}, {**WITH_REFERENCE, "layout": "packed"}, 2),
    "each row counting the same, 3 ranks": (3, {}, {"aggregation": "seq-mean-token-mean"}, 8),
    "an adapter, 2 ranks": (2, {"adapter": LORA}, WITH_REFERENCE, 8),
    "an adapter beside its own base, 2 ranks": (2, {"adapter": LORA, "reference": "dense"}, {"klWeight": 0.1}, 8),
    "activations kept, 2 ranks": (2, {}, {"gradientCheckpointing": False}, 8),
    "a mixture of experts, 2 ranks": (2, {"model": "moe"}, {"microBatchTokens": 60}, 8),
}

IN_BFLOAT16: dict[str, tuple[int, dict[str, Any], dict[str, Any], int]] = {
    "bfloat16, 2 ranks": (2, {"bfloat16": True}, {}, 8),
    "an adapter in bfloat16, 2 ranks": (2, {"bfloat16": True, "adapter": LORA}, {}, 8),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Callable[[str], tuple[Path, Path]]:
    """By case: the job directories of one process and of the ranks, with what they computed. All in one go: processes are dear."""
    root = tmp_path_factory.mktemp("gradients")
    models = {"dense": write_tiny_model(root / "dense"), "moe": root / "moe"}
    models["reference"] = write_tiny_model(root / "reference", seed=5)
    assert zygote.run(models["moe"], call="distributed.gradients:write_moe", preload=TRANSFORMERS).exit_code == 0
    batches = {rows: write_batch(root / f"batch-{rows}", random_tensors(tiny_model(), LENGTHS[:rows], temperature=1.3)) for rows in (2, 8)}
    pairs: dict[str, tuple[Path, Path]] = {}
    for number, (name, (world_size, fields, hyperparameters, rows)) in enumerate({**CASES, **IN_BFLOAT16}.items()):
        model = models[fields.get("model", "dense")]
        shared = {
            "referenceDirectory": str(models[fields.get("reference", "reference")]),
            "temperature": 1.3,
            **{key: fields[key] for key in fields if key not in ("model", "reference", "bfloat16")},
        }
        single = {**hyperparameters, "layout": "loop"}
        one = write_job(root / f"one-{number}", model, batches[rows], single, **shared)
        many = write_job(root / f"many-{number}", model, batches[rows], hyperparameters, backend="fsdp", numProcesses=world_size, **shared)
        for directory in (one, many) if fields.get("bfloat16") else ():
            (directory / "bfloat16").touch()
        pairs[name] = one, many
    finished = zygote.run(*[path for pair in pairs.values() for path in pair], call="distributed.gradients:compute", preload=PRELOAD)
    assert finished.exit_code == 0, finished.stderr
    return pairs.__getitem__


@pytest.mark.parametrize("case", CASES)
def test_ranks_give_the_gradients_and_sums_of_one_process(found: Callable[[str], tuple[Path, Path]], case: str) -> None:
    one, many = found(case)
    expected, gradients = load_file(one / "gradients.safetensors"), load_file(many / "gradients.safetensors")
    assert_same(expected, gradients)
    assert max(gradient.abs().max().item() for gradient in gradients.values()) > 1e-3
    sums, other = sums_of(one), sums_of(many)
    assert (sums.pop("share"), other.pop("share")) == (0, pytest.approx(1 / CASES[case][0], abs=0.02)), "what the first rank holds"
    assert other == pytest.approx(sums, rel=1e-5, abs=1e-6)
    assert {name: sums[name] for name in ("num_tokens", "num_rows", "num_clipped", "num_truncated")} == {
        name: other[name] for name in ("num_tokens", "num_rows", "num_clipped", "num_truncated")
    }


@pytest.mark.parametrize("case", IN_BFLOAT16)
def test_with_the_numbers_of_a_gpu_ranks_are_as_near_as_bfloat16_allows(found: Callable[[str], tuple[Path, Path]], case: str) -> None:
    one, many = (load_file(directory / "gradients.safetensors") for directory in found(case))
    assert one.keys() == many.keys()
    difference = sum((many[name] - one[name]).square().sum().item() for name in one) ** 0.5
    norm = sum(gradient.square().sum().item() for gradient in one.values()) ** 0.5
    assert 1e-5 < difference / norm < 0.02


def assert_same(expected: dict[str, Tensor], gradients: dict[str, Tensor]) -> None:
    assert expected.keys() == gradients.keys()
    scale = max(1.0, *(gradient.abs().max().item() for gradient in expected.values()))
    for name, gradient in expected.items():
        torch.testing.assert_close(
            gradients[name], gradient, atol=TOLERANCE * scale, rtol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )


def sums_of(directory: Path) -> dict[str, float]:
    return ast.literal_eval((directory / "sums.json").read_text())
