"""What a layout hands to the model.

Dimensions: B row of the input, S position, N action token of all rows in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.batch import Row
from trainer.segments import Segment


@dataclass(frozen=True)
class Flat:
    """`positions_BS` and `segments` are None where the model's own counting and causal attention are right."""

    token_ids_BS: Tensor
    positions_BS: Tensor | None
    segments: tuple[Segment, ...] | None
    picks_N: Tensor  # where, in the flattened [B * S] input, the logits of each action token are
    targets_N: Tensor
    num_actions: tuple[int, ...]  # per row: how the N are cut


def inputs_of(row: Row) -> Tensor:
    """The last token is no input: nothing comes after it."""
    return row.token_ids[:-1]


def flat(
    rows: Sequence[Row],
    token_ids_BS: Tensor,
    picks: Sequence[Tensor],
    positions_BS: Tensor | None = None,
    segments: Sequence[Segment] | None = None,
) -> Flat:
    return Flat(
        token_ids_BS=token_ids_BS,
        positions_BS=positions_BS,
        segments=None if segments is None else tuple(segments),
        picks_N=torch.cat(list(picks)),
        targets_N=torch.cat([row.token_ids[row.positions + 1] for row in rows]),
        num_actions=tuple(row.num_actions for row in rows),
    )
