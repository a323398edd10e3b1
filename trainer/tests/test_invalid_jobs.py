"""A job that can never succeed: exit code 2, one line on stderr, one job-error event, nothing else written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from helpers import Zygote, batch_header, events, random_tensors, tiny_model, write_batch, write_job
from model.files import sha256_file

Tensors = dict[str, Tensor]


def assert_refused(zygote: Zygote, job: Path, message: str, before: set[str] | None = None) -> None:
    finished = zygote.run("train", job)
    assert finished.exit_code == 2
    assert finished.stderr.startswith("error: trainer.invalid-job: ")
    assert finished.stderr.count("\n") == 1
    assert message in finished.stderr
    assert {path.name for path in job.iterdir()} == (before or {"job.json"}) | {"events.jsonl"}
    last = events(job)[-1]
    assert (last["type"], last["code"]) == ("job-error", "trainer.invalid-job")
    assert message in last["message"]


def set_value(name: str, value: float, index: int = 6) -> Callable[[Tensors], None]:
    def change(tensors: Tensors) -> None:
        tensors[name][index] = value

    return change


def set_tensor(name: str, make: Callable[[Tensor], Tensor]) -> Callable[[Tensors], None]:
    def change(tensors: Tensors) -> None:
        tensors[name] = make(tensors[name])

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (set_value("advantages", float("nan")), "advantages are not all finite"),
        (set_value("sampling_logprobs", float("inf")), "sampling_logprobs are not all finite"),
        (set_value("advantages", 1.0, index=0), "advantages must be 0 outside the loss mask"),
        (set_value("token_ids", 97), "token id 97 is outside the model's vocabulary of 97"),
        (set_value("token_ids", -1), "a token id is negative"),
        (set_value("loss_mask", 2), "loss_mask must be 0 or 1"),
        (set_value("turn_ids", -1), "an action token has no turn id"),
        (set_value("row_offsets", 0, index=1), "row_offsets must rise"),
        (set_tensor("token_ids", lambda tensor: tensor.long()), "token_ids must be a flat array of torch.int32"),
        (set_tensor("advantages", lambda tensor: tensor.double()), "advantages must be a flat array of torch.float32"),
        (set_tensor("advantages", lambda tensor: tensor[:-1]), "arrays differ in length"),
    ],
)
def test_a_bad_array_is_refused(
    tmp_path: Path, zygote: Zygote, model_directory: Path, damage: Callable[[Tensors], None], message: str
) -> None:
    tensors = random_tensors(tiny_model(), [20, 33])
    header = batch_header(tensors)
    damage(tensors)
    batch = write_batch(tmp_path / "batch.safetensors", tensors, header)
    assert_refused(zygote, write_job(tmp_path / "job", model_directory, batch), message)


def test_an_empty_batch_is_refused(tmp_path: Path, zygote: Zygote, model_directory: Path) -> None:
    tensors = {name: tensor[:0] for name, tensor in random_tensors(tiny_model(), [20]).items()}
    tensors["row_offsets"] = torch.tensor([0])
    batch = write_batch(tmp_path / "batch.safetensors", tensors)
    assert_refused(zygote, write_job(tmp_path / "job", model_directory, batch), "the batch is empty")


def test_a_missing_array_is_refused(tmp_path: Path, zygote: Zygote, model_directory: Path) -> None:
    tensors = random_tensors(tiny_model(), [20])
    header = batch_header(tensors)
    del tensors["turn_ids"]
    batch = write_batch(tmp_path / "batch.safetensors", tensors, header)
    assert_refused(zygote, write_job(tmp_path / "job", model_directory, batch), "tensor turn_ids is missing")


def test_a_header_that_counts_otherwise_is_refused(tmp_path: Path, zygote: Zygote, model_directory: Path) -> None:
    tensors = random_tensors(tiny_model(), [20])
    batch = write_batch(tmp_path / "batch.safetensors", tensors, {**batch_header(tensors), "numActionTokens": 3})
    assert_refused(zygote, write_job(tmp_path / "job", model_directory, batch), "the header says numActionTokens 3")


def test_a_row_longer_than_the_model_sees_is_refused(tmp_path: Path, zygote: Zygote, model_directory: Path) -> None:
    from helpers import SHAPE

    model = tiny_model()
    tensors = random_tensors(model, [SHAPE.max_positions])
    long = {name: torch.cat([tensor, tensor[:1]]) for name, tensor in tensors.items() if name != "row_offsets"}
    batch = write_batch(tmp_path / "batch.safetensors", {**long, "row_offsets": torch.tensor([0, SHAPE.max_positions + 1])})
    assert_refused(zygote, write_job(tmp_path / "job", model_directory, batch), "a row of 129 tokens exceeds the model's 128 positions")


def test_token_ids_of_another_tokenizer_are_refused(tmp_path: Path, zygote: Zygote, model_directory: Path) -> None:
    tensors = random_tensors(tiny_model(), [20])
    for name, sha256 in (("own", sha256_file(model_directory / "tokenizer.json")), ("other", "0" * 64)):
        batch = write_batch(tmp_path / f"{name}.safetensors", tensors, {**batch_header(tensors), "tokenizerSha256": sha256})
        job = write_job(tmp_path / name, model_directory, batch, {"numMinibatches": 1, "epochs": 1})
        if name == "own":
            assert zygote.run("train", job).exit_code == 0
        else:
            assert_refused(zygote, job, "the batch is of another tokenizer than")


@pytest.mark.parametrize("damage", ["no weights", "torn weights", "other shape", "no config", "bad config", "a missing matrix"])
def test_a_model_that_is_not_whole_is_refused(tmp_path: Path, zygote: Zygote, model_directory: Path, batch_path: Path, damage: str) -> None:
    weights, config = model_directory / "model.safetensors", model_directory / "config.json"
    message = {"other shape": "do not fit config.json", "a missing matrix": "do not fit config.json"}.get(damage, "cannot be read")
    match damage:
        case "no weights":
            weights.unlink()
        case "torn weights":
            weights.write_bytes(weights.read_bytes()[:-5])
        case "other shape":
            config.write_text(config.read_text().replace('"hidden_size": 32', '"hidden_size": 64'))
        case "no config":
            config.unlink()
        case "bad config":
            config.write_text("{")
        case "a missing matrix":
            tensors = load_file(weights)
            del tensors["model.norm.weight"]
            weights.write_bytes(save(tensors))
    job = write_job(tmp_path / "job", model_directory, batch_path)
    assert_refused(zygote, job, message)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"batchSha256": "0" * 64}, "does not have the sha256 of the job"),
        ({"batchPath": "/nowhere/batch.safetensors"}, "no such batch file"),
        ({"modelHash": "0" * 64}, "do not have modelHash"),
        ({"modelDirectory": "/nowhere/model"}, "no such model directory"),
        ({"optimizerState": "/nowhere/optimizer.safetensors"}, "does not fit the model"),
        ({"backend": "tpu"}, "$.backend"),
        ({"numProcesses": 2}, "numProcesses 2 needs backend fsdp, not cpu"),
        ({"backend": "fsdp", "numProcesses": 0}, "$.numProcesses"),
        ({"temperature": 0}, "$.temperature"),
        ({"surprise": 1}, "'surprise' was unexpected"),
        ({"jobId": ""}, "$.jobId"),
    ],
)
def test_a_bad_field_is_refused(zygote: Zygote, job_directory: Path, fields: dict[str, Any], message: str) -> None:
    change_job(job_directory, fields)
    assert_refused(zygote, job_directory, message)


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ({"klWeight": 0.1}, "klWeight is above 0 but referenceDirectory is null"),
        ({"learningRate": -1}, "$.hyperparameters.learningRate"),
        ({"betas": [0.9, 1.0]}, "must lie in [0, 1)"),
        ({"clipLow": 1.5}, "clipLow 1.5 must be less than 1"),
    ],
)
def test_a_bad_hyperparameter_is_refused(zygote: Zygote, job_directory: Path, hyperparameters: dict[str, Any], message: str) -> None:
    job = json.loads((job_directory / "job.json").read_text())
    change_job(job_directory, {"hyperparameters": {**job["hyperparameters"], **hyperparameters}})
    assert_refused(zygote, job_directory, message)


def test_a_torn_job_file_is_refused(zygote: Zygote, job_directory: Path) -> None:
    (job_directory / "job.json").write_text('{"schemaVersion": 1,')
    assert_refused(zygote, job_directory, "cannot be read as JSON")


def test_a_missing_directory_is_refused_and_not_made(tmp_path: Path, zygote: Zygote) -> None:
    finished = zygote.run("train", tmp_path / "nowhere")
    assert (finished.exit_code, (tmp_path / "nowhere").exists()) == (2, False)
    assert "no such directory" in finished.stderr


def test_a_gradient_above_the_guard_stops_the_job_for_good(zygote: Zygote, job_directory: Path) -> None:
    job = json.loads((job_directory / "job.json").read_text())
    change_job(job_directory, {"hyperparameters": {**job["hyperparameters"], "maxGradientNorm": 1e-3}})
    finished = zygote.run("train", job_directory)
    assert finished.exit_code == 3
    assert finished.stderr.startswith("error: trainer.diverged: step 1: gradient norm")
    assert events(job_directory)[-1]["code"] == "trainer.diverged"
    assert not (job_directory / "result.json").exists()


def change_job(directory: Path, fields: dict[str, Any]) -> None:
    path = directory / "job.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
