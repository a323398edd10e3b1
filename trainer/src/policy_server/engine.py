"""Continuous batching: one thread steps the loaded policies; every step serves waiting prompts and running generations together."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from policy_server.forward import Rows, StepModel
from policy_server.sampling import FloatArray, Sampled, sample, uniforms
from policy_server.slots import IntArray, Slots

log = logging.getLogger("policy_server")

FinishReason = Literal["stop", "length", "scored"]


@dataclass(frozen=True)
class Request:
    """What to compute. Either tokens are sampled after `token_ids`, or the tokens at `scored` positions of it are scored."""

    token_ids: IntArray
    temperature: float = 1.0
    max_tokens: int = 0
    seed: int = 0
    choice: int = 0
    stop_token_ids: frozenset[int] = frozenset()
    ends_text: Callable[[list[int]], bool] | None = None
    """Whether the sampled tokens, as text, hold a stop string."""
    num_top_logprobs: int = 0
    scored: tuple[int, ...] = ()
    """Ascending positions >= 1; empty when sampling."""


@dataclass(eq=False)
class Generation:
    """A request on its way and, when the engine has notified, its result. `error` is set when it failed."""

    request: Request
    future: Any = None
    """Whatever the caller waits on; the engine does not look at it."""
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    top_logprobs: list[list[tuple[int, float]]] = field(default_factory=list)
    finish_reason: FinishReason | None = None
    num_cached: int = 0
    error: Exception | None = None
    is_cancelled: bool = False
    slot: int = -1
    draws: FloatArray = field(default_factory=lambda: np.zeros(0))
    targets: frozenset[int] = frozenset()
    """The scored positions, for look-up."""

    def __post_init__(self) -> None:
        self.targets = frozenset(self.request.scored)

    @property
    def num_fed(self) -> int:
        """Leading tokens of the request that are model input: all of a prompt, or those before the last scored one."""
        return self.request.scored[-1] if self.request.scored else len(self.request.token_ids)

    @property
    def max_cached(self) -> int:
        """Positions whose logits are not wanted and may come from a cache."""
        return (self.request.scored[0] if self.request.scored else len(self.request.token_ids)) - 1


class NonFinite(Exception):
    """The model gave a logit that is not a number: its weights are broken."""


@dataclass
class Counters:
    steps: int = 0
    rows: int = 0
    sampled_tokens: int = 0
    cached_tokens: int = 0
    requests: int = 0


class Lane:
    """One loaded policy's sequences: the waiting, the running and the cached. All but `waiting` belongs to the engine's thread."""

    def __init__(self, forward: StepModel, slots: Slots) -> None:
        self.forward, self.slots = forward, slots
        self.waiting: deque[Generation] = deque()
        self.running: list[Generation] = []
        self.counters = Counters()

    @property
    def is_idle(self) -> bool:
        return not self.waiting and not self.running

    def step(self) -> list[Generation]:
        """Computes up to `max_rows` tokens; the generations that ended with it."""
        ended = [generation for generation in self.running if generation.is_cancelled]
        self._admit()
        rows, targets = self._plan([generation for generation in self.running if not generation.is_cancelled])
        if len(rows.slots):
            logits = self.forward.step(rows)
            self.counters.steps += 1
            self.counters.rows += len(rows.slots)
            np.maximum.at(self.slots.computed, rows.slots, rows.positions + 1)
            if targets:
                ended += self._take_in(targets, self._sample(logits.numpy(), targets))
        for generation in ended:
            self.slots.release(generation.slot)
            self.running.remove(generation)
        return ended

    def fail_all(self, error: Exception) -> list[Generation]:
        """Ends everything, and trusts no cache."""
        ended = [*self.running]
        while self.waiting:
            ended.append(self.waiting.popleft())
        for generation in ended:
            generation.error = error
            if generation.slot >= 0:
                self.slots.release(generation.slot)
        self.running.clear()
        for slot in range(len(self.slots.computed)):
            self.slots.forget(slot)
        return ended

    def _admit(self) -> None:
        """Gives slots to waiting requests, first come first served; one that waits for a prefix lets others pass."""
        held_back: list[Generation] = []
        while self.waiting and self.slots.has_free:
            generation = self.waiting.popleft()
            if generation.is_cancelled:
                continue
            placement = self.slots.place(generation.request.token_ids[: generation.num_fed], generation.max_cached)
            if placement is None:
                held_back.append(generation)
                continue
            if placement.copy_from is not None:
                self.forward.copy_prefix(placement.copy_from, placement.slot, placement.num_cached)
            generation.slot, generation.num_cached = placement.slot, placement.num_cached
            request = generation.request
            generation.draws = uniforms(request.seed, request.choice, request.max_tokens)
            self.running.append(generation)
            self.counters.requests += 1
            self.counters.cached_tokens += placement.num_cached
        self.waiting.extendleft(reversed(held_back))

    def _plan(self, generations: list[Generation]) -> tuple[Rows, list[tuple[Generation, int]]]:
        """The step's rows, and whose logits come first: (generation, token to score, or -1 to sample one).

        Sequences with one token to compute go first, so that long prompts cannot hold up the others.
        """
        known, computed = self.slots.known.tolist(), self.slots.computed.tolist()
        pending = [(known[generation.slot] - computed[generation.slot], generation) for generation in generations]
        pending.sort(key=lambda entry: entry[0] > 1)
        wanted: list[tuple[int, int]] = []
        others: list[tuple[int, int]] = []
        targets: list[tuple[Generation, int]] = []
        budget = self.forward.max_rows
        for count, generation in pending:
            take = min(count, budget)
            if take == 0:
                break
            budget -= take
            slot = generation.slot
            start = computed[slot]
            if take == count == 1 and not generation.request.scored:
                wanted.append((slot, start))
                targets.append((generation, -1))
                continue
            for position in range(start, start + take):
                target = _target(generation, position, known[slot])
                if target is None:
                    others.append((slot, position))
                else:
                    wanted.append((slot, position))
                    targets.append((generation, target))
        pairs = np.array(wanted + others, dtype=np.int64).reshape(-1, 2)
        slots, positions = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
        return Rows(slots, positions, self.slots.tokens[slots, positions], len(wanted)), targets

    def _sample(self, logits_NV: np.ndarray, targets: list[tuple[Generation, int]]) -> Sampled:
        temperatures = np.array([generation.request.temperature for generation, _ in targets])
        forced = np.array([target for _, target in targets], dtype=np.int64)
        draws = np.array([0.0 if target >= 0 else generation.draws[len(generation.token_ids)] for generation, target in targets])
        return sample(logits_NV, temperatures, draws, forced)

    def _take_in(self, targets: list[tuple[Generation, int]], sampled: Sampled) -> list[Generation]:
        """Hands every generation its token; those that ended."""
        ended: list[Generation] = []
        tokens, logprobs = sampled.tokens.tolist(), sampled.logprobs.tolist()
        for row, (generation, target) in enumerate(targets):
            if generation.error is not None:
                continue
            if logprobs[row] != logprobs[row]:
                self._give_up(generation)
            else:
                generation.logprobs.append(logprobs[row])
                if generation.request.num_top_logprobs:
                    generation.top_logprobs.append(_top(sampled.logprobs_NV[row], generation.request.num_top_logprobs))
                if target < 0:
                    self._append(generation, tokens[row])
                elif len(generation.logprobs) == len(generation.request.scored):
                    generation.finish_reason = "scored"
            if generation.finish_reason or generation.error:
                ended.append(generation)
        return ended

    def _append(self, generation: Generation, token: int) -> None:
        request = generation.request
        generation.token_ids.append(token)
        self.counters.sampled_tokens += 1
        if token in request.stop_token_ids or (request.ends_text is not None and request.ends_text(generation.token_ids)):
            generation.finish_reason = "stop"
        elif len(generation.token_ids) == request.max_tokens:
            generation.finish_reason = "length"
        else:
            self.slots.append(generation.slot, token)

    def _give_up(self, generation: Generation) -> None:
        generation.error = NonFinite("the policy's logits are not finite: its weights are broken")
        self.forward.forget_non_finite(generation.slot)
        self.slots.forget(generation.slot)


class Engine:
    """The thread that steps lanes. `notify` is called from it with the generations that ended in a step."""

    def __init__(self, notify: Callable[[list[Generation]], None]) -> None:
        self._notify = notify
        self._wake = threading.Condition()
        self._active: list[Lane] = []
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when all that was submitted has ended."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, lane: Lane, generation: Generation) -> None:
        with self._wake:
            lane.waiting.append(generation)
            if lane not in self._active:
                self._active.append(lane)
                self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._active = [lane for lane in self._active if not lane.is_idle]
                while not self._active:
                    if self._is_stopping:
                        return
                    self._wake.wait()
                lanes = list(self._active)
            for lane in lanes:
                ended = self._step(lane)
                if ended:
                    self._notify(ended)

    @staticmethod
    def _step(lane: Lane) -> list[Generation]:
        try:
            return lane.step()
        except Exception as error:
            log.exception("a step failed; its requests are answered with an error")
            return lane.fail_all(error)


def _target(generation: Generation, position: int, known: int) -> int | None:
    """What the logits at a position are for: -1 to sample, a token to score, None for nothing."""
    request = generation.request
    if not request.scored:
        return -1 if position + 1 == known else None
    return int(request.token_ids[position + 1]) if position + 1 in generation.targets else None


def _top(logprobs_V: FloatArray, count: int) -> list[tuple[int, float]]:
    """The most likely tokens, most likely first; equal ones by id."""
    best = np.lexsort((np.arange(len(logprobs_V)), -logprobs_V))[:count]
    return list(zip(best.tolist(), logprobs_V[best].tolist(), strict=True))
