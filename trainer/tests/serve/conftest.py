from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.serve_helpers import Server, start_server, tool_calling_model, write_policy


@pytest.fixture(scope="session")
def policy_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("policies")
    write_policy(root / "base", seed=0)
    write_policy(root / "next", seed=1)
    write_policy(root / "caller", tool_calling_model())
    return root


@pytest.fixture(scope="session")
def server(policy_root: Path) -> Iterator[Server]:
    server = start_server(policy_root, "--slots", "8", "--max-context", "512")
    yield server
    server.stop()
