"""How the rows of a micro-batch are laid out for the model. Every layout gives the same log-probabilities and gradients.

loop     one unpadded row at a time: the fastest on a CPU
padded   rows side by side, padded on the right: what most trainers do
packed   rows one after the other in one sequence, each seeing only itself
tree     as packed, but tokens that rows have in common from their start are computed once
"""

from collections.abc import Callable, Sequence

from trainer.batch import Row
from trainer.layouts.flat import Flat, inputs_of
from trainer.layouts.packed import pack
from trainer.layouts.padded import pad
from trainer.layouts.tree import share_prefixes, shared_length

LAYOUTS: dict[str, Callable[[Sequence[Row]], Flat]] = {"loop": pad, "padded": pad, "packed": pack, "tree": share_prefixes}


def lay_out(layout: str, rows: Sequence[Row]) -> Flat:
    return LAYOUTS[layout](rows)


def micro_batches(layout: str, rows: Sequence[tuple[int, Row]], max_tokens: int) -> list[list[tuple[int, Row]]]:
    """Rows in their order, cut so that what the model computes stays within `max_tokens`; a longer row stands alone."""
    if layout == "loop":
        return [[row] for row in rows]
    batches: list[list[tuple[int, Row]]] = []
    positions = 0
    for row in rows:
        grown = _grown(layout, positions, [one for _, one in batches[-1]] if batches else [], row[1])
        if batches and grown <= max_tokens:
            batches[-1].append(row)
            positions = grown
        else:
            batches.append([row])
            positions = len(inputs_of(row[1]))
    return batches


def _grown(layout: str, positions: int, rows: Sequence[Row], row: Row) -> int:
    """Positions that the model computes for `rows`, which are `positions`, and one more row."""
    length = len(inputs_of(row))
    if layout == "padded":
        return (len(rows) + 1) * max(length, *(len(inputs_of(one)) for one in rows), 0)
    shared = max((shared_length(row, one) for one in rows), default=0) if layout == "tree" else 0
    return positions + length - shared
