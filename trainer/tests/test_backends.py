"""Everything of the gpu back-end but its kernels, run on the CPU: what it computes is what the cpu back-end does, to bfloat16."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor
from torch.nn import functional as F

from helpers import SHAPE, random_tensors, tiny_model, write_batch, write_job, write_tiny_model
from model.errors import InvalidJob
from model.files import sha256_file
from test_layouts import families, loss_gradients
from trainer.attention import segment_attention
from trainer.backends import CPU, GPU, Backend, backend_of
from trainer.batch import Row, read_batch
from trainer.contracts import read_training_job
from trainer.layouts import LAYOUTS, lay_out
from trainer.policy import TrainablePolicy
from trainer.segments import Segment
from trainer.train import create_learner
from trainer.varlen_attention import varlen_attention

BFLOAT16_TOLERANCE = 0.01
"""Mean nats per token; 0.0015 are found. bfloat16 keeps 8 bits of a number, and the tiny model's logits span about 10."""
ON_CPU = GPU.on("cpu")
EXACT = replace(ON_CPU, compute_dtype=torch.float32)
"""The gpu back-end's code without rounding."""

ARCHITECTURES = ["Qwen3", "Llama", "GPT2", "Gemma2", "Cohere"]
"""Our own module; one of transformers'; one with dropout and other names for its sizes; one that caps its logits; one that scales them."""


def write_model_of(architecture: str, directory: Path) -> Path:
    if architecture == "Qwen3":
        return write_tiny_model(directory)
    import transformers

    options: dict[str, dict[str, Any]] = {
        "GPT2": {"attn_pdrop": 0.5, "resid_pdrop": 0.5, "embd_pdrop": 0.5},
        "Gemma2": {"head_dim": 8, "final_logit_softcapping": 5.0, "attn_logit_softcapping": None},
        "Cohere": {"logit_scale": 3.0},
    }
    config = getattr(transformers, f"{architecture}Config")(
        vocab_size=SHAPE.vocab_size,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        **options.get(architecture, {}),
    )
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(4)
    model.save_pretrained(directory)
    (directory / "tokenizer.json").write_text("{}\n")
    return directory


@pytest.fixture(scope="module", params=ARCHITECTURES)
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_of(request.param, tmp_path_factory.mktemp(request.param) / "model")


def rows_of(tmp_path: Path) -> list[Row]:
    batch = write_batch(tmp_path / "batch.safetensors", random_tensors(tiny_model(), [20, 33, 9, 41]))
    return read_batch(batch, sha256_file(batch)).rows


def test_the_gpu_code_without_rounding_gives_the_cpu_gradients(tmp_path: Path, directory: Path) -> None:
    """Recomputation, packing and chunks, for models whose logits are a plain product and for those that do more."""
    rows = rows_of(tmp_path)
    expected, expected_gradients = loss_gradients(TrainablePolicy(directory, CPU), rows, "loop")
    found, gradients = loss_gradients(TrainablePolicy(directory, EXACT), rows, EXACT.layout)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    scale = max(1.0, *(gradient.abs().max().item() for gradient in expected_gradients.values()))
    for name, gradient in expected_gradients.items():
        torch.testing.assert_close(gradients[name], gradient, atol=2e-6 * scale, rtol=1e-4)


def test_only_logits_that_are_a_plain_product_are_taken_in_chunks(tmp_path: Path) -> None:
    is_chunked = {name: TrainablePolicy(write_model_of(name, tmp_path / name), EXACT)._head is not None for name in ARCHITECTURES}
    assert is_chunked == {"Qwen3": True, "Llama": True, "GPT2": True, "Gemma2": False, "Cohere": False}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bfloat16_stays_near_float32(tmp_path: Path, layout: str) -> None:
    rows = rows_of(tmp_path)
    directory = write_tiny_model(tmp_path / "model")
    exact, exact_gradients = loss_gradients(TrainablePolicy(directory, CPU), rows, "loop")
    found, gradients = loss_gradients(TrainablePolicy(directory, ON_CPU), rows, layout)
    difference = (torch.cat(found) - torch.cat(exact)).abs()
    assert 1e-5 < difference.mean().item() < BFLOAT16_TOLERANCE
    whole, other = (torch.cat([gradient.flatten() for gradient in every.values()]) for every in (gradients, exact_gradients))
    assert F.cosine_similarity(whole, other, dim=0).item() > 0.99
    assert whole.dtype == torch.float32


def test_weights_and_moments_stay_in_float32(tmp_path: Path) -> None:
    learner = learner_on(ON_CPU, tmp_path)
    learner.take_step(1, lambda: None)
    assert {tensor.dtype for tensor in learner.tensors()["model"].values()} == {torch.float32}
    moments = {name: tensor for name, tensor in learner.tensors()["optimizer"].items() if name != "step"}
    assert {tensor.dtype for tensor in moments.values()} == {torch.float32}


def test_a_job_with_the_gpu_settings_follows_the_cpu(tmp_path: Path) -> None:
    exact, rounded = learner_on(CPU, tmp_path), learner_on(ON_CPU, tmp_path)
    for step in range(1, 4):
        one, other = exact.take_step(step, lambda: None), rounded.take_step(step, lambda: None)
        assert other["entropy"] == pytest.approx(one["entropy"], abs=0.05)
        assert other["ratioMean"] == pytest.approx(one["ratioMean"], abs=0.1)
        assert other["gradientNorm"] == pytest.approx(one["gradientNorm"], rel=0.2)


