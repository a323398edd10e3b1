"""Rows side by side, padded on the right. Attention looks back only, so no action token ever sees the padding."""

from collections.abc import Sequence

from torch.nn.utils.rnn import pad_sequence

from trainer.batch import Row
from trainer.layouts.flat import Flat, flat, inputs_of


def pad(rows: Sequence[Row]) -> Flat:
    token_ids_BS = pad_sequence([inputs_of(row) for row in rows], batch_first=True)
    width = token_ids_BS.shape[1]
    return flat(rows, token_ids_BS, [number * width + row.positions for number, row in enumerate(rows)])
