"""The record shares the files of an export instead of copying them, so no later attempt may write into a file that is there."""

import json
import os
import shutil
from pathlib import Path

import pytest

from helpers import run_trainer


def exported(job_directory: Path) -> dict[str, Path]:
    files = [*(job_directory / "model").iterdir(), job_directory / "optimizer.safetensors", job_directory / "canary.json"]
    return {path.name: path for path in files}


@pytest.mark.parametrize("is_resumed", [True, False])
def test_a_further_attempt_writes_new_files_and_none_of_those_that_are_there(tmp_path: Path, job_directory: Path, is_resumed: bool) -> None:
    assert run_trainer("train", job_directory).returncode == 0
    shared = tmp_path / "shared"
    shared.mkdir()
    for name, path in exported(job_directory).items():
        os.link(path, shared / name)
    before = {path.name: path.read_bytes() for path in shared.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "optimizer.safetensors", "canary.json"} <= before.keys()
    (job_directory / "result.json").unlink()
    if not is_resumed:
        shutil.rmtree(job_directory / "checkpoints")
        job = json.loads((job_directory / "job.json").read_text())
        job["hyperparameters"]["learningRate"] *= 2
        (job_directory / "job.json").write_text(json.dumps(job))
    assert run_trainer("train", job_directory).returncode == 0
    assert {path.name: path.read_bytes() for path in shared.iterdir()} == before
    for name, path in exported(job_directory).items():
        assert not path.samefile(shared / name)
    is_equal = (job_directory / "model" / "model.safetensors").read_bytes() == before["model.safetensors"]
    assert is_equal == is_resumed
