"""Reinforcement learning on one batch file: clipped policy loss, KL to a frozen reference, AdamW.

Logits are computed for action tokens only. How rows are laid out for the model (layouts/) changes no gradient, because rows are
weighted by counts of the whole minibatch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from model.errors import Diverged, InvalidJob
from model.files import file_hash, replace_file, sha256_file, temporary_of
from trainer.adapter import read_adapter
from trainer.backends import Backend, backend_of
from trainer.batch import Batch, Row, read_batch
from trainer.canary import make_canary, write_canary
from trainer.contracts import AdapterJob, Hyperparameters, TrainingJob, read_training_job
from trainer.layouts import lay_out, micro_batches
from trainer.layouts.fit import choose_layout
from trainer.layouts.flat import Flat
from trainer.loss import MinibatchCounts, clipped_loss, importance_weights, k3_divergence, ratios, row_weight
from trainer.model_files import policy_hash
from trainer.optimizers import AdamW, clear_gradients, gradient_norm
from trainer.plan import minibatch, num_steps
from trainer.policy import BaseOf, TrainablePolicy
from trainer.tensor_files import write_tensors


class Scorer(Protocol):
    """Anything that says how probable tokens are: the policy, or a frozen reference."""

    def logprobs(self, flat: Flat, temperature: float) -> tuple[Tensor, Tensor]: ...


@dataclass
class StepSums:
    """Sums over the rows computed in one step; the metrics of the contract follow from them."""

    loss: float = 0.0
    policy_loss: float = 0.0
    kl: float = 0.0
    entropy: float = 0.0
    ratio: float = 0.0
    ratio_max: float = 0.0
    num_clipped: int = 0
    num_truncated: int = 0
    num_tokens: int = 0
    num_rows: int = 0

    def metrics(self, norm: float, learning_rate: float) -> dict[str, Any]:
        tokens = max(1, self.num_tokens)
        return {
            "loss": self.loss,
            "policyLoss": self.policy_loss,
            "kl": self.kl / tokens,
            "entropy": self.entropy / tokens,
            "ratioMean": self.ratio / tokens if self.num_tokens else 1.0,
            "ratioMax": self.ratio_max if self.num_tokens else 1.0,
            "clipFraction": self.num_clipped / tokens,
            "truncatedFraction": self.num_truncated / tokens,
            "gradientNorm": norm,
            "numTokens": self.num_tokens,
            "numRows": self.num_rows,
            "learningRate": learning_rate,
        }


class TrainLearner:
    step_event = "training-step"
    mark_event = ""
    warnings: Sequence[tuple[str, str]] = ()

    def __init__(self, job: TrainingJob, batch: Batch, policy: TrainablePolicy, reference: Scorer | None) -> None:
        self.job_id, self.identity, self.device = job.job_id, job.identity, str(policy.device)
        self.num_devices = int(policy.device.type == "cuda")
        self._job, self._hyper, self._batch = job, job.hyperparameters, batch
        self._policy, self._reference = policy, reference
        self._reference_logprobs: dict[int, Tensor] = {}
        self._layout = policy.backend.layout if self._hyper.layout == "auto" else self._hyper.layout
        self._old_logprobs = {} if self._hyper.importance_truncation is None else self._start_logprobs()
        self._optimizer = AdamW(policy.named_parameters(), self._hyper.betas, self._hyper.weight_decay)
        self.checkpoint_every_steps = self._hyper.checkpoint_every_steps
        self.total_steps = num_steps(len(batch.rows), self._hyper.num_minibatches, self._hyper.epochs)

    def take_step(self, step: int, check: Callable[[], None]) -> dict[str, Any]:
        indices = minibatch(len(self._batch.rows), self._hyper.num_minibatches, self._job.seed, step)
        sums = self._accumulate_gradients(indices, check)
        norm = self._clip_gradients(step, sums.loss)
        learning_rate = self._hyper.learning_rate * (min(1.0, step / self._hyper.warmup_steps) if self._hyper.warmup_steps else 1.0)
        self._optimizer.step(learning_rate)
        advantages = advantage_by_turn([self._batch.rows[index] for index in indices])
        return {**sums.metrics(norm, learning_rate), "advantageByTurn": advantages}

    def _accumulate_gradients(self, indices: list[int], check: Callable[[], None]) -> StepSums:
        clear_gradients(parameter for _, parameter in self._policy.named_parameters())
        rows = {index: self._batch.rows[index] for index in indices}
        counts = MinibatchCounts(len(rows), max(1, sum(row.num_actions for row in rows.values())))
        sums = StepSums()
        live = [(index, row) for index, row in rows.items() if row.num_actions and not (row.is_silent and self._hyper.kl_weight == 0)]
        for micro_batch in self._micro_batches(live):
            check()
            self._micro_batch_backward(micro_batch, counts, sums)
        return sums

    def _micro_batches(self, rows: list[tuple[int, Row]]) -> list[list[tuple[int, Row]]]:
        return micro_batches(self._layout, rows, self._hyper.micro_batch_tokens)

    def _micro_batch_backward(self, rows: list[tuple[int, Row]], counts: MinibatchCounts, sums: StepSums) -> None:
        found = action_logprobs(self._policy, [row for _, row in rows], self._layout, self._job.temperature)
        references = self._reference_of(rows)
        losses: list[Tensor] = []
        for (index, row), (logprobs_N, entropies_N), reference_N in zip(rows, found, references, strict=True):
            weight = row_weight(self._hyper.aggregation, row.num_actions, counts)
            sums.entropy += entropies_N.sum().item()
            losses.append(self._row_loss(index, row, logprobs_N, reference_N, weight, sums))
        torch.stack(losses).sum().backward()

    def _row_loss(self, index: int, row: Row, logprobs_N: Tensor, reference_N: Tensor | None, weight: float, sums: StepSums) -> Tensor:
        device, hyper = self._policy.device, self._hyper
        behaviour_N = row.sampling_logprobs.to(device)
        old_N = self._old_logprobs.get(index, behaviour_N)
        ratios_N = ratios(logprobs_N, old_N)
        policy_N, clipped_N = clipped_loss(ratios_N, row.advantages.to(device), hyper.clip_low, hyper.clip_high, hyper.dual_clip)
        if hyper.importance_truncation is not None:
            policy_N = policy_N * importance_weights(old_N, behaviour_N, hyper.importance_truncation)
            sums.num_truncated += int((ratios(old_N, behaviour_N) > hyper.importance_truncation).sum())
        kl_N = torch.zeros_like(logprobs_N) if reference_N is None else k3_divergence(logprobs_N, reference_N)
        loss = weight * (policy_N + hyper.kl_weight * kl_N).sum()
        sums.loss += loss.item()
        sums.policy_loss += weight * policy_N.sum().item()
        sums.kl += kl_N.sum().item()
        sums.ratio += ratios_N.sum().item()
        sums.ratio_max = max(sums.ratio_max, ratios_N.max().item())
        sums.num_clipped += int(clipped_N.sum())
        sums.num_tokens += row.num_actions
        sums.num_rows += 1
        return loss

    def _start_logprobs(self) -> dict[int, Tensor]:
        """What the trainer computes for the policy that the job starts from. A function of the job alone: a resumed one computes it again
        before it loads its checkpoint."""
        return self._logprobs_under(self._policy, self._rows_with_actions())

    def _rows_with_actions(self) -> list[tuple[int, Row]]:
        return [(index, row) for index, row in enumerate(self._batch.rows) if row.num_actions]

    def _logprobs_under(self, scorer: Scorer, rows: list[tuple[int, Row]]) -> dict[int, Tensor]:
        found: dict[int, Tensor] = {}
        for micro_batch in self._micro_batches(rows):
            with torch.no_grad():
                logprobs = action_logprobs(scorer, [row for _, row in micro_batch], self._layout, self._job.temperature)
            found.update({index: logprobs_N for (index, _), (logprobs_N, _) in zip(micro_batch, logprobs, strict=True)})
        return found

    def _reference_of(self, rows: list[tuple[int, Row]]) -> list[Tensor | None]:
        """Log-probabilities under the frozen reference, computed once per row; None without a KL term."""
        if self._reference is None:
            return [None for _ in rows]
        missing = [(index, row) for index, row in rows if index not in self._reference_logprobs]
        if missing:
            with torch.no_grad():
                found = action_logprobs(self._reference, [row for _, row in missing], self._layout, self._job.temperature)
            self._reference_logprobs.update({index: logprobs_N for (index, _), (logprobs_N, _) in zip(missing, found, strict=True)})
        return [self._reference_logprobs[index] for index, _ in rows]

    def _clip_gradients(self, step: int, loss: float) -> float:
        """The norm before clipping. Raises Diverged when a guard fires; the weights are then those of the step before."""
        parameters = [parameter for _, parameter in self._policy.named_parameters()]
        norm = self._gradient_norm()
        if not (isfinite(loss) and isfinite(norm)):
            raise Diverged(f"step {step}: loss {loss}, gradient norm {norm}")
        if norm > self._hyper.max_gradient_norm:
            raise Diverged(f"step {step}: gradient norm {norm:.4g} exceeds maxGradientNorm {self._hyper.max_gradient_norm:.4g}")
        if norm > self._hyper.gradient_clip:
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad.mul_(self._hyper.gradient_clip / norm)
        return norm

    def _gradient_norm(self) -> float:
        return gradient_norm(parameter for _, parameter in self._policy.named_parameters()).item()

    def measure(self, step: int) -> dict[str, Any] | None:
        return None

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        return {"model": self._policy.weights(), "optimizer": self._optimizer.state()}

    def load_tensors(self, tensors: dict[str, dict[str, Tensor]]) -> None:
        self._policy.load_weights(tensors["model"])
        self._optimizer.load_state(tensors["optimizer"])

    def load_optimizer(self, path: Path) -> None:
        try:
            self._optimizer.load_state(self._read_moments(path))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise InvalidJob(f"optimizerState {path.name} does not fit the model: {error}") from None

    def _read_moments(self, path: Path) -> dict[str, Tensor]:
        return load_file(path)

    def export(self, model_directory: Path) -> None:
        self._policy.export(model_directory, self._job.model_hash)

    def result(self, job_directory: Path, steps: list[dict[str, Any]], marks: list[dict[str, Any]]) -> dict[str, Any]:
        moments = job_directory / "optimizer.safetensors"
        write_tensors(temporary_of(moments), self._optimizer.state())
        return commit_outputs(job_directory, moments, self._canary(), steps)

    def _canary(self) -> dict[str, Any]:
        score = partial(self._logprobs_under, self._policy)
        return make_canary(self._batch.rows, score, self._job.temperature, self._policy.backend.compute_dtype)


def commit_outputs(job_directory: Path, moments: Path, canary: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    """The files beside the exported policy, that of the moments being written already, and the fields of result.json that name them."""
    replace_file(temporary_of(moments), moments)
    return {"optimizerState": file_hash(moments), "canary": write_canary(job_directory, canary), "steps": steps}


def advantage_by_turn(rows: list[Row]) -> list[dict[str, float]]:
    """Mean advantage of the action tokens of each turn index, over rows."""
    turn_ids, advantages = torch.cat([row.turn_ids for row in rows]), torch.cat([row.advantages for row in rows])
    return [{"turn": turn, "mean": advantages[turn_ids == turn].mean().item()} for turn in turn_ids.unique().tolist()]


def prepare(directory: Path) -> tuple[TrainingJob, Callable[[], TrainLearner]]:
    """The job, and how to begin with it: whether it is done already is seen before a model is loaded."""
    job = read_training_job(directory)
    return job, lambda: create_learner(job)


def create_learner(
    job: TrainingJob,
    backend: Backend | None = None,
    make: Callable[[TrainingJob, Batch, TrainablePolicy, Scorer | None], TrainLearner] = TrainLearner,
) -> TrainLearner:
    """Reads batch, model, reference and moments. Raises InvalidJob for anything that cannot be trained on, before the first step.

    A back-end is given by tests, to run the settings of a GPU on a CPU, and by `fsdp`, which makes a learner of its own; else it is the
    job's.
    """
    check_hyperparameters(job.hyperparameters)
    batch = read_batch(job.batch_path, job.batch_sha256)
    if policy_hash(job.model_directory) != job.model_hash:
        raise InvalidJob(f"the files of {job.model_directory} do not have modelHash")
    backend = backend or backend_of(job.backend)
    if not job.hyperparameters.gradient_checkpointing:
        backend = replace(backend, recompute=False)
    check_tokenizer(batch, job.model_directory)
    policy, reference = TrainablePolicy(job.model_directory, backend), load_reference(job, backend)
    check_fit(batch, policy)
    layout, problems = choose_layout([policy, *([] if reference is None else [reference])], layouts_of(job.hyperparameters, backend))
    put_adapter_on(policy, job)
    scorer = scorer_of(job, policy, reference)
    learner = make(replace(job, hyperparameters=replace(job.hyperparameters, layout=layout)), batch, policy, scorer)
    learner.warnings = [("trainer.layout-changed", f"{problem}: rows are computed as {layout}") for problem in problems]
    if job.optimizer_state is not None:
        learner.load_optimizer(job.optimizer_state)
    return learner


def layouts_of(hyper: Hyperparameters, backend: Backend) -> list[str]:
    """The layout that the job names, or those that `auto` may stand for, the best first."""
    if hyper.layout != "auto":
        return [hyper.layout]
    return list(dict.fromkeys([backend.layout, *(["padded"] if backend.layout != "loop" else []), "loop"]))


def put_adapter_on(policy: TrainablePolicy, job: TrainingJob) -> None:
    """The policy is then what the job trains: the whole model, or an adapter on it, fresh or the one that it goes on from."""
    if job.adapter is None:
        policy.check_export()
        return
    directory = job.adapter.directory
    start = None if directory is None else read_start(job.adapter, directory, job.model_hash)
    policy.add_adapter(job.adapter.shape, job.seed)
    if directory is not None and start is not None:
        policy.load_adapter(start, directory)


def read_start(adapter: AdapterJob, directory: Path, base_hash: str) -> dict[str, Tensor]:
    if policy_hash(directory) != adapter.hash:
        raise InvalidJob(f"the files of {directory} do not have the adapter's hash")
    return read_adapter(directory, adapter.shape, base_hash)


def check_hyperparameters(hyper: Hyperparameters) -> None:
    if not all(0 <= beta < 1 for beta in hyper.betas):
        raise InvalidJob(f"betas {hyper.betas} must lie in [0, 1)")
    if hyper.clip_low >= 1:
        raise InvalidJob(f"clipLow {hyper.clip_low} must be less than 1")


def check_tokenizer(batch: Batch, directory: Path) -> None:
    """Token ids mean nothing under another tokenizer, and most of them would be in range."""
    expected, path = batch.header.get("tokenizerSha256"), directory / "tokenizer.json"
    if expected is not None and not (path.is_file() and sha256_file(path) == expected):
        raise InvalidJob(f"the batch is of another tokenizer than {path}")


def check_fit(batch: Batch, policy: TrainablePolicy) -> None:
    if batch.max_token_id >= policy.vocab_size:
        raise InvalidJob(f"batch: token id {batch.max_token_id} is outside the model's vocabulary of {policy.vocab_size}")
    if batch.max_length > policy.max_positions:
        raise InvalidJob(f"batch: a row of {batch.max_length} tokens exceeds the model's {policy.max_positions} positions")


def load_reference(job: TrainingJob, backend: Backend) -> TrainablePolicy | None:
    """The policy of the KL term, as it is loaded; None where there is no such term, or where it is the base of the adapter."""
    if job.hyperparameters.kl_weight == 0:
        return None
    if job.reference_directory is None:
        raise InvalidJob("klWeight is above 0 but referenceDirectory is null")
    if job.adapter is not None and policy_hash(job.reference_directory) == job.model_hash:
        return None
    return TrainablePolicy(job.reference_directory, backend)


def scorer_of(job: TrainingJob, policy: TrainablePolicy, reference: TrainablePolicy | None) -> Scorer | None:
    """The frozen policy of the KL term: for an adapter whose base it is, the policy itself without the adapter."""
    if job.hyperparameters.kl_weight == 0:
        return None
    if reference is None:
        return BaseOf(policy)
    if reference.vocab_size != policy.vocab_size:
        raise InvalidJob(f"the reference has {reference.vocab_size} tokens, the policy {policy.vocab_size}")
    return reference.freeze()


def action_logprobs(policy: Scorer, rows: list[Row], layout: str, temperature: float) -> list[tuple[Tensor, Tensor]]:
    """Log-probabilities and entropies of the action tokens of each row, the rows of a micro-batch being computed together."""
    flat = lay_out(layout, rows)
    logprobs_N, entropies_N = policy.logprobs(flat, temperature)
    return list(zip(logprobs_N.split(flat.num_actions), entropies_N.split(flat.num_actions), strict=True))
