"""LoRA: what is trained, what it computes, what is on disk, and that an interrupted job ends with the same bytes."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from helpers import Zygote, output_hashes, write_job, write_tiny_model
from model.files import sha256_file
from test_backends import write_model_of
from test_layouts import loss_gradients
from trainer.adapter import WEIGHTS_FILE, adapter_off
from trainer.backends import CPU, GPU
from trainer.batch import Row, read_batch
from trainer.contracts import AdapterShape, read_training_job
from trainer.model_files import policy_hash
from trainer.policy import TrainablePolicy
from trainer.train import TrainLearner, action_logprobs, create_learner

TARGETS = ("q_proj", "v_proj", "down_proj")
SHAPE = AdapterShape(rank=3, alpha=6, target_modules=TARGETS)
FRESH = {"rank": 3, "alpha": 6, "targetModules": list(TARGETS), "directory": None, "hash": None}


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    process = Zygote("peft")
    yield process
    process.close()


@pytest.fixture
def rows(batch_path: Path) -> list[Row]:
    return read_batch(batch_path, sha256_file(batch_path)).rows


def with_adapter(directory: Path, backend: Any = CPU, spread: float = 0.3) -> TrainablePolicy:
    """A policy whose adapter does something: B is not zero."""
    policy = TrainablePolicy(directory, backend)
    policy.add_adapter(SHAPE, seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in policy.named_parameters():
            if ".lora_B." in name:
                parameter.copy_(spread * torch.randn(parameter.shape, generator=generator))
    return policy


def logprobs_of(policy: TrainablePolicy, rows: list[Row]) -> Tensor:
    with torch.no_grad():
        return torch.cat([logprobs for logprobs, _ in action_logprobs(policy, rows, "packed", 1.0)])


def learner_for(folder: Path, model: Path, batch: Path, adapter: dict[str, Any], **fields: Any) -> TrainLearner:
    job = write_job(folder / f"job-{len(list(folder.glob('job-*')))}", model, batch, fields.pop("hyper", None), adapter=adapter, **fields)
    return create_learner(read_training_job(job))


def test_a_fresh_adapter_changes_no_log_probability(model_directory: Path, rows: list[Row]) -> None:
    policy = TrainablePolicy(model_directory, CPU)
    before = logprobs_of(policy, rows)
    policy.add_adapter(SHAPE, seed=1)
    assert torch.equal(logprobs_of(policy, rows), before)


def test_equal_seeds_give_equal_adapters_and_others_do_not(model_directory: Path) -> None:
    def weights(seed: int) -> Tensor:
        policy = TrainablePolicy(model_directory, CPU)
        policy.add_adapter(SHAPE, seed)
        return torch.cat([tensor.flatten() for tensor in policy.weights().values()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@pytest.mark.parametrize("architecture", ["Qwen3", "Llama"])
def test_gradients_are_those_of_the_whole_matrix_projected(tmp_path: Path, rows: list[Row], architecture: str) -> None:
    """With W' = W + s B A: dL/dB = s dL/dW' A^T and dL/dA = s B^T dL/dW'."""
    directory = write_model_of(architecture, tmp_path / "model")
    policy = with_adapter(directory)
    scale = SHAPE.alpha / SHAPE.rank
    found = loss_gradients(policy, rows, "loop")[1]
    weights = policy.weights()
    whole = whole_gradients(policy, rows, tmp_path)
    assert len(found) == 2 * 2 * len(TARGETS)
    for name, gradient in found.items():
        layer, _, kind = name.removesuffix(".weight").rpartition(".")
        matrix = whole[layer.removeprefix("base_model.model.") + ".weight"]
        first, second = (weights[f"{layer}.lora_{one}.weight"] for one in "AB")
        expected = scale * (second.T @ matrix if kind == "lora_A" else matrix @ first.T)
        torch.testing.assert_close(gradient, expected, atol=2e-5, rtol=1e-4)


