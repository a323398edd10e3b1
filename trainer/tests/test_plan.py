"""Plans are pure functions that show every row to the optimizer once per epoch."""

from hypothesis import given
from hypothesis import strategies as st

from trainer.plan import length_sorted_batches, minibatch, num_steps, shuffled


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 3), st.integers(0, 99))
def test_each_row_is_in_one_minibatch_of_each_epoch(num_rows: int, num_minibatches: int, epochs: int, seed: int) -> None:
    steps = num_steps(num_rows, num_minibatches, epochs)
    per_epoch = steps // epochs
    for epoch in range(epochs):
        parts = [minibatch(num_rows, num_minibatches, seed, epoch * per_epoch + step) for step in range(1, per_epoch + 1)]
        assert sorted(row for part in parts for row in part) == list(range(num_rows))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_order_is_the_same_on_every_machine() -> None:
    assert shuffled(6, "minibatch", 1, 0) == [5, 2, 0, 4, 1, 3]
    assert shuffled(6, "minibatch", 1, 1) != shuffled(6, "minibatch", 1, 0)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=50), st.integers(1, 5), st.integers(1, 2000), st.integers(0, 9))
def test_batches_spend_the_token_budget_and_no_batch_more(lengths: list[int], rows: int, budget: int, seed: int) -> None:
    plan = length_sorted_batches(lengths, rows, budget, seed)
    tokens = [sum(lengths[row] for row in batch) for batch in plan]
    assert sum(tokens[:-1]) < budget <= sum(tokens)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=50), st.integers(1, 5), st.integers(0, 9))
def test_an_epoch_of_batches_has_each_row_once(lengths: list[int], rows: int, seed: int) -> None:
    plan = length_sorted_batches(lengths, rows, sum(lengths), seed)
    assert sorted(row for batch in plan for row in batch) == list(range(len(lengths)))
