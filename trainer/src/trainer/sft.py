"""Supervised training of a small Qwen3 on conversations: cross entropy on the trained segments.

Rows of similar length share a right-padded batch. No attention mask: attention is causal, so padding on the right is never seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from model.errors import Diverged, InvalidJob
from model.shape import qwen3_config, qwen3_shape, read_config
from trainer.contracts import SftJob, read_sft_job
from trainer.corpus import read_corpus
from trainer.initial_model import shape_of
from trainer.model_files import copy_tokenizer, write_model
from trainer.optimizers import AdamW, Muon, clear_gradients, gradient_norm
from trainer.plan import length_sorted_batches
from trainer.qwen3 import Qwen3, initialize, load_weights
from trainer.tokenizer import SegmentEncoder

ADAM_BETAS = (0.9, 0.95)
VALIDATION_ROWS = 16


@dataclass(frozen=True)
class Row:
    token_ids: Tensor
    trained: Tensor


class SftLearner:
    step_event = "sft-step"
    mark_event = "sft-validation"
    warnings: Sequence[tuple[str, str]] = ()
    device = "cpu"
    num_devices = 0

    def __init__(self, job: SftJob, model: Qwen3, rows: list[Row], validation_rows: list[Row]) -> None:
        self.job_id, self.identity = job.job_id, job.identity
        self.checkpoint_every_steps = job.checkpoint_every_steps
        self._job, self._model, self._rows, self._validation_rows = job, model, rows, validation_rows
        lengths = [len(row.token_ids) for row in rows]
        self._plan = length_sorted_batches(lengths, job.rows_per_batch, job.max_tokens, job.seed)
        self.total_steps = len(self._plan)
        parameters = list(model.named_parameters())
        self._muon = Muon([item for item in parameters if is_hidden_matrix(*item)])
        self._adam = AdamW([item for item in parameters if not is_hidden_matrix(*item)], ADAM_BETAS)

    def take_step(self, step: int, check: Callable[[], None]) -> dict[str, Any]:
        rows = [self._rows[index] for index in self._plan[step - 1]]
        loss_sum, num_trained = batch_loss(self._model, rows)
        loss = loss_sum / num_trained
        loss.backward()
        norm = gradient_norm(self._model.parameters()).item()
        if not (isfinite(loss.item()) and isfinite(norm)):
            raise Diverged(f"step {step}: loss {loss.item()}, gradient norm {norm}")
        scale = learning_rate_scale(step, self.total_steps, self._job.warmup_steps, self._job.decay_share)
        self._muon.step(self._job.matrix_learning_rate * scale)
        self._adam.step(self._job.learning_rate * scale)
        clear_gradients(self._model.parameters())
        return {
            "loss": loss.item(),
            "gradientNorm": norm,
            "numTokens": sum(len(row.token_ids) for row in rows),
            "numTrainedTokens": num_trained,
            "numRows": len(rows),
            "learningRate": self._job.learning_rate * scale,
        }

    def measure(self, step: int) -> dict[str, Any] | None:
        if not self._validation_rows:
            return None
        rows = sorted(self._validation_rows, key=lambda row: len(row.token_ids))
        loss_sum, num_tokens = 0.0, 0
        with torch.no_grad():
            for start in range(0, len(rows), VALIDATION_ROWS):
                batch_sum, num_trained = batch_loss(self._model, rows[start : start + VALIDATION_ROWS])
                loss_sum, num_tokens = loss_sum + batch_sum.item(), num_tokens + num_trained
        return {"validation": {"step": step, "loss": loss_sum / num_tokens, "numTokens": num_tokens}}

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        return {"model": self._weights(), "muon": self._muon.state(), "adam": self._adam.state()}

    def load_tensors(self, tensors: dict[str, dict[str, Tensor]]) -> None:
        with torch.no_grad():
            for name, parameter in self._model.named_parameters():
                parameter.copy_(tensors["model"][name])
        self._muon.load_state(tensors["muon"])
        self._adam.load_state(tensors["adam"])

    def export(self, model_directory: Path) -> None:
        write_model(model_directory, qwen3_config(self._model.shape), self._weights())
        copy_tokenizer(self._job.tokenizer_directory, model_directory)

    def result(self, job_directory: Path, steps: list[dict[str, Any]], marks: list[dict[str, Any]]) -> dict[str, Any]:
        total_tokens = sum(step["numTokens"] for step in steps)
        return {"totalTokens": total_tokens, "steps": steps, "validations": [mark["validation"] for mark in marks]}

    def _weights(self) -> dict[str, Tensor]:
        return {name: parameter.detach() for name, parameter in self._model.named_parameters()}


def prepare(directory: Path) -> tuple[SftJob, Callable[[], SftLearner]]:
    """The job, and how to begin with it: whether it is done already is seen before the data is read."""
    job = read_sft_job(directory)
    return job, lambda: create_learner(job)


def create_learner(job: SftJob) -> SftLearner:
    """Reads tokenizer, data and initial weights. Raises InvalidJob for anything that cannot be trained on."""
    encoder = SegmentEncoder(job.tokenizer_directory / "tokenizer.json")
    model = create_model(job, encoder.vocab_size)
    rows = read_rows(job.data_path, encoder, job.model_config.max_positions)
    if not rows:
        raise InvalidJob(f"{job.data_path} has no rows")
    validation = read_rows(job.validation_path, encoder, job.model_config.max_positions) if job.validation_path else []
    return SftLearner(job, model, rows, validation)


def create_model(job: SftJob, vocab_size: int) -> Qwen3:
    shape = shape_of(job.model_config, vocab_size)
    model = Qwen3(shape)
    if job.initial_model_directory is None:
        initialize(model, job.seed)
        return model
    if qwen3_shape(read_config(job.initial_model_directory)) != shape:
        raise InvalidJob(f"the model in {job.initial_model_directory} is not of modelConfig and of the tokenizer's {vocab_size} tokens")
    load_weights(model, job.initial_model_directory)
    return model


def read_rows(path: Path, encoder: SegmentEncoder, max_positions: int) -> list[Row]:
    rows = []
    for number, segments in enumerate(read_corpus(path), start=1):
        ids, trained = encoder.encode(segments)
        if not any(trained[1:]):
            raise InvalidJob(f"{path.name} line {number}: no token to train on")
        if len(ids) > max_positions:
            raise InvalidJob(f"{path.name} line {number}: {len(ids)} tokens exceed maxPositions {max_positions}")
        rows.append(Row(torch.tensor(ids), torch.tensor(trained)))
    return rows


def batch_loss(model: Qwen3, rows: Sequence[Row]) -> tuple[Tensor, int]:
    """Sum of -log p over the trained tokens of some rows, and how many there are."""
    token_ids_BS = torch.nn.utils.rnn.pad_sequence([row.token_ids for row in rows], batch_first=True)
    trained_BS = torch.nn.utils.rnn.pad_sequence([row.trained for row in rows], batch_first=True)[:, 1:]
    hidden_ND = model.hidden(token_ids_BS[:, :-1])[trained_BS]
    targets_N = token_ids_BS[:, 1:][trained_BS]
    return F.cross_entropy(model.logits(hidden_ND), targets_N, reduction="sum"), len(targets_N)


def learning_rate_scale(step: int, total_steps: int, warmup_steps: int, decay_share: float) -> float:
    """Linear from 0 in the first `warmup_steps`, linear to 0 in the last `decay_share` of the steps, 1 between."""
    warmup = step / warmup_steps if warmup_steps else 1.0
    decay_steps = total_steps * decay_share
    decay = (total_steps - step + 1) / decay_steps if decay_steps else 1.0
    return min(1.0, warmup, decay)


def is_hidden_matrix(name: str, parameter: Tensor) -> bool:
    return parameter.ndim == 2 and name.startswith("model.layers.")
