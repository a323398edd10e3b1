"""Small real inputs: a random Qwen3 directory, batches, job directories, and the trainer as a process."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from model.files import canonical_json, sha256_file
from model.shape import Qwen3Shape, qwen3_config
from trainer.model_files import policy_hash, write_model
from trainer.qwen3 import Qwen3, initialize

SOURCE = Path(__file__).parents[1] / "src"
SHAPE = Qwen3Shape(
    vocab_size=97,
    hidden_size=32,
    num_layers=2,
    num_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    intermediate_size=48,
    rope_theta=10000.0,
    max_positions=128,
)
HYPERPARAMETERS = {
    "learningRate": 0.01,
    "betas": [0.9, 0.999],
    "weightDecay": 0,
    "numMinibatches": 6,
    "epochs": 2,
    "warmupSteps": 0,
    "clipLow": 0.2,
    "clipHigh": 0.2,
    "dualClip": 3,
    "klWeight": 0,
    "gradientClip": 1,
    "maxGradientNorm": 1000,
    "aggregation": "token-mean",
    "checkpointEverySteps": 2,
    "layout": "auto",
    "microBatchTokens": 16384,
    "importanceTruncation": None,
}


def tiny_model(seed: int = 0, shape: Qwen3Shape = SHAPE, spread: float = 4.0) -> Qwen3:
    """Random weights, spread out so that the next token is far from uniform."""
    model = Qwen3(shape)
    initialize(model, seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(spread)
    return model


def write_tiny_model(directory: Path, seed: int = 0) -> Path:
    directory.mkdir(parents=True)
    model = tiny_model(seed)
    write_model(directory, qwen3_config(model.shape), {name: parameter.detach() for name, parameter in model.named_parameters()})
    (directory / "tokenizer.json").write_text("{}\n")
    return directory


def random_tensors(model: Qwen3, lengths: list[int], seed: int = 0, temperature: float = 1.0) -> dict[str, Tensor]:
    """Arrays of a batch: two agent turns per row, real sampling log-probabilities, one advantage per turn."""
    generator = torch.Generator().manual_seed(seed)
    arrays: dict[str, list[Tensor]] = {name: [] for name in ("token_ids", "loss_mask", "sampling_logprobs", "advantages", "turn_ids")}
    for length in lengths:
        ids = torch.randint(0, model.shape.vocab_size, (length,), generator=generator)
        turns = torch.full((length,), -1)
        turns[length // 4 : length // 2] = 0
        turns[3 * length // 4 : length - 1] = 1
        mask = turns >= 0
        with torch.no_grad():
            logprobs = (model(ids[None])[0, :-1] / temperature).log_softmax(-1).gather(1, ids[1:, None]).flatten()
        advantages = torch.randn(2, generator=generator)[turns.clamp(min=0)] * mask
        arrays["token_ids"].append(ids.int())
        arrays["loss_mask"].append(mask.to(torch.uint8))
        arrays["sampling_logprobs"].append(torch.cat([torch.zeros(1), logprobs]) * mask)
        arrays["advantages"].append(advantages)
        arrays["turn_ids"].append(turns.int())
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    return {**{name: torch.cat(parts) for name, parts in arrays.items()}, "row_offsets": offsets}


def batch_header(tensors: dict[str, Tensor]) -> dict[str, Any]:
    num_rows = len(tensors["row_offsets"]) - 1
    return {
        "schemaVersion": 1,
        "rows": [{"taskId": f"task-{row // 2}", "trial": row % 2, "branch": 0} for row in range(num_rows)],
        "policyHash": "0" * 64,
        "rewardTableSha256": "0" * 64,
        "estimator": "grpo/1",
        "numTokens": len(tensors["token_ids"]),
        "numActionTokens": int(tensors["loss_mask"].sum()),
        "numRows": num_rows,
        "seed": 0,
    }


def write_batch(path: Path, tensors: dict[str, Tensor], header: dict[str, Any] | None = None) -> Path:
    path.write_bytes(save(tensors, metadata={"header": canonical_json(header or batch_header(tensors))}))
    return path


def write_job(directory: Path, model: Path, batch: Path, hyperparameters: dict[str, Any] | None = None, **fields: Any) -> Path:
    """A job directory; paths outside it are shared by jobs."""
    directory.mkdir()
    job = {
        "schemaVersion": 1,
        "jobId": "test",
        "backend": "cpu",
        "threads": 1,
        "modelDirectory": str(model),
        "modelHash": policy_hash(model),
        "referenceDirectory": None,
        "optimizerState": None,
        "batchPath": str(batch),
        "batchSha256": sha256_file(batch) if batch.exists() else "0" * 64,
        "temperature": 1.0,
        "hyperparameters": {**HYPERPARAMETERS, **(hyperparameters or {})},
        "seed": 1,
        **fields,
    }
    (directory / "job.json").write_text(json.dumps(job))
    return directory


def trainer_command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "trainer", *map(str, arguments)]


def server_command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "policy_server", *map(str, arguments)]


def trainer_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "KMP_BLOCKTIME": "0"}


@dataclass(frozen=True)
class Finished:
    exit_code: int
    stderr: str
    num_operations: int


class Zygote:
    """`run` is `python -m trainer ARGUMENTS` as a process of its own, without the start-up time (tests/zygote.py).

    `modules` are imported beforehand, beside those that every job needs.
    """

    def __init__(self, *modules: str) -> None:
        command = [sys.executable, str(Path(__file__).with_name("zygote.py")), *modules]
        self._process = subprocess.Popen(
            command, env=trainer_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def run(self, *arguments: str | Path, **options: Any) -> Finished:
        """Options are those of a request, in snake_case: kill_at, rank, max_file_bytes, preload, call."""
        return self._finished(self._answer(self._request(arguments, **options)))

    def start(self, *arguments: str | Path, **options: Any) -> int:
        """Goes on at once; returns the id of the process whose only child is the command's."""
        return self._answer(self._request(arguments, background=True, **options))["pid"]

    def wait(self, pid: int) -> Finished:
        return self._finished(self._answer({"wait": pid}))

    def _request(
        self,
        arguments: tuple[str | Path, ...],
        kill_at: int | None = None,
        rank: int | None = None,
        max_file_bytes: int | None = None,
        preload: tuple[str, ...] = (),
        call: str | None = None,
        background: bool = False,
    ) -> dict[str, Any]:
        return {
            "arguments": [*map(str, arguments)],
            "killAt": kill_at,
            "rank": rank,
            "maxFileBytes": max_file_bytes,
            "preload": preload,
            "call": call,
            "background": background,
        }

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    @staticmethod
    def _finished(answer: dict[str, Any]) -> Finished:
        return Finished(answer["exitCode"], answer["stderr"], answer["numOperations"])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)


def run_trainer(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(trainer_command(*arguments), env=trainer_environment(), capture_output=True, text=True, timeout=120, check=False)


def events(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "events.jsonl").read_text().splitlines()]


def output_hashes(directory: Path) -> dict[str, str]:
    """Every output whose bytes are promised."""
    paths = [*sorted((directory / "model").iterdir()), directory / "optimizer.safetensors", directory / "result.json"]
    return {path.name: sha256_file(path) for path in paths if path.exists()}
