"""Request bodies to what the engine needs, checked; and generations to the response bodies of vLLM's OpenAI-compatible server."""

import itertools
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from policy_server.engine import Generation
from policy_server.failures import ApiError, invalid
from policy_server.registry import Policy
from policy_server.slots import IntArray

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "stream": (False,),
    "top_p": (1,),
    "top_k": (0, -1),
    "min_p": (0,),
    "min_tokens": (0,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "repetition_penalty": (1,),
    "length_penalty": (1,),
    "logit_bias": ({},),
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
    "use_beam_search": (False,),
    "prompt_logprobs": (0,),
    "response_format": ({"type": "text"},),
    "structured_outputs": (),
    "tool_choice": ("auto", "none"),
}
"""Options of vLLM that would change what is sampled and are not served: only null and these values are accepted."""

_PROCESS = secrets.token_hex(4)
_answers = itertools.count()

MAX_TOP_LOGPROBS = 20
MAX_CHOICES = 64


@dataclass(frozen=True)
class SamplingOptions:
    max_tokens: int
    temperature: float
    seed: int
    num_choices: int
    stop_token_ids: frozenset[int]
    stop_strings: tuple[str, ...]
    include_stop_string: bool
    skip_special_tokens: bool
    return_token_ids: bool


def read_options(body: dict[str, Any], policy: Policy, prompt_length: int, default_max_tokens: int | None) -> SamplingOptions:
    """Sampling options of a completion or chat body. Without max_tokens: `default_max_tokens`, or all that fits."""
    for name, neutral in NEUTRAL.items():
        value = body.get(name)
        if value is not None and value not in neutral:
            raise invalid(f"{name}={value!r} is not supported", name)
    asked = _integer(body, "max_completion_tokens", None, 1) or _integer(body, "max_tokens", None, 1)
    room = policy.max_context - prompt_length
    max_tokens = asked or min(default_max_tokens or room, room)
    if prompt_length + max(max_tokens, 1) > policy.max_context:
        raise context_overflow(policy, prompt_length, max(max_tokens, 1))
    stop = body.get("stop") or ()
    seed = _integer(body, "seed", None, None)
    return SamplingOptions(
        max_tokens=max_tokens,
        temperature=read_temperature(body),
        seed=secrets.randbits(63) if seed is None else seed,
        num_choices=_integer(body, "n", 1, 1, MAX_CHOICES) or 1,
        stop_token_ids=frozenset(_integers(body, "stop_token_ids")) | (frozenset() if body.get("ignore_eos") else policy.end_token_ids),
        stop_strings=_strings((stop,) if isinstance(stop, str) else stop),
        include_stop_string=bool(body.get("include_stop_str_in_output")),
        skip_special_tokens=body.get("skip_special_tokens") is not False,
        return_token_ids=bool(body.get("return_token_ids")),
    )


def read_temperature(body: dict[str, Any]) -> float:
    value = body.get("temperature")
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not (value == 0 or 1e-3 <= value <= 100):
        raise invalid("temperature must be 0, or a number from 0.001 to 100", "temperature")
    return float(value)


def read_num_logprobs(body: dict[str, Any]) -> int | None:
    """`logprobs` of a completion body: None for none, else how many of the most likely tokens to add."""
    value = body.get("logprobs")
    if value is None or value is False:
        return None
    return 0 if value is True else _integer(body, "logprobs", 0, 0, MAX_TOP_LOGPROBS)


def read_num_chat_logprobs(body: dict[str, Any]) -> int | None:
    if not body.get("logprobs"):
        return None
    return _integer(body, "top_logprobs", 0, 0, MAX_TOP_LOGPROBS)


def read_token_ids(value: Any, policy: Policy, name: str) -> IntArray:
    """A non-empty list of token ids of the policy's vocabulary. Raises ApiError 400."""
    try:
        ids = np.array(value)
    except (ValueError, OverflowError):
        raise invalid(f"{name} must be a list of token ids", name) from None
    if ids.ndim != 1 or len(ids) == 0 or ids.dtype != np.int64:
        raise invalid(f"{name} must be a non-empty list of token ids", name)
    if ids.min() < 0 or ids.max() >= policy.vocab_size:
        raise invalid(f"{name} holds ids outside 0..{policy.vocab_size - 1}", name)
    return ids


def read_scored_positions(body: dict[str, Any], length: int) -> tuple[int, ...]:
    """Positions to score, ascending, of `positions` and of `spans` [start, end)."""
    positions = set(_integers(body, "positions"))
    for span in body.get("spans") or ():
        if not isinstance(span, list) or len(span) != 2 or not all(type(value) is int for value in span):
            raise invalid("spans must be a list of [start, end) pairs", "spans")
        positions.update(range(max(span[0], 0), min(span[1], length + 1)))
    if not positions:
        raise invalid("positions or spans must name at least one token", "positions")
    if min(positions) < 1 or max(positions) >= length:
        raise invalid(f"scored positions must lie in 1..{length - 1}: the first token follows nothing", "positions")
    return tuple(sorted(positions))