def whole_gradients(policy: TrainablePolicy, rows: list[Row], folder: Path) -> dict[str, Tensor]:
    """Gradients of every weight of the merged model."""
    (folder / "merged").mkdir()
    policy.export_merged(folder / "merged")
    return loss_gradients(TrainablePolicy(folder / "merged", CPU), rows, "loop")[1]


def test_a_merged_export_is_a_plain_model_with_the_same_log_probabilities(tmp_path: Path, model_directory: Path, rows: list[Row]) -> None:
    policy = with_adapter(model_directory)
    expected = logprobs_of(policy, rows)
    (tmp_path / "merged").mkdir()
    policy.export_merged(tmp_path / "merged")
    merged = TrainablePolicy(tmp_path / "merged", CPU)
    assert sorted(path.name for path in (tmp_path / "merged").iterdir()) == sorted(path.name for path in model_directory.iterdir())
    torch.testing.assert_close(logprobs_of(merged, rows), expected, atol=1e-5, rtol=1e-5)
    assert (expected - logprobs_of(TrainablePolicy(model_directory, CPU), rows)).abs().max() > 0.1


def test_peft_reads_the_exported_directory_and_computes_the_same(tmp_path: Path, model_directory: Path, rows: list[Row]) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    policy = with_adapter(model_directory)
    exported = tmp_path / "adapter"
    exported.mkdir()
    policy.export(exported, policy_hash(model_directory))
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model_directory), str(exported)).eval()
    with torch.no_grad():
        logits = [theirs(input_ids=row.token_ids[None]).logits[0] for row in rows]
    expected = [one.log_softmax(-1)[row.positions, row.token_ids[row.positions + 1]] for one, row in zip(logits, rows, strict=True)]
    torch.testing.assert_close(logprobs_of(policy, rows), torch.cat(expected), atol=1e-4, rtol=1e-5)


def test_an_adapter_of_peft_can_be_gone_on_from(tmp_path: Path, model_directory: Path, batch_path: Path, rows: list[Row]) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = LoraConfig(r=3, lora_alpha=6, target_modules=list(TARGETS), init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(model_directory), config).save_pretrained(str(tmp_path / "theirs"))
    adapter = {**FRESH, "directory": str(tmp_path / "theirs"), "hash": policy_hash(tmp_path / "theirs")}
    learner = learner_for(tmp_path, model_directory, batch_path, adapter)
    theirs = load_file(tmp_path / "theirs" / WEIGHTS_FILE)
    assert {name: tensor.tolist() for name, tensor in learner._policy.weights().items()} == {
        name: tensor.tolist() for name, tensor in theirs.items()
    }
    assert not torch.allclose(logprobs_of(learner._policy, rows), logprobs_of(TrainablePolicy(model_directory, CPU), rows))


def test_only_the_adapter_is_trained_and_saved(tmp_path: Path, model_directory: Path, batch_path: Path) -> None:
    learner = learner_for(tmp_path, model_directory, batch_path, FRESH)
    base = {name: tensor.clone() for name, tensor in learner._policy.module.state_dict().items() if ".lora_" not in name}
    for step in range(1, 4):
        learner.take_step(step, lambda: None)
    state = learner._policy.module.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in base.items())
    groups = learner.tensors()
    assert groups["model"]
    assert all(".lora_" in name for group in groups.values() for name in group if name != "step")
    assert all(tensor.any() for name, tensor in groups["model"].items() if ".lora_B." in name)


def test_the_reference_of_an_adapter_is_its_base_without_a_copy(tmp_path: Path, model_directory: Path, batch_path: Path) -> None:
    """The same divergence as to a copy of the base with another hash, which is loaded beside it."""
    shutil.copytree(model_directory, tmp_path / "copy")
    (tmp_path / "copy" / "tokenizer.json").write_text('{"other": 1}\n')
    settings = {"klWeight": 0.5, "learningRate": 0.05}
    fields = [{"referenceDirectory": str(directory), "hyper": settings} for directory in (model_directory, tmp_path / "copy")]
    shared, copied = (learner_for(tmp_path, model_directory, batch_path, FRESH, **one) for one in fields)
    assert not isinstance(shared._reference, TrainablePolicy)
    assert isinstance(copied._reference, TrainablePolicy)
    steps = [[learner.take_step(step, lambda: None) for step in range(1, 5)] for learner in (shared, copied)]
    assert steps[0] == steps[1]
    assert steps[0][-1]["kl"] > 1e-3


