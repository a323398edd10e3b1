"""A small environment on OpenEnv's own server: an agent moves money between accounts until every one has what the task asks for.

    python ledger.py --port 8000 --sessions 8

Tools: `balances`, `transfer`, and `submit`, which ends the episode. The reward comes with `submit`: the share of accounts, 0 to 1, that
have what is wanted. Chance comes from the seed of `reset` alone.
"""

import argparse
import itertools
import random
from typing import Any

import uvicorn
from fastmcp import FastMCP
from openenv.core.env_server import Action, CallToolAction, CallToolObservation, Observation, State, create_app
from openenv.core.env_server.mcp_environment import MCPEnvironment

NAMES = ("rent", "food", "travel", "savings")


class Opening(Observation):
    """What `reset` answers."""

    prompt: str


class LedgerState(State):
    balances: dict[str, int]


class LedgerEnvironment(MCPEnvironment):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        server = FastMCP("ledger")

        @server.tool
        def balances() -> dict[str, int]:
            """The balance of every account."""
            return self.balances

        @server.tool
        def transfer(source: str, target: str, amount: int) -> dict[str, int]:
            """Moves money from one account to another. amount: whole units, above 0"""
            for name in (source, target):
                if name not in self.balances:
                    raise ValueError(f"there is no account {name}")
            if not 0 < amount <= self.balances[source]:
                raise ValueError(f"{source} has {self.balances[source]}, {amount} cannot be moved")
            self.balances[source] -= amount
            self.balances[target] += amount
            return self.balances

        @server.tool
        def submit() -> str:
            """Says that the accounts are as they should be. Nothing can be changed afterwards."""
            self.is_submitted = True
            return "submitted"

        super().__init__(server)
        self.reset()

    def reset(self, seed: int | None = None, episode_id: str | None = None, accounts: int = 2, **kwargs: Any) -> Opening:
        """accounts: how many there are, 2 to 4"""
        chance = random.Random(seed)
        names = NAMES[:accounts]
        self.balances = {name: chance.randint(10, 99) for name in names}
        self.wanted = _moved_around(self.balances, chance)
        self.is_submitted = False
        self.episode_id, self.num_steps = episode_id, 0
        goal = ", ".join(f"{name} {amount}" for name, amount in self.wanted.items())
        return Opening(prompt=f"Make the balances: {goal}.")

    async def step_async(self, action: Action, timeout_s: float | None = None, **kwargs: Any) -> Observation:
        observation = await super().step_async(action, timeout_s, **kwargs)
        if isinstance(action, CallToolAction):
            self.num_steps += 1
            observation.done = self.is_submitted
            observation.reward = self._share() if self.is_submitted else None
        return observation

    def _step_impl(self, action: Action, timeout_s: float | None = None, **kwargs: Any) -> Observation:
        raise ValueError("the ledger takes calls of its tools alone")

    def _share(self) -> float:
        return sum(self.balances[name] == amount for name, amount in self.wanted.items()) / len(self.wanted)

    @property
    def state(self) -> LedgerState:
        return LedgerState(episode_id=self.episode_id, step_count=self.num_steps, balances=self.balances)


def _moved_around(balances: dict[str, int], chance: random.Random) -> dict[str, int]:
    """Balances that one transfer for each account but the first leads to; the sum stays."""
    moved = dict(balances)
    names = list(moved)
    for source, target in itertools.pairwise(names):
        amount = chance.randint(1, moved[source])
        moved[source] -= amount
        moved[target] += amount
    return moved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--sessions", type=int, default=8, help="episodes at once")
    options = parser.parse_args()
    app = create_app(LedgerEnvironment, Action, CallToolObservation, env_name="ledger", max_concurrent_envs=options.sessions)
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
