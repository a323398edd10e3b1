"""The loaded policies, by name. A name stands for one set of weights for as long as the server runs."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from model.errors import InvalidJob
from model.files import sha256_file
from policy_server import adapter
from policy_server.chat import ChatTemplate, read_chat_template
from policy_server.engine import Lane
from policy_server.failures import ApiError, invalid
from policy_server.forward import ROW_MULTIPLE
from policy_server.placement import Placement
from policy_server.selfcheck import exact_row_multiple
from policy_server.slots import Slots
from policy_server.text import TextCodec, read_codec, read_end_token_ids, read_json
from policy_server.weights import load_weights

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_POLICY_HASH = re.compile(r"[0-9a-f]{64}")
_HASHED_NAME = re.compile(r"-[0-9a-f]{12}$")


@dataclass(frozen=True)
class Limits:
    num_slots: int = 64
    max_context: int = 1024
    max_rows: int = 128
    max_policies: int = 4
    placement: Placement = field(default_factory=Placement)


@dataclass(eq=False)
class Policy:
    name: str
    directory: Path
    sha256: str
    vocab_size: int
    max_context: int
    is_exact: bool
    """Whether the self-check found results independent of the batch on this machine."""
    end_token_ids: frozenset[int]
    codec: TextCodec | None
    template: ChatTemplate
    lane: Lane
    parent: str | None = None
    """The policy that an adapter adds to; None for whole weights."""
    is_pinned: bool = False
    last_used: int = field(default=0)


def load_policy(name: str, directory: Path, limits: Limits) -> Policy:
    """Reads and checks a model directory. Raises InvalidJob when it cannot be served."""
    weights = load_weights(directory)
    multiple = exact_row_multiple(weights, limits.max_rows, limits.placement)
    max_context = min(limits.max_context, weights.shape.max_positions)
    forward = limits.placement.make_forward(weights, limits.num_slots, max_context, limits.max_rows, multiple or ROW_MULTIPLE)
    codec = read_codec(directory)
    return Policy(
        name=name,
        directory=directory,
        sha256=weights.sha256,
        vocab_size=weights.shape.vocab_size,
        max_context=max_context,
        is_exact=multiple is not None,
        end_token_ids=read_end_token_ids(directory, codec),
        codec=codec,
        template=read_chat_template(directory),
        lane=Lane(forward, Slots(limits.num_slots, max_context)),
    )


def load_adapter(name: str, directory: Path, base: Policy, limits: Limits) -> Policy:
    """The base with an adapter merged in; tokenizer and template stay the base's. Raises InvalidJob when it cannot be served."""
    forward = base.lane.forward
    weights = adapter.merge(forward.weights, adapter.read_adapter(directory, forward.weights.shape))
    merged = limits.placement.make_forward(weights, limits.num_slots, base.max_context, limits.max_rows, forward.row_multiple)
    lane = Lane(merged, Slots(limits.num_slots, base.max_context))
    return replace(base, name=name, directory=directory, sha256=weights.sha256, lane=lane, parent=base.name, is_pinned=False)


