"""Whether a model computes in a layout what it computes for rows on their own. Found out by asking the model, not by its name.

A layout puts rows side by side or one after the other; attention is told which tokens belong together. Layers that carry a state along
the sequence (convolutions, linear attention, state spaces) are not, and would read the row before. Two signs, on a few short rows:

gradients  the logits of a token must not depend on a token that it does not see: their gradient to it is exactly zero
numbers    a row's logits are those of the row alone, as far as float32 goes: positions and masks are what the layout says

Dimensions: B row of the input, S position, D hidden, N position of all rows in order, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from model.errors import InvalidJob
from trainer.batch import Row
from trainer.layouts import lay_out
from trainer.policy import TrainablePolicy
from trainer.qwen3 import Qwen3

TOLERANCE = 1e-3
"""Of the norm of a row's logits. Rounding makes 1e-6."""
PROBES = (((5, 6, 7, 8, 9, 10), 2), ((5, 6, 7, 11, 12, 13, 14), 3), ((15, 16, 17, 18, 19), 0))
"""Token ids of a row, and the token of it that is asked what it depends on: one with its own row's future and other rows after it, the
first after a beginning that a tree shares, the first of a row."""


def choose_layout(policies: Sequence[TrainablePolicy], candidates: Sequence[str]) -> tuple[str, list[str]]:
    """The first layout that the models can be computed in, and why each before it cannot. They are as they were loaded, in float32.

    Raises InvalidJob where none can: it says which layer, and what to set.
    """
    problems: list[str] = []
    for layout in candidates:
        problem = next((found for policy in policies if (found := misfit(policy, layout)) is not None), None)
        if problem is None:
            return layout, problems
        problems.append(f"layout {layout} is not for this model: {problem}")
    advice = "" if "loop" in candidates else "; set training.hyperparameters.layout to auto, padded or loop"
    raise InvalidJob("; ".join(problems) + advice)


def misfit(policy: TrainablePolicy, layout: str) -> str | None:
    """Why the model cannot be computed in a layout, or None. Our own module is made for all of them (tests/test_layouts.py)."""
    if isinstance(policy.module, Qwen3):
        return None
    rows = [(_row(ids, policy.vocab_size), asked) for ids, asked in PROBES]
    try:
        with torch.enable_grad():
            problems = (_misfit(policy, layout, group) for group in ([[row] for row in rows] if layout == "loop" else [rows]))
            return next((problem for problem in problems if problem is not None), None)
    except (InvalidJob, RuntimeError, ValueError, TypeError) as error:
        return f"it cannot be computed so ({error})"


def _row(ids: Sequence[int], vocab_size: int) -> Row:
    """All of it actions, so that a layout says where each token lies."""
    num_actions = len(ids) - 1
    nothing = torch.zeros(num_actions)
    return Row(torch.tensor([token % vocab_size for token in ids]), torch.arange(num_actions), nothing, nothing, nothing.int())


def _misfit(policy: TrainablePolicy, layout: str, rows: Sequence[tuple[Row, int]]) -> str | None:
    flat = lay_out(layout, [row for row, _ in rows])
    with _embedded(policy.module) as embedded:
        logits_NV = policy.logits(flat)
    parts = zip(rows, flat.picks_N.split(flat.num_actions), logits_NV.split(flat.num_actions), strict=True)
    for (row, asked), places, found_SV in parts:
        is_seen = torch.zeros(flat.token_ids_BS.numel(), dtype=torch.bool)
        is_seen[places[: asked + 1]] = True
        if _looks_elsewhere(found_SV[: asked + 1], embedded[0], is_seen):
            culprit = _culprit(policy.module, lambda: policy.logits(flat), is_seen)
            return f"{culprit} carries what it reads from one row or token to another"
        alone_SV = policy.logits(lay_out("loop", [row]))
        error = ((found_SV - alone_SV).norm() / alone_SV.norm()).item()
        if not error <= TOLERANCE:
            return f"{type(policy.module).__name__} gives a row other logits than alone, by {error:.1e} of their norm"
    return None


@contextmanager
def _embedded(module: nn.Module) -> Iterator[list[Tensor]]:
    """The embedded tokens of the forward passes within it, to take gradients to."""
    found: list[Tensor] = []

    def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        found.append(output.detach().requires_grad_())
        return found[-1]

    handle = module.get_input_embeddings().register_forward_hook(hook)  # type: ignore[operator, union-attr]
    try:
        yield found
    finally:
        handle.remove()


def _looks_elsewhere(values: Tensor, embedded: Tensor, is_seen: Tensor) -> bool:
    """Whether the values change with a token that their places do not see."""
    weights = torch.linspace(-1.0, 2.0, values.numel(), device=values.device, dtype=values.dtype)  # a plain sum is constant after a norm
    (gradient,) = torch.autograd.grad((values.flatten() * weights).sum(), embedded, retain_graph=True, allow_unused=True)
    return gradient is not None and bool((gradient.flatten(0, 1)[~is_seen.to(gradient.device)] != 0).any())


@dataclass(frozen=True)
class _Passage:
    """Through one module: the states that went in, if any, and those that came out."""

    name: str
    entered: Tensor | None
    left: Tensor


def _culprit(module: nn.Module, compute: Callable[[], Tensor], is_seen: Tensor) -> str:
    """The innermost module whose output at the seen places depends on an unseen token where its input does not."""
    passages: list[_Passage] = []

    def watch(name: str, part: nn.Module) -> Any:
        def hook(_module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
            first: Any = output[0] if isinstance(output, tuple) and output else output
            entered = next((value for value in (*inputs, *named.values()) if is_states(value)), None)
            if is_states(first):
                passages.append(_Passage(f"{name} ({type(part).__name__})", entered, first))

        return part.register_forward_hook(hook, with_kwargs=True)

    def is_states(value: Any) -> bool:
        return isinstance(value, Tensor) and value.ndim == 3 and value.shape[:2].numel() == len(is_seen) and value.requires_grad

    with _embedded(module) as embedded:
        handles = [watch(name, part) for name, part in module.named_modules() if name]
        try:
            compute()
        finally:
            for handle in handles:
                handle.remove()

    def leaks(states_BSD: Tensor) -> bool:
        return _looks_elsewhere(states_BSD.flatten(0, 1)[is_seen.to(states_BSD.device)], embedded[0], is_seen)

    found = (passage.name for passage in passages if leaks(passage.left) and not (passage.entered is not None and leaks(passage.entered)))
    return next(found, type(module).__name__)
