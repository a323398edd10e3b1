"""Supervised training: the loss is on trained segments, padding is not seen, and an interrupted job ends with the same bytes."""

import json
import random
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers import SHAPE, Zygote, events, output_hashes, tiny_model
from model.files import sha256_file
from trainer.contracts import TokenizerJob
from trainer.qwen3 import load_qwen3
from trainer.sft import Row, batch_loss, learning_rate_scale
from trainer.tokenizer import tokenizer_json

MODEL = {
    "hiddenSize": 32,
    "numLayers": 2,
    "numHeads": 4,
    "numKeyValueHeads": 2,
    "headDim": 8,
    "intermediateSize": 48,
    "ropeTheta": 10000,
    "maxPositions": 64,
}


def conversations(num: int, seed: int) -> list[dict[str, Any]]:
    """The agent says a fixed answer to each of three questions."""
    answers = {"red": "stop<e>", "green": "go on<e>", "amber": "wait a bit<e>"}
    colours = random.Random(seed).choices(sorted(answers), k=num)
    return [
        {"segments": [{"text": f"<u>the light is {colour}", "trained": False}, {"text": f"<a>{answers[colour]}", "trained": True}]}
        for colour in colours
    ]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = conversations(60, seed=0)
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "validation.jsonl").write_text("".join(json.dumps(row) + "\n" for row in conversations(5, seed=1)))
    job = TokenizerJob(Path(), 300, ["<e>", "<u>", "<a>"], [], Path())
    (tmp_path / "tokenizer").mkdir()
    texts = [segment["text"] for row in rows for segment in row["segments"]]
    (tmp_path / "tokenizer" / "tokenizer.json").write_text(json.dumps(tokenizer_json(job, texts)))
    return tmp_path


def write_job(data: Path, name: str, **fields: Any) -> Path:
    directory = data / name
    directory.mkdir()
    job = {
        "schemaVersion": 1,
        "jobId": "sft",
        "dataPath": "../data.jsonl",
        "validationPath": "../validation.jsonl",
        "tokenizerDirectory": "../tokenizer",
        "modelConfig": MODEL,
        "initialModelDirectory": None,
        "maxTokens": 3000,
        "rowsPerBatch": 4,
        "matrixLearningRate": 0.02,
        "learningRate": 0.01,
        "warmupSteps": 5,
        "decayShare": 0.3,
        "checkpointEverySteps": 10,
        "seed": 1,
        "threads": 1,
        **fields,
    }
    (directory / "job.json").write_text(json.dumps(job))
    return directory


def losses(job: Path) -> list[float]:
    return [event["metrics"]["loss"] for event in events(job) if event["type"] == "sft-step"]


def test_the_model_learns_its_conversations(data: Path, zygote: Zygote) -> None:
    job = write_job(data, "job")
    finished = zygote.run("sft", job)
    assert finished.exit_code == 0, finished.stderr
    result = json.loads((job / "result.json").read_text())
    assert losses(job)[0] > 4
    assert result["validations"][-1]["loss"] < 0.3
    assert 3000 <= result["totalTokens"] < 3000 + 4 * 64
    assert [event["validation"] for event in events(job) if event["type"] == "sft-validation"] == result["validations"]
    assert result["modelFiles"]["model.safetensors"]["sha256"] == sha256_file(job / "model" / "model.safetensors")
    assert load_qwen3(job / "model").shape.max_positions == 64


@pytest.mark.parametrize("operation", [15, 30, 47, 60, 75])
def test_killed_and_started_again_it_ends_with_the_same_bytes(data: Path, zygote: Zygote, operation: int) -> None:
    undisturbed, job = write_job(data, "undisturbed"), write_job(data, "job")
    assert zygote.run("sft", undisturbed).exit_code == 0
    assert zygote.run("sft", job, kill_at=operation).exit_code == -signal.SIGKILL
    assert zygote.run("sft", job).exit_code == 0
    assert output_hashes(job) == output_hashes(undisturbed)
    assert losses(job) == losses(undisturbed)


def test_it_goes_on_from_an_earlier_model(data: Path, zygote: Zygote) -> None:
    first = write_job(data, "first")
    zygote.run("sft", first)
    second = write_job(data, "second", initialModelDirectory="../first/model", maxTokens=300, seed=2)
    assert zygote.run("sft", second).exit_code == 0
    assert losses(second)[0] < 0.5 < losses(first)[0]


def test_a_padded_batch_has_the_loss_and_gradient_of_its_rows() -> None:
    rows = [Row(torch.randint(0, SHAPE.vocab_size, (length,)), torch.arange(length) % 3 > 0) for length in (9, 30, 21)]
    together, apart = tiny_model(), tiny_model()
    loss, num_tokens = batch_loss(together, rows)
    singles = [batch_loss(apart, [row]) for row in rows]
    assert num_tokens == sum(count for _, count in singles)
    loss.backward()
    sum((single for single, _ in singles), torch.zeros(())).backward()
    for mine, other in zip(together.parameters(), apart.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-4, rtol=1e-4)


def test_the_loss_is_taken_on_trained_tokens_only() -> None:
    model, ids = tiny_model(), torch.randint(0, SHAPE.vocab_size, (12,))
    trained = torch.zeros(12, dtype=torch.bool)
    trained[[4, 9]] = True
    loss, num_tokens = batch_loss(model, [Row(ids, trained)])
    logprobs = model(ids[None])[0].log_softmax(-1)
    torch.testing.assert_close(loss, -logprobs[3, ids[4]] - logprobs[8, ids[9]])
    assert num_tokens == 2


def test_the_learning_rate_warms_up_holds_and_decays() -> None:
    scales = [learning_rate_scale(step, total_steps=100, warmup_steps=10, decay_share=0.3) for step in range(1, 101)]
    assert scales[0] == pytest.approx(0.1)
    assert scales[9:71] == [1.0] * 62
    assert scales[-1] == pytest.approx(1 / 30)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dataPath": "../nowhere.jsonl"}, "data cannot be read"),
        ({"dataPath": "../tokenizer/tokenizer.json"}, "tokenizer.json line 1: expected"),
        ({"dataPath": "../empty.jsonl"}, "has no rows"),
        ({"dataPath": "../untrained.jsonl"}, "untrained.jsonl line 1: no token to train on"),
        ({"modelConfig": {**MODEL, "maxPositions": 4}}, "tokens exceed maxPositions 4"),
        ({"modelConfig": {**MODEL, "numKeyValueHeads": 3}}, "is not a multiple of numKeyValueHeads 3"),
        ({"modelConfig": {**MODEL, "headDim": 7}}, "$.modelConfig.headDim"),
        ({"tokenizerDirectory": "../nowhere"}, "tokenizer.json cannot be read"),
        ({"initialModelDirectory": "../nowhere"}, "config.json cannot be read"),
        ({"maxTokens": 0}, "$.maxTokens"),
    ],
)
def test_a_bad_job_is_refused(data: Path, zygote: Zygote, fields: dict[str, Any], message: str) -> None:
    (data / "empty.jsonl").write_text("")
    (data / "untrained.jsonl").write_text('{"segments": [{"text": "hello", "trained": false}]}\n')
    job = write_job(data, "job", **fields)
    finished = zygote.run("sft", job)
    assert finished.exit_code == 2
    assert message in finished.stderr
    assert sorted(path.name for path in job.iterdir()) == ["events.jsonl", "job.json"]
