from pathlib import Path

import numpy as np
import pytest
import torch

from policy_server.engine import Generation, NonFinite, Request
from policy_server.sampling import sample, uniforms
from policy_server.weights import Weights
from serve.serve_helpers import bits, make_lane, random_prompt, run, weights_of

PROMPT = random_prompt(1, 70)
REQUEST = Request(PROMPT, temperature=0.9, max_tokens=20, seed=5)
OTHERS = [Request(random_prompt(seed, 3 * seed), 1.3, 4 * seed, seed=seed) for seed in range(2, 9)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return weights_of(tmp_path_factory.mktemp("weights") / "model")


@pytest.fixture(scope="module")
def expected(weights: Weights) -> tuple[list[int], list[str]]:
    """The request alone in a fresh lane."""
    return bits(run(make_lane(weights), REQUEST)[0])


def test_a_generation_is_the_same_among_others(weights: Weights, expected):
    for max_rows in (16, 32, 128):
        generations = run(make_lane(weights, num_slots=3, max_rows=max_rows), *OTHERS[:4], REQUEST, *OTHERS[4:])
        assert bits(generations[4]) == expected


def test_a_generation_is_the_same_from_a_cache_and_after_eviction(weights: Weights, expected):
    lane = make_lane(weights, num_slots=2)
    (first,) = run(lane, REQUEST)
    (again,) = run(lane, REQUEST)
    assert (first.num_cached, again.num_cached) == (0, len(PROMPT) - 1)
    run(lane, *OTHERS)
    (evicted,) = run(lane, REQUEST)
    assert evicted.num_cached == 0
    assert bits(first) == bits(again) == bits(evicted) == expected


def test_the_next_turn_continues_where_the_last_one_ended(weights: Weights):
    lane = make_lane(weights)
    (turn,) = run(lane, REQUEST)
    longer = Request(np.concatenate((PROMPT, turn.token_ids, random_prompt(3, 9))), 0.9, 10, seed=6)
    (cached,) = run(lane, longer)
    assert cached.num_cached == len(PROMPT) + len(turn.token_ids) - 1
    assert bits(cached) == bits(run(make_lane(weights), longer)[0])


def test_copies_of_a_prompt_compute_its_prefix_once(weights: Weights, expected):
    lane = make_lane(weights, num_slots=8)
    copies = [Request(PROMPT, 0.9, 20, seed=5 + index) for index in range(8)]
    generations = run(lane, *copies)
    assert bits(generations[0]) == expected
    assert lane.counters.rows < len(PROMPT) + 8 * 30
    for generation, request in zip(generations, copies, strict=True):
        assert bits(generation) == bits(run(make_lane(weights), request)[0])


def test_seeds_choices_and_temperatures_matter(weights: Weights, expected):
    lane = make_lane(weights)
    variants = [Request(PROMPT, 0.9, 20, seed=6), Request(PROMPT, 0.9, 20, seed=5, choice=1), Request(PROMPT, 1.1, 20, seed=5)]
    results = [bits(generation) for generation in run(lane, *variants)]
    assert len({str(result) for result in [*results, expected]}) == 4


def test_scores_are_the_sampling_log_probabilities(weights: Weights, expected):
    tokens = np.concatenate((PROMPT, expected[0]))
    positions = tuple(range(len(PROMPT), len(tokens)))
    score = Request(tokens, 0.9, scored=positions)
    for lane in (make_lane(weights), make_lane(weights, max_rows=16)):
        assert [value.hex() for value in run(lane, score, *OTHERS)[0].logprobs] == expected[1]
        assert [value.hex() for value in run(lane, score)[0].logprobs] == expected[1]
    subset = run(make_lane(weights), Request(tokens, 0.9, scored=positions[3:7:2]))[0]
    assert [value.hex() for value in subset.logprobs] == expected[1][3:7:2]
    assert [value.hex() for value in run(make_lane(weights), Request(tokens, 0.8, scored=positions))[0].logprobs] != expected[1]


def test_temperature_zero_takes_the_most_likely_token(weights: Weights):
    (greedy,) = run(make_lane(weights), Request(PROMPT, 0.0, 5, seed=1, num_top_logprobs=3))
    assert greedy.token_ids == [entries[0][0] for entries in greedy.top_logprobs]
    assert greedy.logprobs == [entries[0][1] for entries in greedy.top_logprobs]
    assert bits(greedy) == bits(run(make_lane(weights), Request(PROMPT, 0.0, 5, seed=2))[0])


def test_a_stop_token_ends_a_generation_and_belongs_to_it(weights: Weights, expected):
    stop = expected[0][7]
    (generation,) = run(make_lane(weights), Request(PROMPT, 0.9, 20, 5, stop_token_ids=frozenset([stop])))
    assert generation.finish_reason == "stop"
    assert generation.token_ids == expected[0][: expected[0].index(stop) + 1]


def test_a_cancelled_generation_frees_its_slot(weights: Weights, expected):
    lane = make_lane(weights, num_slots=1)
    cancelled, following = Generation(Request(PROMPT, 1.0, 50)), Generation(REQUEST)
    lane.waiting.extend([cancelled, following])
    for _ in range(5):
        lane.step()
    cancelled.is_cancelled = True
    while not lane.is_idle:
        lane.step()
    assert cancelled.finish_reason is None
    assert bits(following) == expected


def test_broken_weights_are_an_error_and_leave_nothing_behind(weights: Weights, expected):
    lane = make_lane(weights, num_slots=1)
    embedding = weights.embedding.clone()
    weights.embedding[int(PROMPT[30])] = torch.nan
    (broken,) = run(lane, REQUEST)
    weights.embedding.copy_(embedding)
    assert isinstance(broken.error, NonFinite)
    assert bits(run(lane, REQUEST)[0]) == expected


def test_tokens_are_drawn_with_their_probabilities():
    logits = np.array([[2.0, -1.0, 0.5, -30.0, 1.0]], dtype=np.float32)
    count = 20_000
    draws = uniforms(3, 0, count)
    drawn = sample(logits.repeat(count, 0), np.full(count, 0.7), draws, np.full(count, -1)).tokens
    exact = np.exp(logits[0].astype(float) / 0.7)
    exact /= exact.sum()
    assert np.abs(np.bincount(drawn, minlength=5) / count - exact).max() < 4 * np.sqrt(0.25 / count)
    assert (uniforms(3, 0, 10) == draws[:10]).all()


def test_wrong_directory_content_is_refused(tmp_path: Path):
    from model.errors import InvalidJob
    from policy_server.registry import Limits, load_policy

    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InvalidJob, match="plain Qwen3"):
        load_policy("x", tmp_path, Limits())
