"""canary.json: what the trainer says of stored turns under the weights that it leaves."""

import json
from pathlib import Path

import torch

from helpers import Zygote
from model.files import sha256_file
from trainer.batch import read_batch
from trainer.canary import NUM_TURNS, choose_rows
from trainer.policy import TrainablePolicy
from trainer.train import action_logprobs


def test_the_canary_holds_what_the_left_weights_say_of_turns_of_the_batch(zygote: Zygote, job_directory: Path, batch_path: Path):
    assert zygote.run("train", job_directory).exit_code == 0
    result = json.loads((job_directory / "result.json").read_text())
    assert result["canary"]["sha256"] == sha256_file(job_directory / "canary.json")
    canary = json.loads((job_directory / "canary.json").read_text())
    assert (canary["schemaVersion"], canary["temperature"], canary["precision"]) == (1, 1.0, "float32")
    rows = read_batch(batch_path, sha256_file(batch_path)).rows
    assert len(canary["turns"]) == min(NUM_TURNS, sum(len(row.turn_ids.unique()) for row in rows))
    left = TrainablePolicy(job_directory / "model", "cpu")
    found = []
    for _, row in choose_rows(rows):
        with torch.no_grad():
            ((logprobs, _),) = action_logprobs(left, [row], "loop", 1.0)
        found += logprobs.tolist()
    assert [value for turn in canary["turns"] for value in turn["logprobs"]] == found
    for turn in canary["turns"]:
        assert len(turn["tokenIds"]) == turn["start"] + len(turn["logprobs"])
        assert any(row.token_ids[: len(turn["tokenIds"])].tolist() == turn["tokenIds"] for row in rows)


def test_turns_come_from_all_over_a_large_batch(batch_path: Path):
    row = read_batch(batch_path, sha256_file(batch_path)).rows[0]
    indices = [index for index, _ in choose_rows([row] * 1000)]
    assert len(indices) == NUM_TURNS // len(row.turn_ids.unique())
    assert indices == sorted(indices)
    assert indices[0] < 50
    assert indices[-1] > 950
