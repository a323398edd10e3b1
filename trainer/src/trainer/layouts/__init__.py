"""How the rows of a micro-batch are laid out for the model. Every layout gives the same log-probabilities and gradients.

loop     one unpadded row at a time: the fastest on a CPU
padded   rows side by side, padded on the right: what most trainers do
packed   rows one after the other in one sequence, each seeing only itself
tree     as packed, but tokens that rows have in common from their start are computed once
"""

from collections.abc import Callable, Sequence

from trainer.batch import Row
from trainer.layouts.flat import Flat
from trainer.layouts.packed import pack
from trainer.layouts.padded import pad
from trainer.layouts.tree import share_prefixes

LAYOUTS: dict[str, Callable[[Sequence[Row]], Flat]] = {"loop": pad, "padded": pad, "packed": pack, "tree": share_prefixes}


def lay_out(layout: str, rows: Sequence[Row]) -> Flat:
    return LAYOUTS[layout](rows)


def micro_batches(layout: str, rows: Sequence[tuple[int, Row]], max_tokens: int) -> list[list[tuple[int, Row]]]:
    """Rows in their order, cut so that what the model computes stays within `max_tokens`; a longer row stands alone."""
    if layout == "loop":
        return [[row] for row in rows]
    batches: list[list[tuple[int, Row]]] = []
    for row in rows:
        candidate = [*batches[-1], row] if batches else [row]
        if batches and _cost(layout, [one for _, one in candidate]) <= max_tokens:
            batches[-1] = candidate
        else:
            batches.append([row])
    return batches


def _cost(layout: str, rows: Sequence[Row]) -> int:
    """Positions that the model computes. A tree is counted as if nothing were shared, so that memory is bounded before it is built."""
    lengths = [len(row.token_ids) - 1 for row in rows]
    return len(lengths) * max(lengths) if layout == "padded" else sum(lengths)
