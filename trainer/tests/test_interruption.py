"""A job that is killed at any instant and started again ends with the bytes of one that was left alone."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import Zygote, events, output_hashes, trainer_command, trainer_environment, write_job
from model.files import file_hash

SHORT = {"numMinibatches": 3, "epochs": 1, "checkpointEverySteps": 1}


@pytest.fixture
def new_job(tmp_path: Path, model_directory: Path, batch_path: Path) -> Callable[..., Path]:
    """Makes equal job directories; the batch and model are shared."""

    def make(**hyperparameters: int | float) -> Path:
        return write_job(tmp_path / f"job-{len(list(tmp_path.glob('job-*')))}", model_directory, batch_path, hyperparameters)

    return make


def test_killed_before_every_second_file_operation_a_job_ends_with_the_same_bytes(zygote: Zygote, new_job: Callable[..., Path]) -> None:
    undisturbed = new_job(**SHORT)
    finished = zygote.run("train", undisturbed)
    assert finished.exit_code == 0, finished.stderr
    assert finished.num_operations > 50
    for operation in range(1, finished.num_operations + 1, 2):
        job = new_job(**SHORT)
        assert zygote.run("train", job, kill_at=operation).exit_code == -signal.SIGKILL
        again = zygote.run("train", job)
        assert (again.exit_code, again.stderr) == (0, ""), f"killed before operation {operation}"
        assert output_hashes(job) == output_hashes(undisturbed), f"killed before operation {operation}"
        assert steps_in(job) == [1, 2, 3], f"killed before operation {operation}"
        shutil.rmtree(job)
        job.mkdir()  # keeps the numbering of new_job


def test_killed_again_and_again_a_job_ends_with_the_same_bytes(zygote: Zygote, new_job: Callable[..., Path]) -> None:
    undisturbed, job = new_job(), new_job()
    zygote.run("train", undisturbed)
    exit_codes = [zygote.run("train", job, kill_at=operation).exit_code for operation in range(20, 60, 4)]
    assert -signal.SIGKILL in exit_codes
    assert zygote.run("train", job).exit_code == 0
    assert output_hashes(job) == output_hashes(undisturbed)
    assert steps_in(job) == list(range(1, 13))


@pytest.mark.parametrize("num_events", [3, 9])
def test_killed_from_outside_in_the_middle_of_a_step(zygote: Zygote, new_job: Callable[..., Path], num_events: int) -> None:
    undisturbed, job = new_job(epochs=20, checkpointEverySteps=7), new_job(epochs=20, checkpointEverySteps=7)
    zygote.run("train", undisturbed)
    process = start(job)
    wait_for_events(job, num_events)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not (job / "result.json").exists()
    assert zygote.run("train", job).exit_code == 0
    assert output_hashes(job) == output_hashes(undisturbed)
    assert steps_in(job) == list(range(1, 121))


def test_sigterm_saves_the_last_step_and_exits_with_143(zygote: Zygote, new_job: Callable[..., Path]) -> None:
    undisturbed, job = new_job(epochs=20, checkpointEverySteps=1000), new_job(epochs=20, checkpointEverySteps=1000)
    zygote.run("train", undisturbed)
    process = start(job)
    wait_for_events(job, 5)
    process.terminate()
    assert process.wait(timeout=20) == 143
    saved = steps_in(job)[-1]
    assert [event["step"] for event in events(job) if event["type"] == "checkpoint-saved"] == [saved]
    assert zygote.run("train", job).exit_code == 0
    assert [event["resumedFromStep"] for event in events(job) if event["type"] == "job-start"] == [0, saved]
    assert output_hashes(job) == output_hashes(undisturbed)


def test_a_job_dies_with_the_process_that_started_it(new_job: Callable[..., Path]) -> None:
    job = new_job(epochs=5000, checkpointEverySteps=1000)
    spawn = "import subprocess, sys, time; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); time.sleep(60)"
    command = [sys.executable, "-c", spawn, *trainer_command("train", job)]
    parent = subprocess.Popen(command, env=trainer_environment(), stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_for_events(job, 2)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def test_events_lost_with_the_disk_cache_cost_no_step(zygote: Zygote, new_job: Callable[..., Path]) -> None:
    undisturbed, job = new_job(), new_job()
    zygote.run("train", undisturbed)
    zygote.run("train", job)
    forget_outputs(job)
    os.truncate(job / "events.jsonl", (job / "events.jsonl").stat().st_size // 2)
    assert zygote.run("train", job).exit_code == 0
    assert output_hashes(job) == output_hashes(undisturbed)
    assert [event["seq"] for event in events(job)] == list(range(len(events(job))))


@pytest.mark.parametrize("damage", ["flip", "truncate", "no-manifest", "torn-manifest", "missing-file", "other-version"])
def test_a_bad_checkpoint_is_told_and_the_one_before_it_used(zygote: Zygote, new_job: Callable[..., Path], damage: str) -> None:
    job = new_job()
    zygote.run("train", job)
    hashes = output_hashes(job)
    forget_outputs(job)
    damage_checkpoint(job / "checkpoints" / "step-000012", damage)
    assert zygote.run("train", job).exit_code == 0
    assert output_hashes(job) == hashes
    log = events(job)
    assert [event["resumedFromStep"] for event in log if event["type"] == "job-start"] == [0, 10]
    assert ["step-000012 is not used" in event["message"] for event in log if event["type"] == "job-warning"] == [True]


def test_without_a_good_checkpoint_a_job_starts_over(zygote: Zygote, new_job: Callable[..., Path]) -> None:
    job = new_job()
    zygote.run("train", job)
    hashes = output_hashes(job)
    forget_outputs(job)
    for checkpoint in (job / "checkpoints").iterdir():
        damage_checkpoint(checkpoint, "flip")
    assert zygote.run("train", job).exit_code == 0
    assert output_hashes(job) == hashes
    assert [event["type"] for event in events(job)][:4] == ["job-start", "job-warning", "job-warning", "training-step"]


def test_a_checkpoint_of_another_job_is_not_used(zygote: Zygote, new_job: Callable[..., Path]) -> None:
    job, fresh = new_job(), new_job(learningRate=0.02)
    zygote.run("train", job)
    zygote.run("train", fresh)
    shutil.copyfile(fresh / "job.json", job / "job.json")
    assert zygote.run("train", job).exit_code == 0
    assert output_hashes(job) == output_hashes(fresh)


def test_equal_jobs_give_equal_bytes_and_a_finished_job_is_not_run_again(zygote: Zygote, new_job: Callable[..., Path]) -> None:
    first, second = new_job(), new_job()
    zygote.run("train", first)
    zygote.run("train", second)
    assert output_hashes(first) == output_hashes(second)
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert zygote.run("train", first).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*")} == before


def test_only_the_last_two_checkpoints_are_kept(zygote: Zygote, new_job: Callable[..., Path]) -> None:
    job = new_job()
    zygote.run("train", job)
    assert sorted(path.name for path in (job / "checkpoints").iterdir()) == ["step-000010", "step-000012"]


@pytest.mark.parametrize("room", [150, 1_000, 20_000, 70_000, 110_000])
def test_without_room_for_a_file_a_job_stops_with_one_clear_error_and_costs_nothing(
    zygote: Zygote, new_job: Callable[..., Path], room: int
) -> None:
    """No file may be larger than `room`: the first event, an event between two checkpoints, a checkpoint's weights, its moments."""
    undisturbed, job = new_job(), new_job()
    zygote.run("train", undisturbed)
    full = zygote.run("train", job, max_file_bytes=room)
    assert full.exit_code == 2
    assert full.stderr.startswith("error: trainer.disk-full: no room left to write: ")
    assert full.stderr.count("\n") == 1
    assert_nothing_is_half_written(job)
    assert zygote.run("train", job).exit_code == 0
    assert output_hashes(job) == output_hashes(undisturbed)


