"""Every layout gives the log-probabilities and gradients of rows computed one at a time."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor

from helpers import SHAPE, write_tiny_model
from model.errors import InvalidJob
from trainer.attention import segment_attention
from trainer.backends import CPU
from trainer.batch import Row
from trainer.layouts import LAYOUTS, lay_out, micro_batches
from trainer.policy import TrainablePolicy
from trainer.segments import Segment
from trainer.train import action_logprobs

TOLERANCE = 1e-6


def row_of(ids: list[int], is_action: list[bool]) -> Row:
    """A row as batch.py cuts it: nothing after its last action."""
    actions = torch.tensor([at for at, action in enumerate(is_action) if action and at > 0])
    end = int(actions[-1]) + 1
    generator = torch.Generator().manual_seed(sum(ids))
    return Row(
        token_ids=torch.tensor(ids)[:end],
        positions=actions - 1,
        sampling_logprobs=torch.full((len(actions),), -1.0),
        advantages=torch.randn(len(actions), generator=generator),
        turn_ids=torch.zeros(len(actions), dtype=torch.int32),
    )


token = st.integers(0, SHAPE.vocab_size - 1)


@st.composite
def families(draw: st.DrawFn) -> list[Row]:
    """Rows that share prefixes of all lengths with each other, equal rows and lone ones among them."""
    stems = [draw(st.lists(token, min_size=2, max_size=12)) for _ in range(draw(st.integers(1, 2)))]
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        stem = draw(st.sampled_from(stems))
        ids = stem[: draw(st.integers(2, len(stem)))] + draw(st.lists(token, max_size=10))
        flags = draw(st.lists(st.booleans(), min_size=len(ids), max_size=len(ids)))
        flags[draw(st.integers(1, len(ids) - 1))] = True
        rows.append(row_of(ids, flags))
    return rows


def loss_gradients(
    policy: TrainablePolicy, rows: list[Row], layout: str, max_tokens: int = 10**9
) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Log-probabilities by row, and gradients of the advantage-weighted sum, micro-batch by micro-batch."""
    policy.module.zero_grad()
    found: list[Tensor] = []
    for micro_batch in micro_batches(layout, list(enumerate(rows)), max_tokens):
        part = action_logprobs(policy, [row for _, row in micro_batch], layout, 1.3)
        total = sum(((logprobs * row.advantages).sum() for (logprobs, _), (_, row) in zip(part, micro_batch, strict=True)), torch.zeros(()))
        total.backward()
        found += [logprobs.detach() for logprobs, _ in part]
    gradients = {name: parameter.grad.clone() for name, parameter in policy.named_parameters() if parameter.grad is not None}
    return found, gradients


def assert_same_as_loop(policy: TrainablePolicy, rows: list[Row], layout: str, max_tokens: int) -> None:
    expected, expected_gradients = loss_gradients(policy, rows, "loop")
    found, gradients = loss_gradients(policy, rows, layout, max_tokens)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=TOLERANCE, rtol=1e-5)
    scale = max(gradient.abs().max().item() for gradient in expected_gradients.values())
    for name, gradient in expected_gradients.items():
        torch.testing.assert_close(gradients[name], gradient, atol=TOLERANCE * max(1.0, scale), rtol=1e-5)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> TrainablePolicy:
    return TrainablePolicy(write_tiny_model(tmp_path_factory.mktemp("ours") / "model"), CPU)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "loop"])
@settings(max_examples=40, deadline=None)
@given(rows=families(), max_tokens=st.sampled_from([1, 20, 10**9]))
def test_a_layout_and_its_micro_batches_change_nothing(ours: TrainablePolicy, layout: str, rows: list[Row], max_tokens: int) -> None:
    assert_same_as_loop(ours, rows, layout, max_tokens)


