"""Rows one after the other in one sequence; positions start anew and each row sees only itself."""

from collections.abc import Sequence
from itertools import accumulate

import torch

from trainer.batch import Row
from trainer.layouts.flat import Flat, flat, inputs_of
from trainer.segments import Segment


def pack(rows: Sequence[Row]) -> Flat:
    inputs = [inputs_of(row) for row in rows]
    starts = [0, *accumulate(len(ids) for ids in inputs)]
    positions_S = torch.cat([torch.arange(len(ids)) for ids in inputs])
    segments = [Segment(start, start + len(ids)) for start, ids in zip(starts, inputs, strict=False)]
    picks = [start + row.positions for start, row in zip(starts, rows, strict=False)]
    return flat(rows, torch.cat(inputs)[None], picks, positions_S[None], segments)
