"""Which cache slot a prompt goes to. A finished sequence stays in its slot until the slot is needed, so that the next turn of a
conversation, whose prompt extends it, continues where it ended. Reuse changes speed only: cached and recomputed bits are equal."""

from dataclasses import dataclass

import numpy as np

WORTHWHILE = 16
"""Positions from which on a cached prefix is worth copying, and one that another sequence is computing right now worth waiting for."""

IntArray = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True)
class Placement:
    slot: int
    num_cached: int
    """Positions of the prompt whose keys and values need no computing."""
    copy_from: int | None
    """The slot to copy them from, when it is another one."""


class Slots:
    """Token ids and computed lengths of all slots. `tokens[s, :computed[s]]` is what slot s holds keys and values of."""

    def __init__(self, num_slots: int, max_context: int) -> None:
        self.tokens: IntArray = np.zeros((num_slots, max_context), dtype=np.int64)
        self.computed: IntArray = np.zeros(num_slots, dtype=np.int64)
        self.known: IntArray = np.zeros(num_slots, dtype=np.int64)
        """Tokens of the sequence in the slot, computed or about to be."""
        self._busy = np.zeros(num_slots, dtype=bool)
        self._last_used: IntArray = np.zeros(num_slots, dtype=np.int64)
        self._clock = 0

    @property
    def has_free(self) -> bool:
        return not self._busy.all()

    def place(self, prompt: IntArray, max_cached: int) -> Placement | None:
        """Takes a free slot for the prompt, or None when it should wait for a sequence that computes the same prefix right now.

        At most `max_cached` positions are reused. A free slot whose sequence the prompt continues is taken over; a prefix that
        other conversations may want again is copied to the slot that has been idle longest. There must be a free slot.
        """
        shared = self._shared_prefix(prompt)
        ready = np.minimum(np.minimum(shared, self.computed), max_cached)
        soon = np.where(self._busy, np.minimum(shared, max_cached), 0)
        source = int(ready.argmax())
        num_cached = int(ready[source])
        if soon.max() - num_cached >= WORTHWHILE:
            return None
        continues = not self._busy[source] and 4 * num_cached >= 3 * self.computed[source]
        if num_cached and continues:
            return self._take(source, prompt, num_cached, None)
        slot = int(np.where(self._busy, np.iinfo(np.int64).max, self._last_used).argmin())
        if slot == source:
            return self._take(slot, prompt, num_cached, None)
        if num_cached < WORTHWHILE:
            return self._take(slot, prompt, 0, None)
        return self._take(slot, prompt, num_cached, source)

    def append(self, slot: int, token: int) -> None:
        self.tokens[slot, self.known[slot]] = token
        self.known[slot] += 1

    def release(self, slot: int) -> None:
        self._clock += 1
        self._busy[slot] = False
        self._last_used[slot] = self._clock
        self.known[slot] = self.computed[slot]

    def forget(self, slot: int) -> None:
        """The slot's keys and values are no longer worth reusing."""
        self.computed[slot] = self.known[slot] = 0

    def _shared_prefix(self, prompt: IntArray) -> IntArray:
        """Length of the common prefix of the prompt and the tokens of every slot."""
        width = min(len(prompt), self.tokens.shape[1])
        differs = self.tokens[:, :width] != prompt[:width]
        shared = np.where(differs.any(axis=1), differs.argmax(axis=1), width)
        return np.minimum(shared, self.known)

    def _take(self, slot: int, prompt: IntArray, num_cached: int, copy_from: int | None) -> Placement:
        self._busy[slot] = True
        self.tokens[slot, : len(prompt)] = prompt
        self.known[slot] = len(prompt)
        self.computed[slot] = num_cached
        return Placement(slot, num_cached, copy_from)
