"""A layout is refused for a model that would leak across rows in it, whatever the model is called."""

from pathlib import Path
from typing import Any

import pytest
import torch

from helpers import events, random_tensors, tiny_model, write_batch, write_job, write_tiny_model
from model.errors import InvalidJob
from recurrent_models import RECURRENT, write_model
from test_layouts import row_of
from trainer.backends import CPU, GPU
from trainer.contracts import read_training_job
from trainer.job import run_job
from trainer.layouts import LAYOUTS
from trainer.layouts.fit import choose_layout, misfit
from trainer.policy import TrainablePolicy
from trainer.train import action_logprobs, create_learner, layouts_of

ROWS = [row_of(list(range(start, start + 11)), [False] * 2 + [True] * 9) for start in (5, 20, 40)]


@pytest.fixture(scope="module", params=RECURRENT)
def recurrent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TrainablePolicy:
    return TrainablePolicy(write_model(tmp_path_factory.mktemp("model") / request.param, request.param), CPU)


def test_recurrent_layers_are_found_in_packed_and_tree_and_named(recurrent: TrainablePolicy) -> None:
    for layout in ("packed", "tree"):
        problem = misfit(recurrent, layout)
        assert problem is not None
        name = problem.partition(" (")[0]
        assert name in dict(recurrent.module.named_modules())
        assert name.split(".")[-1] not in ("out_proj", "o_proj")  # the layer itself, not what it hands on
        assert "carries what it reads from one row or token to another" in problem


def test_padding_on_the_right_changes_nothing_for_recurrent_layers(recurrent: TrainablePolicy) -> None:
    assert misfit(recurrent, "loop") is None
    assert misfit(recurrent, "padded") is None
    short = row_of(list(range(60, 66)), [False] + [True] * 5)
    with torch.no_grad():
        alone = [action_logprobs(recurrent, [row], "loop", 1.0)[0][0] for row in [*ROWS, short]]
        padded = [logprobs for logprobs, _ in action_logprobs(recurrent, [*ROWS, short], "padded", 1.0)]
    for one, other in zip(alone, padded, strict=True):
        torch.testing.assert_close(other, one, atol=5e-6, rtol=1e-5)


def test_what_is_refused_is_wrong_indeed(recurrent: TrainablePolicy) -> None:
    with torch.no_grad():
        alone = torch.cat([action_logprobs(recurrent, [row], "loop", 1.0)[0][0] for row in ROWS])
        packed = torch.cat([logprobs for logprobs, _ in action_logprobs(recurrent, ROWS, "packed", 1.0)])
    assert (packed - alone).abs().max() > 1e-5


@pytest.mark.parametrize("family", ["Llama", "GPT2", "Qwen3Moe"])
def test_models_of_attention_alone_may_have_every_layout(tmp_path: Path, family: str) -> None:
    changes: dict[str, Any] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16} if family == "Qwen3Moe" else {}
    policy = TrainablePolicy(write_model(tmp_path / "model", family, **changes), CPU)
    assert {layout: misfit(policy, layout) for layout in LAYOUTS} == dict.fromkeys(LAYOUTS)


def test_a_model_that_looks_ahead_is_refused_in_every_layout(tmp_path: Path) -> None:
    """Bloom builds its mask itself, from one that our attention does not hand it."""
    policy = TrainablePolicy(write_model(tmp_path / "model", "Bloom", n_layer=2, n_head=4), CPU)
    with pytest.raises(InvalidJob, match=r"layout loop is not for this model: .*BloomAttention"):
        choose_layout([policy], ["packed", "padded", "loop"])


def test_a_model_that_attends_in_chunks_is_refused_where_masks_are_not_heeded(tmp_path: Path) -> None:
    changes = {"attention_chunk_size": 8, "num_local_experts": 2, "head_dim": 8}
    policy = TrainablePolicy(write_model(tmp_path / "model", "Llama4Text", **changes), CPU)
    assert misfit(policy, "loop") is None
    with torch.no_grad(), pytest.raises(InvalidJob, match="attends in chunks"):
        action_logprobs(policy, ROWS, "packed", 1.0)


def new_job(folder: Path, model: Path, layout: str, **fields: Any) -> Path:
    batch = write_batch(folder / "batch.safetensors", random_tensors(tiny_model(), [20, 33, 9]))
    return write_job(folder / "job", model, batch, {"layout": layout, "numMinibatches": 1, "epochs": 1}, **fields)


@pytest.mark.parametrize("layout", ["packed", "tree"])
def test_a_job_that_asks_for_such_a_layout_is_invalid_and_says_what_to_set(tmp_path: Path, layout: str) -> None:
    job = new_job(tmp_path, write_model(tmp_path / "model", "Lfm2"), layout)
    with pytest.raises(InvalidJob) as error:
        create_learner(read_training_job(job))
    assert "model.layers.0.conv (Lfm2ShortConv)" in str(error.value)
    assert "training.hyperparameters.layout" in str(error.value)
    assert error.value.exit_code == 2


def test_auto_takes_the_next_layout_and_says_so(tmp_path: Path) -> None:
    job = read_training_job(new_job(tmp_path, write_model(tmp_path / "model", "Lfm2"), "auto"))
    learner = create_learner(job, GPU.on("cpu"))
    assert learner._layout == "padded"
    assert [code for code, _ in learner.warnings] == ["trainer.layout-changed"]
    assert "Lfm2ShortConv" in learner.warnings[0][1]
    assert create_learner(job).warnings == []
    assert layouts_of(job.hyperparameters, GPU) == ["packed", "padded", "loop"]
    assert layouts_of(job.hyperparameters, CPU) == ["loop"]


def test_a_reference_with_recurrent_layers_is_found_too(tmp_path: Path) -> None:
    reference = write_model(tmp_path / "reference", "Lfm2")
    job = read_training_job(new_job(tmp_path, write_tiny_model(tmp_path / "model"), "auto", referenceDirectory=str(reference)))
    object.__setattr__(job.hyperparameters, "kl_weight", 0.1)
    assert create_learner(job, GPU.on("cpu"))._layout == "padded"


def test_the_warning_is_an_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import trainer.train

    monkeypatch.setattr(trainer.train, "backend_of", lambda _name: GPU.on("cpu"))
    job = new_job(tmp_path, write_model(tmp_path / "model", "Lfm2"), "auto")
    run_job("train", job)
    assert [event["code"] for event in events(job) if event["type"] == "job-warning"] == ["trainer.layout-changed"]
