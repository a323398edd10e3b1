"""The parts of a flat sequence that a layout made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """Positions [start, end) of the flat sequence. They see themselves causally, and all of their ancestors (root first)."""

    start: int
    end: int
    ancestors: tuple[int, ...] = ()
