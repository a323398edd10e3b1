"""The loaded policies, by name. A name stands for one set of weights for as long as the server runs."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainer.errors import InvalidJob
from trainer.files import sha256_file
from trainer.serve.chat import ChatTemplate, read_chat_template
from trainer.serve.engine import Lane
from trainer.serve.failures import ApiError, invalid
from trainer.serve.forward import ROW_MULTIPLE, Forward
from trainer.serve.selfcheck import exact_row_multiple
from trainer.serve.slots import Slots
from trainer.serve.text import TextCodec, read_codec, read_end_token_ids
from trainer.serve.weights import load_weights

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Limits:
    num_slots: int = 64
    max_context: int = 1024
    max_rows: int = 128
    max_policies: int = 4


@dataclass(eq=False)
class Policy:
    name: str
    sha256: str
    vocab_size: int
    max_context: int
    is_exact: bool
    """Whether the self-check found results independent of the batch on this machine."""
    end_token_ids: frozenset[int]
    codec: TextCodec | None
    template: ChatTemplate
    lane: Lane
    is_pinned: bool = False
    last_used: int = field(default=0)


def load_policy(name: str, directory: Path, limits: Limits) -> Policy:
    """Reads and checks a model directory. Raises InvalidJob when it cannot be served."""
    weights = load_weights(directory)
    multiple = exact_row_multiple(weights, limits.max_rows)
    max_context = min(limits.max_context, weights.shape.max_positions)
    forward = Forward(weights, limits.num_slots, max_context, limits.max_rows, multiple or ROW_MULTIPLE)
    codec = read_codec(directory)
    return Policy(
        name=name,
        sha256=weights.sha256,
        vocab_size=weights.shape.vocab_size,
        max_context=max_context,
        is_exact=multiple is not None,
        end_token_ids=read_end_token_ids(directory, codec),
        codec=codec,
        template=read_chat_template(directory),
        lane=Lane(forward, Slots(limits.num_slots, max_context)),
    )


class Registry:
    """Loads, finds and forgets policies. Loading is slow and may run in any thread; one load at a time."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self._root = root.resolve()
        self._limits = limits
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
        _checked_name(name)
        directory = self._directory(path)
        with self._loading:
            known = self._weights_of_name.get(name)
            if known is not None and known != sha256:
                raise ApiError(409, "name_taken", f"{name} stands for weights {known}; a name is never reused for others", "name")
            if name in self._policies:
                return self._policies[name], False
            _check_files(directory, files)
            try:
                policy = load_policy(name, directory, self._limits)
            except InvalidJob as error:
                raise ApiError(400, "invalid_policy", str(error), "path") from None
            if policy.sha256 != sha256:
                raise _mismatch(directory / "model.safetensors", policy.sha256, sha256)
            self._make_room()
            self._add(policy)
            return policy, True

    def unload(self, name: str) -> None:
        """Forgets a policy; what it is generating still ends. Raises ApiError 404."""
        self.find(name)
        del self._policies[name]

    def _add(self, policy: Policy) -> None:
        self._clock += 1
        policy.last_used = self._clock
        self._policies[policy.name] = policy
        self._weights_of_name[policy.name] = policy.sha256

    def _make_room(self) -> None:
        """Unloads the policy that was least recently used, when there are as many as may be."""
        if len(self._policies) < self._limits.max_policies:
            return
        idle = [policy for policy in self._policies.values() if policy.lane.is_idle and not policy.is_pinned]
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
