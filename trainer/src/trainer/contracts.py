"""Where data enters the process: job files are checked against the generated JSON Schemas and become dataclasses in snake_case."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import InvalidJob
from model.files import canonical_json
from model.shape import Qwen3Size

SCHEMAS = Path(__file__).parent / "schemas"


@dataclass(frozen=True)
class Hyperparameters:
    learning_rate: float
    betas: tuple[float, float]
    weight_decay: float
    num_minibatches: int
    epochs: int
    warmup_steps: int
    clip_low: float
    clip_high: float
    dual_clip: float
    kl_weight: float
    gradient_clip: float
    max_gradient_norm: float
    aggregation: str
    checkpoint_every_steps: int
    layout: str
    micro_batch_tokens: int
    importance_truncation: float | None
    gradient_checkpointing: bool = True


@dataclass(frozen=True)
class AdapterShape:
    rank: int
    alpha: float
    target_modules: tuple[str, ...]


@dataclass(frozen=True)
class AdapterJob:
    shape: AdapterShape
    directory: Path | None
    hash: str | None


@dataclass(frozen=True)
class TrainingJob:
    job_id: str
    backend: str
    threads: int
    model_directory: Path
    model_hash: str
    reference_directory: Path | None
    optimizer_state: Path | None
    batch_path: Path
    batch_sha256: str
    temperature: float
    hyperparameters: Hyperparameters
    seed: int
    identity: str
    num_processes: int = 1
    adapter: AdapterJob | None = None


@dataclass(frozen=True)
class SftJob:
    job_id: str
    data_path: Path
    validation_path: Path | None
    tokenizer_directory: Path
    model_config: Qwen3Size
    initial_model_directory: Path | None
    max_tokens: int
    rows_per_batch: int
    matrix_learning_rate: float
    learning_rate: float
    warmup_steps: int
    decay_share: float
    checkpoint_every_steps: int
    seed: int
    threads: int
    identity: str


@dataclass(frozen=True)
class TokenizerJob:
    data_path: Path
    vocab_size: int
    special_tokens: list[str]
    atomic_tokens: list[str]
    output_directory: Path


@dataclass(frozen=True)
class InitialModelJob:
    model_config: Qwen3Size
    seed: int
    output_directory: Path


def read_training_job(directory: Path) -> TrainingJob:
    fields = _read_job(directory / "job.json", "TrainingJob")
    hyperparameters = _snake(fields.pop("hyperparameters"))
    hyperparameters["betas"] = tuple(hyperparameters["betas"])
    if fields["backend"] != "fsdp" and fields.get("numProcesses", 1) > 1:
        raise InvalidJob(f"numProcesses {fields['numProcesses']} needs backend fsdp, not {fields['backend']}")
    adapter = fields.pop("adapter", None)
    return TrainingJob(
        **_with_paths(_snake(fields), directory),
        hyperparameters=Hyperparameters(**hyperparameters),
        adapter=None if adapter is None else _adapter_job(adapter, directory),
    )


def _adapter_job(fields: dict[str, Any], base: Path) -> AdapterJob:
    shape = AdapterShape(fields["rank"], fields["alpha"], tuple(fields["targetModules"]))
    return AdapterJob(shape, _with_paths({"directory": fields["directory"]}, base)["directory"], fields["hash"])


def read_sft_job(directory: Path) -> SftJob:
    fields = _read_job(directory / "job.json", "SftJob")
    model_config = Qwen3Size(**_snake(fields.pop("modelConfig")))
    return SftJob(**_with_paths(_snake(fields), directory), model_config=model_config)


def read_tokenizer_job(path: Path) -> TokenizerJob:
    fields = _read_job(path, "TokenizerJob")
    del fields["identity"]
    return TokenizerJob(**_with_paths(_snake(fields), path.parent))


def read_initial_model_job(path: Path) -> InitialModelJob:
    fields = _read_job(path, "InitialModelJob")
    del fields["identity"]
    model_config = Qwen3Size(**_snake(fields.pop("modelConfig")))
    return InitialModelJob(**_with_paths(_snake(fields), path.parent), model_config=model_config)


def validate(value: Any, schema_name: str, what: str) -> None:
    """Raises InvalidJob with the place and reason of the first violation."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    schema = json.loads((SCHEMAS / f"{schema_name}.json").read_text())
    error = best_match(Draft202012Validator(schema).iter_errors(value))
    if error is not None:
        raise InvalidJob(f"{what}: {error.json_path}: {error.message}")


def _read_job(path: Path, schema_name: str) -> dict[str, Any]:
    """The job's fields and `identity`, the hash of its content: a checkpoint belongs to one identity, at any number of processes."""
    try:
        job = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InvalidJob(f"no such file: {path}") from None
    except (OSError, ValueError) as error:
        raise InvalidJob(f"{path} cannot be read as JSON: {error}") from None
    validate(job, schema_name, path.name)
    identity = hashlib.sha256(canonical_json({key: value for key, value in job.items() if key != "numProcesses"}).encode()).hexdigest()
    del job["schemaVersion"]
    return {**job, "identity": identity}


def _snake(fields: dict[str, Any]) -> dict[str, Any]:
    return {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower(): value for key, value in fields.items()}


def _with_paths(fields: dict[str, Any], base: Path) -> dict[str, Any]:
    """Path fields as absolute paths; relative ones start at the job directory."""
    is_path = re.compile(r"(^|_)(path|directory)$|^optimizer_state$")
    return {key: (base / value).resolve() if is_path.search(key) and value is not None else value for key, value in fields.items()}
