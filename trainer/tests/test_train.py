"""Training on a batch: what the gradient depends on, what it does, and that the layout does not matter."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from helpers import random_tensors, run_trainer, tiny_model, write_batch, write_job, write_tiny_model
from trainer.backends import CPU
from trainer.batch import Row
from trainer.contracts import read_training_job
from trainer.loss import MinibatchCounts, clipped_loss, ratios, row_weight
from trainer.policy import TrainablePolicy
from trainer.train import TrainLearner, action_logprobs, create_learner

LENGTHS = [20, 33, 9, 41]
UNPERTURBED = {"numMinibatches": 1, "epochs": 1, "gradientClip": 1e9}


def learner_for(folder: Path, tensors: dict[str, Tensor], hyperparameters: dict[str, Any] | None = None, **fields: Any) -> TrainLearner:
    """A learner on a fresh copy of the tiny model, as `create_learner` makes it from a job directory."""
    model = folder / "base"
    if not model.exists():
        write_tiny_model(model)
    number = len(list(folder.glob("job-*")))
    batch = write_batch(folder / f"batch-{number}.safetensors", tensors)
    job = write_job(folder / f"job-{number}", model, batch, {**UNPERTURBED, **(hyperparameters or {})}, **fields)
    return create_learner(read_training_job(job))


def no_check() -> None:
    return None


def gradients(learner: TrainLearner) -> dict[str, Tensor]:
    """Gradients of the first minibatch, not yet clipped or applied."""
    learner._accumulate_gradients(list(range(len(learner._batch.rows))), no_check)
    return {name: parameter.grad.clone() for name, parameter in learner._policy.named_parameters() if parameter.grad is not None}


def assert_same(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        torch.testing.assert_close(tensor, second[name], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("aggregation", ["token-mean", "seq-mean-token-sum", "seq-mean-token-mean"])
def test_one_row_at_a_time_has_the_gradient_of_the_padded_batch(tmp_path: Path, aggregation: str) -> None:
    learner = learner_for(tmp_path, random_tensors(tiny_model(), LENGTHS), {"aggregation": aggregation})
    assert_same(gradients(learner), padded_gradients(learner._batch.rows, aggregation))


def padded_gradients(rows: list[Row], aggregation: str) -> dict[str, Tensor]:
    """The same loss written the usual way: one padded batch with logits everywhere and a mask."""
    model = tiny_model()
    ids = torch.nn.utils.rnn.pad_sequence([row.token_ids for row in rows], batch_first=True)
    logprobs = model(ids)[:, :-1].log_softmax(-1).gather(2, ids[:, 1:, None]).squeeze(2)
    counts = MinibatchCounts(len(rows), sum(row.num_actions for row in rows))
    total = torch.zeros(())
    for index, row in enumerate(rows):
        losses, _ = clipped_loss(ratios(logprobs[index, row.positions], row.sampling_logprobs), row.advantages, 0.2, 0.2, 3.0)
        total = total + losses.sum() * row_weight(aggregation, row.num_actions, counts)
    total.backward()
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}


def test_splitting_a_minibatch_changes_no_gradient(tmp_path: Path) -> None:
    learner = learner_for(tmp_path, random_tensors(tiny_model(), LENGTHS))
    whole = gradients(learner)
    counts = MinibatchCounts(4, sum(row.num_actions for row in learner._batch.rows))
    model, total = learner._policy, torch.zeros(())
    for part in ([0, 1], [2, 3]):
        for row in (learner._batch.rows[index] for index in part):
            [(logprobs, _)] = action_logprobs(model, [row], "loop", 1.0)
            losses, _ = clipped_loss(ratios(logprobs, row.sampling_logprobs), row.advantages, 0.2, 0.2, 3.0)
            total = total + losses.sum() * row_weight("token-mean", row.num_actions, counts)
    model.module.zero_grad()
    total.backward()
    assert_same(whole, {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None})


def test_ratio_is_one_at_the_first_step(tmp_path: Path) -> None:
    metrics = learner_for(tmp_path, random_tensors(tiny_model(), LENGTHS)).take_step(1, no_check)
    assert metrics["ratioMean"] == pytest.approx(1, abs=1e-5)
    assert metrics["ratioMax"] == pytest.approx(1, abs=1e-4)
    assert metrics["clipFraction"] == 0


def test_ratio_is_one_at_the_sampling_temperature(tmp_path: Path) -> None:
    tensors = random_tensors(tiny_model(), LENGTHS, temperature=0.7)
    assert learner_for(tmp_path, tensors, temperature=0.7).take_step(1, no_check)["ratioMean"] == pytest.approx(1, abs=1e-5)
    assert abs(learner_for(tmp_path, tensors, temperature=1.0).take_step(1, no_check)["ratioMean"] - 1) > 0.01


def total_logprob(learner: TrainLearner) -> float:
    found = action_logprobs(learner._policy, learner._batch.rows, "padded", 1.0)
    return sum(logprobs.sum().item() for logprobs, _ in found)


@pytest.mark.parametrize("advantage", [1.0, -1.0])
def test_a_step_moves_the_policy_with_the_advantage(tmp_path: Path, advantage: float) -> None:
    tensors = random_tensors(tiny_model(), LENGTHS)
    tensors["advantages"] = advantage * tensors["loss_mask"].float()
    learner = learner_for(tmp_path, tensors, {"learningRate": 0.003})
    before = total_logprob(learner)
    learner.take_step(1, no_check)
    after = total_logprob(learner)
    assert (after - before) * advantage > 0.1


def test_tokens_after_the_last_action_change_no_gradient(tmp_path: Path) -> None:
    tensors = random_tensors(tiny_model(), LENGTHS)
    changed = {**tensors, "token_ids": tensors["token_ids"].clone()}
    changed["token_ids"][tensors["row_offsets"][1:] - 1] = 5
    assert_same(gradients(learner_for(tmp_path, tensors)), gradients(learner_for(tmp_path, changed)))


def test_the_loss_reads_the_logits_of_action_tokens_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = random_tensors(tiny_model(), LENGTHS)
    read: list[list[int]] = []
    logits = TrainablePolicy.logits
    monkeypatch.setattr(TrainablePolicy, "logits", lambda self, flat: (read.append((flat.picks_N + 1).tolist()), logits(self, flat))[1])
    gradients(learner_for(tmp_path, tensors))
    masks = tensors["loss_mask"].split(LENGTHS)
    assert read == [mask.nonzero().flatten().tolist() for mask in masks]


def test_another_action_token_changes_the_gradient(tmp_path: Path) -> None:
    tensors = random_tensors(tiny_model(), LENGTHS)
    changed = {**tensors, "token_ids": tensors["token_ids"].clone()}
    last_action = int(tensors["loss_mask"][: LENGTHS[0]].nonzero()[-1])  # nothing follows it: it is a target, no input
    changed["token_ids"][last_action] = (changed["token_ids"][last_action] + 1) % 97
    first, second = gradients(learner_for(tmp_path, tensors)), gradients(learner_for(tmp_path, changed))
    assert any((first[name] - second[name]).abs().max() > 1e-6 for name in first)


def test_skipping_rows_without_advantage_changes_no_gradient(tmp_path: Path) -> None:
    tensors = random_tensors(tiny_model(), LENGTHS)
    tensors["advantages"][: LENGTHS[0]] = 0
    skipping, reference = learner_for(tmp_path, tensors), tmp_path / "base"
    computing = learner_for(tmp_path, tensors, {"klWeight": 1e-12}, referenceDirectory=str(reference))
    assert_same(gradients(skipping), gradients(computing))
    assert skipping.take_step(1, no_check)["numRows"] == 3
    assert computing.take_step(1, no_check)["numRows"] == 4


def test_the_kl_term_pulls_the_policy_back_to_the_reference(tmp_path: Path) -> None:
    tensors = random_tensors(tiny_model(), LENGTHS)
    tensors["advantages"].zero_()
    reference = write_tiny_model(tmp_path / "reference", seed=1)
    fields = {"learningRate": 0.003, "klWeight": 1.0, "epochs": 30}
    learner = learner_for(tmp_path, tensors, fields, referenceDirectory=str(reference))
    divergences = [learner.take_step(step, no_check)["kl"] for step in range(1, 31)]
    assert divergences[-1] < 0.5 * divergences[0]


def test_other_architectures_train_through_transformers(tmp_path: Path) -> None:
    """A Llama directory, which our module does not know, takes the same path and ends with finite, changed weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=97, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path / "llama")
    (tmp_path / "llama" / "tokenizer.json").write_text("{}\n")
    batch = write_batch(tmp_path / "batch.safetensors", random_tensors(tiny_model(), LENGTHS))
    job = write_job(tmp_path / "job", tmp_path / "llama", batch, {"epochs": 1, "numMinibatches": 2})
    finished = run_trainer("train", job)
    assert finished.returncode == 0, finished.stderr
    before, after = load_file(tmp_path / "llama" / "model.safetensors"), load_file(job / "model" / "model.safetensors")
    assert before.keys() == after.keys()
    assert all(tensor.isfinite().all() for tensor in after.values())
    assert not torch.equal(before["model.norm.weight"], after["model.norm.weight"])
    assert isinstance(TrainablePolicy(job / "model", CPU).vocab_size, int)