@pytest.mark.parametrize("is_lora", [False, True])
def test_with_the_gpu_settings_a_resumed_job_ends_with_the_same_bits(tmp_path: Path, is_lora: bool) -> None:
    adapter = {"rank": 2, "alpha": 4, "targetModules": ["q_proj", "up_proj"], "directory": None, "hash": None} if is_lora else None
    undisturbed, first, resumed = (learner_on(ON_CPU, tmp_path, adapter=adapter) for _ in range(3))
    for step in (1, 2, 3, 4):
        undisturbed.take_step(step, lambda: None)
    for step in (1, 2):
        first.take_step(step, lambda: None)
    resumed.load_tensors(first.tensors())
    for step in (3, 4):
        resumed.take_step(step, lambda: None)
    for group, tensors in undisturbed.tensors().items():
        assert all(torch.equal(tensor, resumed.tensors()[group][name]) for name, tensor in tensors.items())


def test_gradient_checkpointing_can_be_switched_off_and_changes_no_gradient(tmp_path: Path) -> None:
    kept, recomputed = (learner_on(EXACT, tmp_path, {"gradientCheckpointing": on}) for on in (False, True))
    assert (kept._policy.backend.recompute, recomputed._policy.backend.recompute) == (False, True)
    rows = kept._batch.rows
    assert torch.equal(*(flattened(loss_gradients(learner._policy, rows, "packed")[1]) for learner in (kept, recomputed)))


def flattened(gradients: dict[str, Tensor]) -> Tensor:
    return torch.cat([gradients[name].flatten() for name in sorted(gradients)])


def learner_on(backend: Backend, folder: Path, hyperparameters: dict[str, Any] | None = None, adapter: dict[str, Any] | None = None) -> Any:
    number = len(list(folder.glob("job-*")))
    if number == 0:
        write_tiny_model(folder / "base")
        write_batch(folder / "batch.safetensors", random_tensors(tiny_model(), [20, 33, 9, 41]))
    settings_of = {"numMinibatches": 2, "klWeight": 0.1, **(hyperparameters or {})}
    fields = {"referenceDirectory": str(folder / "base"), **({} if adapter is None else {"adapter": adapter})}
    job = write_job(folder / f"job-{number}", folder / "base", folder / "batch.safetensors", settings_of, **fields)
    return create_learner(read_training_job(job), backend)


def test_the_gpu_back_end_without_a_gpu_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(InvalidJob, match="no CUDA device is visible"):
        backend_of("gpu")


def ragged_attention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    query_offsets: Tensor,
    key_offsets: Tensor,
    max_queries: int,
    max_keys: int,
    **options: Any,
) -> Tensor:
    """What torch.nn.attention.varlen.varlen_attn promises, in plain code: rows of queries and keys, aligned at their ends."""
    assert (queries.ndim, options["window_size"]) == (3, (-1, 0))
    assert (query_offsets.dtype, key_offsets.dtype) == (torch.int32, torch.int32)
    parts = []
    for row in range(len(query_offsets) - 1):
        some, seen = (slice(int(offsets[row]), int(offsets[row + 1])) for offsets in (query_offsets, key_offsets))
        num_queries, num_keys = some.stop - some.start, seen.stop - seen.start
        assert num_queries <= max_queries
        assert num_keys <= max_keys
        mask = torch.ones(num_queries, num_keys, dtype=torch.bool).tril(num_keys - num_queries)
        heads = [x.transpose(0, 1)[None] for x in (queries[some], keys[seen], values[seen])]
        mixed = F.scaled_dot_product_attention(*heads, attn_mask=mask, scale=options["scale"], enable_gqa=options["enable_gqa"])
        parts.append(mixed[0].transpose(0, 1))
    return torch.cat(parts)


@settings(max_examples=30, deadline=None)
@given(rows=families())
def test_one_call_of_the_kernel_for_variable_lengths_is_attention_segment_by_segment(rows: list[Row]) -> None:
    """For packed rows and for trees, in value and gradient; the kernel is the only thing that stands in."""
    for layout in ("packed", "tree"):
        segments = lay_out(layout, rows).segments
        assert segments is not None
        generator = torch.Generator().manual_seed(len(segments))
        inputs = [torch.randn(1, heads, segments[-1].end, 8, generator=generator, requires_grad=True) for heads in (4, 2, 2)]
        queries, keys, values = inputs
        factors = torch.randn(queries.shape, generator=generator)
        expected = segment_attention(queries, keys, values, segments)
        found = varlen_attention(queries[0], keys[0], values[0], segments, None, ragged_attention)[None]
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
        gradients = [torch.autograd.grad((mixed * factors).sum(), inputs) for mixed in (found, expected)]
        for one, other in zip(*gradients, strict=True):
            torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def test_keys_are_copied_only_where_segments_share_ancestors() -> None:
    from trainer.varlen_attention import lengths_of

    device = torch.device("cpu")
    assert lengths_of((Segment(0, 3), Segment(3, 5)), device).spans is None
    tree = lengths_of((Segment(0, 3), Segment(3, 5, (0,)), Segment(5, 9, (0,))), device)
    assert tree.spans == ((0, 3), (0, 3), (3, 5), (0, 3), (5, 9))
    assert (tree.query_offsets.tolist(), tree.key_offsets.tolist()) == ([0, 3, 5, 9], [0, 3, 8, 15])
    assert (tree.max_queries, tree.max_keys) == (4, 7)


def test_sizes_are_read_under_whatever_name_the_architecture_has_for_them(tmp_path: Path) -> None:
    policy = TrainablePolicy(write_model_of("GPT2", tmp_path / "model"), CPU)
    assert (policy.max_positions, policy.vocab_size) == (128, SHAPE.vocab_size)
