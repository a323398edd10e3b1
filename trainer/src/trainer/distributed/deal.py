"""Which rank computes which rows: a pure function of the rows' lengths and the number of ranks."""

from collections.abc import Sequence


def deal(num_tokens: Sequence[int], num_ranks: int) -> list[list[int]]:
    """Rows per rank, ascending. Longest first, each to the rank with the fewest tokens so far, the first of equals; no rank gets a second
    row before every rank has one, as long as there are any.

    num_tokens  what each row costs, tokens
    source      longest-processing-time rule, R. L. Graham 1969: at most 4/3 of the best possible longest share
    """
    shares: list[list[int]] = [[] for _ in range(num_ranks)]
    loads = [0] * num_ranks
    for row in sorted(range(len(num_tokens)), key=lambda row: (-num_tokens[row], row)):
        lightest = min(range(num_ranks), key=lambda rank: (loads[rank], len(shares[rank]), rank))
        shares[lightest].append(row)
        loads[lightest] += num_tokens[row]
    return [sorted(share) for share in shares]
