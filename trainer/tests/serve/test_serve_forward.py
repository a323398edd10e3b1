import itertools
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import SHAPE
from model.errors import InvalidJob
from policy_server import selfcheck
from policy_server.device_forward import DeviceForward
from policy_server.forward import Forward, Rows, StepModel
from policy_server.placement import Placement
from policy_server.weights import Weights, load_weights
from serve.serve_helpers import random_prompt, weights_of

LONG = replace(SHAPE, max_positions=256)
PROMPTS = [random_prompt(seed, length) for seed, length in enumerate((90, 140, 3, 66))]


def feed(forward: StepModel, slot: int, positions: range, tokens: np.ndarray) -> torch.Tensor:
    """Logits of every token of one chunk of a prompt."""
    index = np.arange(positions.start, positions.stop)
    return forward.step(Rows(np.full(len(index), slot), index, tokens[index], len(index)))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return weights_of(tmp_path_factory.mktemp("weights") / "model", LONG)


@pytest.fixture(scope="module")
def alone(weights: Weights) -> list[torch.Tensor]:
    """Logits of the prompts, each in a model of its own, one token per step."""
    results = []
    for prompt in PROMPTS:
        forward = Forward(weights, 1, 256, 16)
        results.append(torch.cat([feed(forward, 0, range(at, at + 1), prompt) for at in range(len(prompt))]))
    return results


SHAPES = [LONG, replace(LONG, tie_embeddings=False, num_key_value_heads=4), replace(LONG, head_dim=16)]


@pytest.mark.parametrize("shape", SHAPES)
def test_logits_are_those_of_transformers(tmp_path: Path, shape):
    from transformers import Qwen3ForCausalLM

    weights = weights_of(tmp_path / "model", shape)
    reference = Qwen3ForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    prompt = random_prompt(0, 150)
    ours = feed(Forward(weights, 1, 256, 160), 0, range(150), prompt)
    with torch.inference_mode():
        theirs = reference(torch.from_numpy(prompt)[None]).logits[0]
    assert (ours - theirs).abs().max() < 1e-4
    assert theirs.std() > 0.2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 16))
def test_the_bits_of_a_row_do_not_depend_on_chunks_neighbours_or_slots(
    weights: Weights, alone: list[torch.Tensor], seed: int, longest: int
):
    forward = Forward(weights, len(PROMPTS), 256, 64)
    schedule = random.Random(seed)
    slots = schedule.sample(range(len(PROMPTS)), len(PROMPTS))
    done = [0] * len(PROMPTS)
    while any(at < len(prompt) for at, prompt in zip(done, PROMPTS, strict=True)):
        chunks = [schedule.randint(0, min(longest, len(prompt) - at)) for at, prompt in zip(done, PROMPTS, strict=True)]
        rows = [(which, done[which] + offset) for which, size in enumerate(chunks) for offset in range(size)]
        schedule.shuffle(rows)
        if not rows:
            continue
        num_logits = schedule.randint(0, len(rows))
        which, positions = (np.array(column) for column in zip(*rows, strict=True))
        tokens = np.array([PROMPTS[w][p] for w, p in rows])
        logits = forward.step(Rows(np.array(slots)[which], positions, tokens, num_logits))
        for (w, p), row in itertools.islice(zip(rows, logits, strict=False), num_logits):
            assert torch.equal(row, alone[w][p])
        done = [at + size for at, size in zip(done, chunks, strict=True)]


def test_a_copied_prefix_continues_with_the_same_bits(weights: Weights, alone: list[torch.Tensor]):
    forward = Forward(weights, 3, 256, 64)
    feed(forward, 2, range(60), PROMPTS[0])
    forward.copy_prefix(2, 0, 41)
    feed(forward, 2, range(41, 60), PROMPTS[1])
    assert torch.equal(feed(forward, 0, range(41, 90), PROMPTS[0]), alone[0][41:])


def test_the_self_check_passes_here_and_notices_rows_that_depend_on_their_number(weights: Weights, monkeypatch: pytest.MonkeyPatch):
    assert selfcheck.is_invariant(weights, 64, 16)
    step = Forward.step
    monkeypatch.setattr(Forward, "step", lambda self, rows: step(self, rows) + 1e-6 * len(self._filled(rows)[0]))
    assert not selfcheck.is_invariant(weights, 64, 16)
    assert selfcheck.is_invariant(weights, 64, 64)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_forward_of_any_device_gives_the_same_logits(tmp_path: Path, shape):
    weights = weights_of(tmp_path / "model", shape)
    ours = feed(Forward(weights, 1, 256, 160), 0, range(150), random_prompt(0, 150))
    others = DeviceForward(weights, 2, 256, 64, "cpu", torch.float32)
    logits = torch.cat([feed(others, 1, range(at, min(at + 50, 150)), random_prompt(0, 150)) for at in range(0, 150, 50)])
    assert (ours - logits).abs().max() < 1e-5
    half = DeviceForward(weights, 1, 256, 160, "cpu", torch.bfloat16)
    difference = (ours.log_softmax(-1) - feed(half, 0, range(150), random_prompt(0, 150)).log_softmax(-1)).abs()
    assert 1e-4 < difference.mean() < 5e-2


def test_a_copied_prefix_continues_on_any_device(weights: Weights):
    forward = DeviceForward(weights, 3, 256, 64, "cpu", torch.float32)
    whole = torch.cat([feed(forward, 2, range(at, at + 45), PROMPTS[0]) for at in (0, 45)])
    forward.copy_prefix(2, 0, 41)
    assert torch.equal(feed(forward, 0, range(41, 90), PROMPTS[0]), whole[41:])


def test_the_self_check_passes_for_the_forward_of_any_device(weights: Weights):
    placement = Placement("cpu", torch.bfloat16)
    assert isinstance(placement.make_forward(weights, 1, 64, 16, 16), DeviceForward)
    assert selfcheck.exact_row_multiple(weights, 64, placement) == 64


def test_weights_that_do_not_fit_their_config_are_refused(tmp_path: Path):
    weights_of(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    config.write_text(config.read_text().replace('"intermediate_size": 48', '"intermediate_size": 64'))
    with pytest.raises(InvalidJob, match=r"do not fit config\.json"):
        load_weights(tmp_path / "model")