def assert_nothing_is_half_written(job: Path) -> None:
    """No temporary file, no model without a result, whole events and whole checkpoints only."""
    assert [path for path in job.rglob("*") if path.name.startswith(".")] == []
    assert not (job / "result.json").exists()
    data = (job / "events.jsonl").read_bytes() if (job / "events.jsonl").exists() else b""
    assert data == b"" or data.endswith(b"\n")
    for checkpoint in job.glob("checkpoints/*"):
        manifest = json.loads((checkpoint / "manifest.json").read_bytes())
        assert {name: file_hash(checkpoint / name) for name in manifest["files"]} == manifest["files"]


FULL_DISK = """
import json, os, shutil, subprocess, sys
from pathlib import Path
job, disk, first, later = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]

def train():
    from trainer.__main__ import main
    read, write = os.pipe()
    if os.fork() == 0:
        os.dup2(write, 2)
        os._exit(main(["train", str(disk / "job")]))
    os.close(write)
    stderr = os.fdopen(read).read()
    return os.waitstatus_to_exitcode(os.wait()[1]), stderr

subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={first}", "none", disk], check=True)
(disk / "job").mkdir()
shutil.copyfile(job / "job.json", disk / "job" / "job.json")
full = train()
shutil.copytree(disk / "job", job / "full")
subprocess.run(["mount", "-o", f"remount,size={later}", disk], check=True)
again = train()
shutil.copytree(disk / "job", job / "again")
print(json.dumps([full, again]))
"""


