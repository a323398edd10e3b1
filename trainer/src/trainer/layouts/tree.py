"""Tokens that rows have in common from their start are computed once: the rows become a tree of segments.

Rows of a group share the system prompt, the tools and the first user message; branches of one trajectory share everything before
they part. A segment sees itself causally and its ancestors whole, so every token sees exactly what it sees in its own row.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainer.batch import Row
from trainer.layouts.flat import Flat, flat, inputs_of
from trainer.segments import Segment


def share_prefixes(rows: Sequence[Row]) -> Flat:
    """A prefix is shared only with equal token ids at equal positions; gradients of shared tokens add up by themselves."""
    builder = _Builder()
    inputs = [inputs_of(row) for row in rows]
    builder.add(list(range(len(rows))), inputs, depth=0, ancestors=())
    places = [torch.cat(parts) for parts in builder.places(len(rows))]  # per row: where each of its tokens lies
    picks = [place[row.positions] for place, row in zip(places, rows, strict=True)]
    return flat(rows, torch.cat(builder.token_ids)[None], picks, torch.cat(builder.positions)[None], builder.segments)


def shared_length(one: Row, other: Row) -> int:
    """How many positions two rows have in common from their start."""
    return _common_end([inputs_of(one), inputs_of(other)], 0)


class _Builder:
    """Segments in an order in which ancestors come first."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.token_ids: list[Tensor] = []
        self.positions: list[Tensor] = []
        self._members: list[list[int]] = []

    def add(self, members: list[int], inputs: Sequence[Tensor], depth: int, ancestors: tuple[int, ...]) -> None:
        """Puts the tokens of the members from `depth` on into the tree; they agree on everything before."""
        for branch in _by_next_token(members, inputs, depth):
            end = _common_end([inputs[member] for member in branch], depth)
            start = self.segments[-1].end if self.segments else 0
            number = len(self.segments)
            self.segments.append(Segment(start, start + end - depth, ancestors))
            self.token_ids.append(inputs[branch[0]][depth:end])
            self.positions.append(torch.arange(depth, end))
            self._members.append(branch)
            self.add([member for member in branch if len(inputs[member]) > end], inputs, end, (*ancestors, number))

    def places(self, num_rows: int) -> list[list[Tensor]]:
        parts: list[list[Tensor]] = [[torch.empty(0, dtype=torch.long)] for _ in range(num_rows)]
        for segment, members in zip(self.segments, self._members, strict=True):
            for member in members:
                parts[member].append(torch.arange(segment.start, segment.end))
        return parts


def _by_next_token(members: Sequence[int], inputs: Sequence[Tensor], depth: int) -> list[list[int]]:
    """Members by their token at `depth`, in the order of their first; those that end there are in none."""
    branches: dict[int, list[int]] = {}
    for member in members:
        if len(inputs[member]) > depth:
            branches.setdefault(int(inputs[member][depth]), []).append(member)
    return list(branches.values())


def _common_end(inputs: Sequence[Tensor], depth: int) -> int:
    """Up to where all of them agree, from `depth` on."""
    first, end = inputs[0], min(len(ids) for ids in inputs)
    for ids in inputs[1:]:
        differing = (ids[depth:end] != first[depth:end]).nonzero()
        end = depth + int(differing[0]) if len(differing) else end
    return end
