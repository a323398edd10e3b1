"""The life of a job: read it, go on from its last good checkpoint, take optimizer steps, export, commit result.json last.

Everything that a step needs is a pure function of the job and the step's number, apart from the tensors in the checkpoint.
So a job that is killed at any instant and started again ends with the same bytes as one that was left alone.
"""

import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from model.errors import Terminated
from model.files import file_hash, fresh_directory, replace_directory, write_atomic
from trainer import __version__
from trainer.events import EventLog, NoEvents
from trainer.usage import Usage

if TYPE_CHECKING:
    from trainer.checkpoint import Checkpoints

# Idle OpenMP threads must not spin (Intel's runtime reads the first, GNU's the second): beside another busy process that costs
# up to 38 times the run time.
os.environ.setdefault("KMP_BLOCKTIME", "0")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

Metrics = dict[str, Any]


class Watch(Protocol):
    def check(self) -> None:
        """Raises Terminated when the job is asked to stop. See supervision.py."""
        ...


class Learner(Protocol):
    """One kind of job: what a step does and what there is to save. `train` and `sft` each have one."""

    job_id: str
    identity: str
    total_steps: int
    checkpoint_every_steps: int
    device: str
    num_devices: int
    """GPUs; 0 on a CPU."""
    step_event: str
    mark_event: str
    warnings: Sequence[tuple[str, str]]
    """What whoever started the job should know before the first step: code and message."""

    def take_step(self, step: int, check: Callable[[], None]) -> Metrics:
        """Takes optimizer step `step` (from 1) and returns its metrics. When it raises, nothing has changed."""
        ...

    def measure(self, step: int) -> Metrics | None:
        """Fields of a further event, measured whenever a checkpoint is due; deterministic.

        The checkpoint with the lowest `validation.loss` among them is the best and kept.
        """
        ...

    def tensors(self) -> dict[str, dict[str, Any]]:
        """Weights and optimizer state, by safetensors file and name."""
        ...

    def load_tensors(self, tensors: dict[str, dict[str, Any]]) -> None: ...

    def export(self, model_directory: Path) -> None:
        """Writes the files of model/ into an empty directory."""
        ...

    def result(self, job_directory: Path, steps: list[Metrics], marks: list[Metrics]) -> Metrics:
        """The fields of result.json beyond those of every job. A file named in them is written here."""
        ...


def configure_torch(threads: int) -> None:
    """Deterministic kernels and as many threads as the job says.

    The debug mode "error" is use_deterministic_algorithms(True) without that function's import of the compiler (3 s).
    """
    import torch

    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("error")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # nobody reads it


class JobRun:
    """One attempt at a job. The ranks of an `fsdp` job each make it, at the same pace; the first of them is its writer."""

    def __init__(self, directory: Path, learner: Learner, supervision: Watch, checkpoints: "Checkpoints", is_writer: bool = True) -> None:
        self._directory = directory
        self._learner = learner
        self._supervision = supervision
        self._checkpoints = checkpoints
        self._is_writer = is_writer
        if is_writer:
            checkpoints.root.mkdir(exist_ok=True)
        self._events = EventLog(directory / "events.jsonl") if is_writer else NoEvents()
        self._steps: list[Metrics] = []
        self._marks: list[Metrics] = []
        self._saved_step = 0
        self._usage = Usage(directory, learner.num_devices) if is_writer else None

    def run(self) -> None:
        try:
            self._resume()
            for step in range(self._saved_step + 1, self._learner.total_steps + 1):
                self._take_step(step)
            self._finish()
        except Terminated:
            self._write_usage()
            raise

    def _write_usage(self) -> None:
        if self._usage is not None:
            self._usage.write()

    def _resume(self) -> None:
        warnings: list[str] = []
        checkpoint = self._checkpoints.load_last_good(self._learner.tensors(), warnings.append)
        if checkpoint is None:
            self._events.restore(num_bytes=0)
        else:
            self._learner.load_tensors(checkpoint.tensors)
            self._steps, self._marks = checkpoint.state["steps"], checkpoint.state["marks"]
            self._saved_step = checkpoint.step
            self._events.restore(checkpoint.state["eventBytes"])
        self._events.append(
            "job-start",
            jobId=self._learner.job_id,
            totalSteps=self._learner.total_steps,
            resumedFromStep=self._saved_step,
            device=self._learner.device,
        )
        for code, message in [*self._learner.warnings, *(("trainer.bad-checkpoint", message) for message in warnings)]:
            self._events.append("job-warning", code=code, message=message)

    def _take_step(self, step: int) -> None:
        learner = self._learner
        started = time.perf_counter()
        try:
            self._supervision.check()
            metrics = learner.take_step(step, self._supervision.check)
        except Terminated:
            if step - 1 > self._saved_step:
                self._save(step - 1)
            raise
        self._steps.append(metrics)
        self._events.append(learner.step_event, step=step, metrics=metrics, seconds=round(time.perf_counter() - started, 6))
        if step % learner.checkpoint_every_steps == 0 or step == learner.total_steps:
            mark = learner.measure(step)
            if mark is not None:
                self._marks.append(mark)
                self._events.append(learner.mark_event, **mark)
            self._save(step, None if mark is None else mark["validation"]["loss"])

    def _save(self, step: int, validation_loss: float | None = None) -> None:
        from trainer.checkpoint import Checkpoint

        state = {"steps": self._steps, "marks": self._marks, "eventBytes": self._events.sync()}
        target = self._checkpoints.save(Checkpoint(step, self._learner.tensors(), state, validation_loss))
        self._saved_step = step
        self._write_usage()
        self._events.append("checkpoint-saved", step=step, directory=str(target.relative_to(self._directory)))

    def _finish(self) -> None:
        """Export, job-end, and result.json by rename as the commit of it all. Ranks that do not write still give what they hold."""
        temporary = self._directory / ".model.tmp"
        if self._is_writer:
            fresh_directory(temporary)
        self._learner.export(temporary)
        fields = self._learner.result(self._directory, self._steps, self._marks)
        if self._is_writer:
            self._commit(temporary, fields)

    def _commit(self, temporary: Path, fields: Metrics) -> None:
        replace_directory(temporary, self._directory / "model")
        result = {
            "schemaVersion": 1,
            "jobId": self._learner.job_id,
            "totalSteps": self._learner.total_steps,
            "modelFiles": {path.name: file_hash(path) for path in sorted((self._directory / "model").iterdir())},
            "versions": _versions(),
            **fields,
        }
        self._write_usage()
        self._events.append("job-end", step=self._learner.total_steps)
        self._events.close()
        write_atomic(self._directory / "result.json", (json.dumps(result, indent=1, sort_keys=True) + "\n").encode())


def is_done(directory: Path, job_id: str, identity: str) -> bool:
    """Whether result.json belongs to this very job and model/ is what it says."""
    try:
        result = json.loads((directory / "result.json").read_bytes())
        newest = max((directory / "checkpoints").glob("step-*"))
        owner = json.loads((newest / "manifest.json").read_bytes())["identity"]
        files = {name: file_hash(directory / "model" / name) for name in result["modelFiles"]}
        return result["jobId"] == job_id and owner == identity and files == result["modelFiles"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "torch": version("torch"), "transformers": version("transformers"), "trainer": __version__}