def test_transformers_and_our_module_give_the_same_gradients(tmp_path: Path) -> None:
    learner = learner_for(tmp_path, random_tensors(tiny_model(), LENGTHS))
    ours = gradients(learner)
    learner._policy = TrainablePolicy.__new__(TrainablePolicy)
    from trainer.policy import _load_transformers

    learner._policy.__dict__.update(device=CPU.device, backend=CPU, adapter=None, _head=None, module=_load_transformers(tmp_path / "base"))
    assert_same(ours, gradients(learner))


def test_importance_truncation_changes_nothing_where_trainer_and_sampler_agree(tmp_path: Path) -> None:
    tensors = random_tensors(tiny_model(), LENGTHS)
    plain, truncated = learner_for(tmp_path, tensors), learner_for(tmp_path, tensors, {"importanceTruncation": 2.0})
    assert_same(gradients(plain), gradients(truncated))
    assert truncated.take_step(1, no_check)["truncatedFraction"] == 0


@pytest.mark.parametrize(("shift", "weight", "truncated"), [(0.2, 1.2214, 0.0), (1.5, 2.0, 1.0)])
def test_importance_weights_are_cut_at_the_truncation(tmp_path: Path, shift: float, weight: float, truncated: float) -> None:
    """The sampler says that every token was less probable than the trainer finds: each token counts more, up to the cap."""
    tensors = random_tensors(tiny_model(), LENGTHS)
    shifted = {**tensors, "sampling_logprobs": tensors["sampling_logprobs"] - shift * tensors["loss_mask"]}
    expected = {name: gradient * weight for name, gradient in gradients(learner_for(tmp_path, tensors)).items()}
    learner = learner_for(tmp_path, shifted, {"importanceTruncation": 2.0})
    found = gradients(learner)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-5, rtol=1e-3)
    metrics = learner.take_step(1, no_check)
    assert metrics["truncatedFraction"] == truncated
    assert metrics["ratioMean"] == pytest.approx(1, abs=1e-5)


def test_the_advantage_of_each_turn_index_is_reported(tmp_path: Path) -> None:
    tensors = random_tensors(tiny_model(), LENGTHS)
    reported = learner_for(tmp_path, tensors).take_step(1, no_check)["advantageByTurn"]
    for entry in reported:
        expected = tensors["advantages"][tensors["turn_ids"] == entry["turn"]].mean().item()
        assert entry["mean"] == pytest.approx(expected, abs=1e-6)
    assert [entry["turn"] for entry in reported] == [0, 1]