def test_switched_off_and_on_again_an_adapter_can_still_be_trained(model_directory: Path, rows: list[Row]) -> None:
    policy = with_adapter(model_directory)
    before = loss_gradients(policy, rows, "loop")[1]
    with adapter_off(policy.module):
        plain = logprobs_of(policy, rows)
    assert torch.equal(plain, logprobs_of(TrainablePolicy(model_directory, CPU), rows))
    after = loss_gradients(policy, rows, "loop")[1]
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_with_the_gpu_settings_the_base_is_in_half_precision_and_the_adapter_is_not(model_directory: Path, rows: list[Row]) -> None:
    exact, rounded = with_adapter(model_directory), with_adapter(model_directory, GPU.on("cpu"))
    dtypes = {".lora_" in name: parameter.dtype for name, parameter in rounded.module.named_parameters()}
    assert dtypes == {True: torch.float32, False: torch.bfloat16}
    expected, found = (loss_gradients(policy, rows, "packed")[1] for policy in (exact, rounded))
    whole = [torch.cat([gradients[name].flatten() for name in sorted(gradients)]) for gradients in (expected, found)]
    assert torch.nn.functional.cosine_similarity(*whole, dim=0).item() > 0.98


def lora_job(folder: Path, model: Path, batch: Path, **adapter: Any) -> Path:
    number = len(list(folder.glob("lora-*")))
    settings = {"numMinibatches": 3, "epochs": 1, "checkpointEverySteps": 1, "klWeight": 0.1}
    return write_job(folder / f"lora-{number}", model, batch, settings, adapter={**FRESH, **adapter}, referenceDirectory=str(model))


def test_killed_at_many_instants_an_adapter_job_ends_with_the_same_bytes(
    tmp_path: Path, zygote: Zygote, model_directory: Path, batch_path: Path
) -> None:
    undisturbed = lora_job(tmp_path, model_directory, batch_path)
    finished = zygote.run("train", undisturbed)
    assert (finished.exit_code, finished.stderr) == (0, "")
    assert sorted(path.name for path in (undisturbed / "model").iterdir()) == ["adapter_config.json", WEIGHTS_FILE, "tokenizer.json"]
    for operation in range(3, finished.num_operations + 1, 12):
        job = lora_job(tmp_path, model_directory, batch_path)
        assert zygote.run("train", job, kill_at=operation).exit_code == -signal.SIGKILL
        again = zygote.run("train", job)
        assert (again.exit_code, again.stderr) == (0, ""), f"killed before operation {operation}"
        assert output_hashes(job) == output_hashes(undisturbed), f"killed before operation {operation}"


def test_a_second_job_goes_on_from_the_first_ones_adapter_and_moments(
    tmp_path: Path, zygote: Zygote, model_directory: Path, batch_path: Path, rows: list[Row]
) -> None:
    first = lora_job(tmp_path, model_directory, batch_path)
    assert zygote.run("train", first).exit_code == 0
    adapter = {**FRESH, "directory": str(first / "model"), "hash": policy_hash(first / "model")}
    moments = {"optimizerState": str(first / "optimizer.safetensors")}
    learner = learner_for(tmp_path, model_directory, batch_path, adapter, **moments)
    weights = load_file(first / "model" / WEIGHTS_FILE)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in learner._policy.weights().items())
    assert int(learner.tensors()["optimizer"]["step"]) == 3
    (tmp_path / "merged").mkdir()
    expected = logprobs_of(learner._policy, rows)
    learner._policy.export_merged(tmp_path / "merged")
    torch.testing.assert_close(logprobs_of(TrainablePolicy(tmp_path / "merged", CPU), rows), expected, atol=1e-5, rtol=1e-5)