def can_mount() -> bool:
    command = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not can_mount(), reason="this machine allows no file system of one's own")
def test_on_a_full_disk_a_job_stops_with_one_clear_error_and_goes_on_when_there_is_room(
    tmp_path: Path, zygote: Zygote, new_job: Callable[..., Path]
) -> None:
    undisturbed, job = new_job(), new_job()
    zygote.run("train", undisturbed)
    (tmp_path / "disk").mkdir()
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", FULL_DISK, job, tmp_path / "disk", "400k", "4m"]
    ended = subprocess.run(command, env=trainer_environment(), capture_output=True, text=True, check=True)
    (exit_code, stderr), (exit_code_again, _) = json.loads(ended.stdout)
    assert (exit_code, stderr.count("\n")) == (2, 1)
    assert stderr.startswith("error: trainer.disk-full: no room left to write: [Errno 28] No space left on device")
    assert_nothing_is_half_written(job / "full")
    assert len(list((job / "full" / "checkpoints").iterdir())) > 0
    assert exit_code_again == 0
    assert output_hashes(job / "again") == output_hashes(undisturbed)


def start(job: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(trainer_command("train", job), env=trainer_environment())


def wait_for_events(job: Path, num_events: int) -> None:
    path, deadline = job / "events.jsonl", time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < num_events:
        assert time.monotonic() < deadline, "the trainer did not get there"
        time.sleep(0.002)


def steps_in(job: Path) -> list[int]:
    return [event["step"] for event in events(job) if event["type"] == "training-step"]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def forget_outputs(job: Path) -> None:
    """Back to the instant after the last checkpoint."""
    shutil.rmtree(job / "model")
    (job / "optimizer.safetensors").unlink()
    (job / "result.json").unlink()


def damage_checkpoint(checkpoint: Path, damage: str) -> None:
    weights, manifest = checkpoint / "model.safetensors", checkpoint / "manifest.json"
    match damage:
        case "flip":
            data = bytearray(weights.read_bytes())
            data[-3] ^= 1
            weights.write_bytes(data)
        case "truncate":
            os.truncate(weights, 100)
        case "no-manifest":
            manifest.unlink()
        case "torn-manifest":
            os.truncate(manifest, 20)
            assert not is_json(manifest)
        case "other-version":
            manifest.write_text(manifest.read_text().replace('"format":1', '"format":0'))
        case "missing-file":
            (checkpoint / "optimizer.safetensors").unlink()


def is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True