def context_overflow(policy: Policy, prompt_length: int, max_tokens: int) -> ApiError:
    return ApiError(
        400,
        "context_length_exceeded",
        f"This model's maximum context length is {policy.max_context} tokens. However, you requested {prompt_length + max_tokens} tokens "
        f"({prompt_length} in the prompt, {max_tokens} in the completion).",
        "prompt",
    )


def cut_text(policy: Policy, generation: Generation, options: SamplingOptions) -> tuple[str, int | str | None]:
    """The sampled text without what stopped it, and vLLM's stop_reason: a stop token's id (null for an end of text), or a stop string."""
    token_ids = generation.token_ids
    reason: int | str | None = None
    if generation.finish_reason == "stop" and token_ids[-1] in options.stop_token_ids:
        reason = None if token_ids[-1] in policy.end_token_ids else token_ids[-1]
        token_ids = token_ids if options.include_stop_string else token_ids[:-1]
    if policy.codec is None:
        return "", reason
    text = policy.codec.decode(token_ids, options.skip_special_tokens)
    if generation.finish_reason == "stop":
        found = [(text.find(stop), stop) for stop in options.stop_strings if stop in text]
        if found:
            start, reason = min(found)
            text = text[: start + len(reason) if options.include_stop_string else start]
    return text, reason


def prompt_logprobs(policy: Policy, scored: Generation) -> list[dict[str, Any] | None]:
    """vLLM's `prompt_logprobs=0`: of every prompt token after those before it, null for the first. Ranks are not computed."""
    token_ids = scored.request.token_ids.tolist()
    entries: list[dict[str, Any] | None] = [None]
    for token_id, logprob in zip(token_ids[1:], scored.logprobs, strict=True):
        entries.append({str(token_id): {"logprob": logprob, "rank": None, "decoded_token": token_text(policy, token_id)}})
    return entries


def completion_logprobs(policy: Policy, generation: Generation, num_top: int) -> dict[str, Any]:
    texts = [token_text(policy, token_id) for token_id in generation.token_ids]
    offsets = np.cumsum([0, *map(len, texts)]).tolist()[:-1]
    top = None
    if num_top:
        top = [
            {token_text(policy, token_id): logprob for token_id, logprob in [*entries, (sampled, sampled_logprob)]}
            for entries, sampled, sampled_logprob in zip(generation.top_logprobs, generation.token_ids, generation.logprobs, strict=True)
        ]
    return {"text_offset": offsets, "token_logprobs": generation.logprobs, "tokens": texts, "top_logprobs": top}


def chat_logprobs(policy: Policy, generation: Generation) -> dict[str, Any]:
    top = generation.top_logprobs or [[] for _ in generation.token_ids]
    content = [
        _chat_logprob(policy, token_id, logprob) | {"top_logprobs": [_chat_logprob(policy, *entry) for entry in entries]}
        for token_id, logprob, entries in zip(generation.token_ids, generation.logprobs, top, strict=True)
    ]
    return {"content": content}


def envelope(kind: str, prefix: str, policy: Policy, choices: list[dict[str, Any]], generations: Sequence[Generation]) -> dict[str, Any]:
    """The response body around its choices."""
    prompt_tokens = len(generations[0].request.token_ids)
    completion_tokens = sum(len(generation.token_ids) for generation in generations)
    return {
        "id": f"{prefix}-{_PROCESS}-{next(_answers)}",
        "object": kind,
        "created": int(time.time()),
        "model": policy.name,
        "system_fingerprint": policy.sha256,
        "choices": choices,
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": {"cached_tokens": generations[0].num_cached},
        },
    }


def token_text(policy: Policy, token_id: int) -> str:
    return f"token_id:{token_id}" if policy.codec is None else policy.codec.token_text(token_id)


def _chat_logprob(policy: Policy, token_id: int, logprob: float) -> dict[str, Any]:
    text = token_text(policy, token_id)
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _integer(body: dict[str, Any], name: str, default: int | None, minimum: int | None, maximum: int | None = None) -> int | None:
    value = body.get(name)
    if value is None:
        return default
    if type(value) is not int or (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
        bounds = "" if minimum is None else f" of at least {minimum}" if maximum is None else f" from {minimum} to {maximum}"
        raise invalid(f"{name} must be an integer{bounds}", name)
    return value


def _integers(body: dict[str, Any], name: str) -> list[int]:
    values = body.get(name) or []
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        raise invalid(f"{name} must be a list of integers", name)
    return values


def _strings(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) and value for value in values):
        raise invalid("stop must be a non-empty string or a list of such", "stop")
    return tuple(values)
