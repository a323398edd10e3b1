"""What every job leaves behind is what the contracts say, and starting one is quick."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from helpers import Zygote, events, run_trainer, trainer_environment
from model.files import sha256_file
from trainer.contracts import SCHEMAS


def check(value: object, contract: str) -> None:
    Draft202012Validator(json.loads((SCHEMAS / f"{contract}.json").read_text())).validate(value)


def test_events_and_result_keep_their_contracts(zygote: Zygote, job_directory: Path) -> None:
    assert zygote.run("train", job_directory).exit_code == 0
    log, result = events(job_directory), json.loads((job_directory / "result.json").read_text())
    for event in log:
        check(event, "TrainingEvent")
    check(result, "TrainingResult")
    assert [event["seq"] for event in log] == list(range(len(log)))
    assert [log[0]["type"], log[-1]["type"]] == ["job-start", "job-end"]
    assert [event["metrics"] for event in log if event["type"] == "training-step"] == result["steps"]
    assert result["optimizerState"]["sha256"] == sha256_file(job_directory / "optimizer.safetensors")
    assert sorted(result["modelFiles"]) == ["config.json", "model.safetensors", "tokenizer.json"]


def test_computing_time_is_told_beside_the_result_and_adds_up_over_attempts(zygote: Zygote, job_directory: Path) -> None:
    def usage() -> dict[str, float]:
        found = json.loads((job_directory / "usage.json").read_text())
        check(found, "TrainingUsage")
        return found

    zygote.run("train", job_directory)
    assert usage()["computeSeconds"] > 0
    assert usage()["numDevices"] == 0
    (job_directory / "result.json").unlink()
    (job_directory / "usage.json").write_text(json.dumps({**usage(), "computeSeconds": 1000}))
    zygote.run("train", job_directory)
    assert 1000 < usage()["computeSeconds"] < 2000


def test_the_next_job_goes_on_from_model_and_moments(zygote: Zygote, tmp_path: Path, job_directory: Path, batch_path: Path) -> None:
    from helpers import write_job

    zygote.run("train", job_directory)
    fresh = write_job(tmp_path / "fresh", job_directory / "model", batch_path)
    warm = write_job(tmp_path / "warm", job_directory / "model", batch_path, optimizerState=str(job_directory / "optimizer.safetensors"))
    assert [zygote.run("train", job).exit_code for job in (fresh, warm)] == [0, 0]
    assert sha256_file(fresh / "model" / "model.safetensors") != sha256_file(warm / "model" / "model.safetensors")


def test_a_job_does_not_import_the_compiler_nor_transformers(job_directory: Path) -> None:
    """Each costs seconds at every start."""
    script = "import sys; from trainer.__main__ import main; code = main(sys.argv[1:]); print(code, *sorted(sys.modules))"
    command = [sys.executable, "-c", script, "train", str(job_directory)]
    finished = subprocess.run(command, env=trainer_environment(), capture_output=True, text=True, check=True)
    code, *modules = finished.stdout.split()
    assert code == "0"
    assert not {"torch._dynamo", "torch._inductor", "transformers"} & set(modules)


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]])
def test_help_is_answered_without_torch(arguments: list[str]) -> None:
    script = "import sys\nfrom trainer.__main__ import main\ntry: main(sys.argv[1:])\nfinally: assert 'torch' not in sys.modules"
    command = [sys.executable, "-c", script, *arguments]
    finished = subprocess.run(command, env=trainer_environment(), capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "trainer" in finished.stdout


def test_a_wrong_command_line_is_answered_with_usage() -> None:
    finished = run_trainer("fly")
    assert finished.returncode == 2
    assert "usage: python -m trainer" in finished.stderr