def test_the_command_merge_writes_a_model_with_the_same_log_probabilities(
    tmp_path: Path, zygote: Zygote, model_directory: Path, rows: list[Row]
) -> None:
    policy = with_adapter(model_directory)
    (tmp_path / "adapter").mkdir()
    policy.export(tmp_path / "adapter", policy_hash(model_directory))
    finished = zygote.run("merge", model_directory, tmp_path / "adapter", tmp_path / "merged")
    assert (finished.exit_code, finished.stderr) == (0, policy_hash(tmp_path / "merged") + "\n")
    torch.testing.assert_close(
        logprobs_of(TrainablePolicy(tmp_path / "merged", CPU), rows), logprobs_of(policy, rows), atol=1e-5, rtol=1e-5
    )


def exported(folder: Path, model: Path) -> Path:
    folder.mkdir()
    with_adapter(model).export(folder, policy_hash(model))
    return folder


def test_an_adapter_that_does_not_fit_is_refused(tmp_path: Path, zygote: Zygote, model_directory: Path, batch_path: Path) -> None:
    good = exported(tmp_path / "good", model_directory)
    other = exported(tmp_path / "other-base", write_tiny_model(tmp_path / "other", seed=5))
    torn = Path(shutil.copytree(good, tmp_path / "torn"))
    (torn / WEIGHTS_FILE).write_bytes((good / WEIGHTS_FILE).read_bytes()[:-9])
    partial = Path(shutil.copytree(good, tmp_path / "partial"))
    tensors = load_file(good / WEIGHTS_FILE)
    save_file(dict(list(tensors.items())[1:]), partial / WEIGHTS_FILE)
    dora = Path(shutil.copytree(good, tmp_path / "dora"))
    config = json.loads((good / "adapter_config.json").read_text())
    (dora / "adapter_config.json").write_text(json.dumps({**config, "use_dora": True}))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"targetModules": ["q_porj"]}, "the model has no layer called q_porj"),
        ({"targetModules": ["lm_head"]}, "lm_head is no linear layer inside the model"),
        ({"targetModules": ["embed_tokens"]}, "embed_tokens is no linear layer inside the model"),
        ({"rank": 0}, "$.adapter.rank"),
        ({"directory": str(good), "hash": "0" * 64}, "do not have the adapter's hash"),
        ({"directory": "/nowhere", "hash": "0" * 64}, "no such model directory"),
        ({"directory": str(good), "hash": policy_hash(good), "rank": 4}, "another shape than the job's adapter"),
        ({"directory": str(other), "hash": policy_hash(other)}, "is an adapter for another base model"),
        ({"directory": str(torn), "hash": policy_hash(torn)}, "no adapter that can be read"),
        ({"directory": str(partial), "hash": policy_hash(partial)}, "does not fit the model"),
        ({"directory": str(dora), "hash": policy_hash(dora)}, "uses use_dora, which is not supported"),
        ({"directory": str(model_directory), "hash": policy_hash(model_directory)}, "no adapter that can be read"),
    ]
    for adapter, message in cases:
        job = lora_job(tmp_path, model_directory, batch_path, **adapter)
        finished = zygote.run("train", job)
        assert finished.exit_code == 2, message
        assert message in finished.stderr
        assert finished.stderr.count("\n") == 1
        assert {path.name for path in job.iterdir()} == {"job.json", "events.jsonl"}


def test_moments_of_all_weights_do_not_fit_an_adapter(tmp_path: Path, zygote: Zygote, model_directory: Path, batch_path: Path) -> None:
    whole = write_job(tmp_path / "whole", model_directory, batch_path, {"numMinibatches": 1, "epochs": 1})
    assert zygote.run("train", whole).exit_code == 0
    job = write_job(tmp_path / "job", model_directory, batch_path, adapter=FRESH, optimizerState=str(whole / "optimizer.safetensors"))
    finished = zygote.run("train", job)
    assert finished.exit_code == 2
    assert "optimizerState optimizer.safetensors does not fit the model" in finished.stderr