CONFIGS: dict[str, dict[str, Any]] = {
    "Qwen3": {"head_dim": 8},
    "Llama": {},
    "Qwen3Moe": {"head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24, "mlp_only_layers": []},
}


@pytest.fixture(scope="module", params=CONFIGS)
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TrainablePolicy:
    """A random transformers model that our own module does not know, or is kept from taking."""
    import transformers

    config = getattr(transformers, f"{request.param}Config")(
        vocab_size=SHAPE.vocab_size,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        attention_bias=request.param == "Qwen3",  # has no place in our own module
        **CONFIGS[request.param],
    )
    torch.manual_seed(0)
    model = getattr(transformers, f"{request.param}ForCausalLM")(config)
    directory = tmp_path_factory.mktemp("theirs")
    model.save_pretrained(directory)
    (directory / "tokenizer.json").write_text("{}\n")
    return TrainablePolicy(directory, CPU)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "loop"])
@settings(max_examples=10, deadline=None)
@given(rows=families(), max_tokens=st.sampled_from([20, 10**9]))
def test_a_layout_changes_nothing_for_models_of_transformers(
    theirs: TrainablePolicy, layout: str, rows: list[Row], max_tokens: int
) -> None:
    assert_same_as_loop(theirs, rows, layout, max_tokens)


def test_models_of_transformers_are_exported_under_the_names_of_their_files(theirs: TrainablePolicy, tmp_path: Path) -> None:
    theirs.export(tmp_path, "0" * 64)
    before, after = (load_file(directory / "model.safetensors") for directory in (theirs._source, tmp_path))
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


@given(rows=families())
def test_a_tree_holds_every_shared_token_once(rows: list[Row]) -> None:
    inputs = [tuple(row.token_ids[:-1].tolist()) for row in rows]
    prefixes = {ids[:end] for ids in inputs for end in range(1, len(ids) + 1)}
    assert lay_out("tree", rows).token_ids_BS.shape == (1, len(prefixes))


@given(rows=families(), max_tokens=st.integers(1, 60), layout=st.sampled_from(sorted(LAYOUTS)))
def test_micro_batches_hold_every_row_once_in_order_within_the_budget(rows: list[Row], max_tokens: int, layout: str) -> None:
    batches = micro_batches(layout, list(enumerate(rows)), max_tokens)
    assert [index for batch in batches for index, _ in batch] == list(range(len(rows)))
    for batch in batches:
        assert len(batch) == 1 or lay_out(layout, [row for _, row in batch]).token_ids_BS.numel() <= max_tokens
    for batch, after in pairwise(batches):  # and none could have taken the next row too
        assert layout == "loop" or lay_out(layout, [row for _, row in [*batch, after[0]]]).token_ids_BS.numel() > max_tokens


def test_a_segment_sees_itself_and_its_ancestors_only() -> None:
    generator = torch.Generator().manual_seed(0)
    queries, keys, values = (torch.randn(1, heads, 9, 4, generator=generator) for heads in (4, 2, 2))
    segments = [Segment(0, 3), Segment(3, 5, (0,)), Segment(5, 7, (0, 1)), Segment(7, 9, (0,))]
    mixed = segment_attention(queries, keys, values, segments)
    changed = values.clone()
    changed[:, :, 3:7] += 1  # segments 1 and 2
    moved = (segment_attention(queries, keys, changed, segments) - mixed).abs().amax(dim=(0, 1, 3)) > 0
    assert moved.tolist() == [False] * 3 + [True] * 4 + [False] * 2


@pytest.mark.parametrize(("softcap", "window"), [(50.0, 4096), (None, 4)])
def test_a_model_whose_attention_does_more_is_refused(tmp_path: Path, softcap: float | None, window: int) -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    heads: dict[str, Any] = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    sizes: dict[str, Any] = {"vocab_size": 97, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    config = Gemma2Config(**sizes, **heads, attn_logit_softcapping=softcap, sliding_window=window)
    Gemma2ForCausalLM(config).save_pretrained(tmp_path / "gemma")
    policy = TrainablePolicy(tmp_path / "gemma", CPU)
    with pytest.raises(InvalidJob, match="attention uses"):
        action_logprobs(policy, [row_of(list(range(9)), [True] * 9)], "packed", 1.0)
