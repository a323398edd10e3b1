"""How rows are dealt to ranks."""

from hypothesis import given
from hypothesis import strategies as st

from trainer.distributed.deal import deal

lengths = st.lists(st.integers(1, 5000), max_size=40)
ranks = st.integers(1, 9)


@given(num_tokens=lengths, num_ranks=ranks)
def test_every_row_is_dealt_once_and_ascending(num_tokens: list[int], num_ranks: int) -> None:
    shares = deal(num_tokens, num_ranks)
    assert len(shares) == num_ranks
    assert sorted(row for share in shares for row in share) == list(range(len(num_tokens)))
    assert all(share == sorted(share) for share in shares)


@given(num_tokens=lengths, num_ranks=ranks)
def test_no_rank_has_two_rows_while_another_has_none(num_tokens: list[int], num_ranks: int) -> None:
    counts = [len(share) for share in deal(num_tokens, num_ranks)]
    assert min(counts) > 0 or max(counts) <= 1


@given(num_tokens=lengths, num_ranks=ranks)
def test_shares_differ_by_no_more_than_one_row(num_tokens: list[int], num_ranks: int) -> None:
    """Whatever was dealt last went to the lightest rank."""
    loads = [sum(num_tokens[row] for row in share) for share in deal(num_tokens, num_ranks)]
    assert max(loads) - min(loads) <= max(num_tokens, default=0)


def test_equal_rows_are_dealt_in_turn() -> None:
    assert deal([5, 5, 5, 5, 5], 2) == [[0, 2, 4], [1, 3]]
    assert deal([9, 1, 1, 1, 1], 2) == [[0], [1, 2, 3, 4]]