class Registry:
    """Loads, finds and forgets policies. Loading is slow and may run in any thread; one load at a time."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self._root = root.resolve()
        self._limits = limits
        self.precision = limits.placement.precision
        self._policies: dict[str, Policy] = {}
        self._weights_of_name: dict[str, str] = {}
        self._loading = threading.Lock()
        self._clock = 0

    def __iter__(self):
        return iter(list(self._policies.values()))

    def find(self, name: object) -> Policy:
        """The policy of a name; without a name, the only one loaded. Raises ApiError 404."""
        if name is None and len(self._policies) == 1:
            (policy,) = self._policies.values()
        elif isinstance(name, str) and name in self._policies:
            policy = self._policies[name]
        else:
            raise ApiError(404, "model_not_found", f"no policy {name!r} is loaded; POST /v1/load_policy loads one", "model")
        self._clock += 1
        policy.last_used = self._clock
        return policy

    def preload(self, name: str, directory: Path) -> Policy:
        """Loads the operator's own choice from anywhere; it is never evicted. Raises InvalidJob."""
        policy = load_policy(_checked_name(name), directory, self._limits)
        policy.is_pinned = True
        self._add(policy)
        return policy

    def load(self, name: str, path: str, sha256: str, files: Mapping[str, str]) -> tuple[Policy, bool]:
        """The policy of a directory below the root, and whether it was loaded just now.

        `sha256` is that of model.safetensors, `files` those of any further files. Raises ApiError: 409 when the weights are others,
        or the name stood for others before; 403 outside the root; 400 when the directory cannot be served.
        """
        directory = self._directory(path)
        return self._load(name, directory / "model.safetensors", sha256, files, partial(load_policy, name, directory, self._limits))

    def load_adapter(
        self, name: str, path: str, base_name: str | None, sha256: str | None, files: Mapping[str, str]
    ) -> tuple[Policy, bool]:
        """Like `load`, of an adapter's directory on top of a loaded policy: the named one, else the one that the adapter was trained on.

        `sha256` is that of adapter_model.safetensors; without it, what the file has. Raises ApiError 409 when the base is another one.
        """
        directory = self._directory(path)
        weights = directory / adapter.TENSORS
        if not weights.is_file():
            raise ApiError(404, "adapter_not_found", f"No adapter found for {path}", "lora_path")
        base = self._base_of(directory, base_name)
        make = partial(load_adapter, name, directory, base, self._limits)
        return self._load(name, weights, sha256 or sha256_file(weights), files, make)

    def _load(self, name: str, weights: Path, sha256: str, files: Mapping[str, str], make: Callable[[], Policy]) -> tuple[Policy, bool]:
        _checked_name(name)
        with self._loading:
            known = self._weights_of_name.get(name)
            if known is not None and known != sha256:
                raise ApiError(409, "name_taken", f"{name} stands for weights {known}; a name is never reused for others", "name")
            if name in self._policies:
                return self._policies[name], False
            _check_files(weights.parent, files)
            try:
                policy = make()
            except InvalidJob as error:
                raise ApiError(400, "invalid_policy", str(error), "path") from None
            if policy.sha256 != sha256:
                raise _mismatch(weights, policy.sha256, sha256)
            self._make_room(policy.parent)
            self._add(policy)
            return policy, True

    def _base_of(self, directory: Path, name: str | None) -> Policy:
        """The base of an adapter. A policy's name ends with the first digits of its hash, which the adapter gives as its base."""
        try:
            wanted = str(read_json(directory / adapter.CONFIG).get("base_model_name_or_path") or "")
        except InvalidJob as error:
            raise ApiError(400, "invalid_policy", str(error), "lora_path") from None
        whole = [policy for policy in self if policy.parent is None]
        named = [p for p in whole if p.name == name] if name else [p for p in whole if _is_called(p.name, wanted)] or whole
        if len(named) != 1:
            raise ApiError(404, "model_not_found", f"the adapter's base {name or wanted!r} is not loaded; load it first", "base_model_name")
        (base,) = named
        if _POLICY_HASH.fullmatch(wanted) and _HASHED_NAME.search(base.name) and not _is_called(base.name, wanted):
            raise ApiError(409, "wrong_base", f"the adapter was trained on policy {wanted[:12]}, not on {base.name}", "base_model_name")
        return self.find(base.name)

    def unload(self, name: str) -> None:
        """Forgets a policy; what it is generating still ends. Raises ApiError 404."""
        self.find(name)
        del self._policies[name]

    def _add(self, policy: Policy) -> None:
        self._clock += 1
        policy.last_used = self._clock
        self._policies[policy.name] = policy
        self._weights_of_name[policy.name] = policy.sha256

    def _make_room(self, base: str | None) -> None:
        """Unloads the policy that was least recently used, when there are as many as may be; never the base of the one that comes."""
        if len(self._policies) < self._limits.max_policies:
            return
        idle = [policy for policy in self if policy.lane.is_idle and not policy.is_pinned and policy.name != base]
        if not idle:
            raise ApiError(429, "policies_busy", f"all {len(self._policies)} loaded policies are in use; unload one")
        del self._policies[min(idle, key=lambda policy: policy.last_used).name]

    def _directory(self, path: str) -> Path:
        directory = (self._root / path).resolve()
        if not directory.is_relative_to(self._root):
            raise ApiError(403, "path_outside_root", "path must lie below the server's --policy-root", "path")
        if not directory.is_dir():
            raise ApiError(400, "invalid_policy", f"there is no directory {path} below --policy-root", "path")
        return directory


def _checked_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise invalid("name must be letters, digits, '.', '_' and '-', at most 128", "name")
    return name


def _is_called(name: str, base: str) -> bool:
    """Whether a policy's name stands for the base that an adapter gives: the name itself, or a policy's hash."""
    return name == base or (_POLICY_HASH.fullmatch(base) is not None and name.endswith("-" + base[:12]))


def _check_files(directory: Path, files: Mapping[str, str]) -> None:
    for name, expected in files.items():
        path = directory / name
        if Path(name).name != name or not path.is_file():
            raise ApiError(400, "invalid_policy", f"{directory.name} holds no file {name}", "files")
        actual = sha256_file(path)
        if actual != expected:
            raise _mismatch(path, actual, expected)


def _mismatch(path: Path, actual: str, expected: str) -> ApiError:
    return ApiError(409, "weights_mismatch", f"{path.parent.name}/{path.name} has sha256 {actual}, not {expected}")
