"""Speed of tau-bench's own environment: python tau_bench.py CHECKOUT DOMAIN FUZZ_FILE NUM_SEQUENCES NUM_EPISODES

Prints one JSON object: calls per second of Env.step from the text that a model sends, whole episodes per second (reset, golden
actions, reward), data hashes per second. The user is scripted and no model is called.
"""

import contextlib
import json
import sys
import time
import types


def open_environment(checkout: str, domain: str):
    """The domain's environment with a user that stops at once. litellm is not needed and replaced by an empty module."""
    litellm = types.ModuleType("litellm")
    litellm.completion = None
    sys.modules.setdefault("litellm", litellm)
    sys.path.insert(0, checkout)
    from tau_bench.envs import base

    class ScriptedUser:
        def reset(self, instruction=None):
            return "hello"

        def step(self, content):
            return "###STOP###"

        def get_total_cost(self):
            return 0.0

    base.load_user = lambda **_: ScriptedUser()
    module = __import__(f"tau_bench.envs.{domain}.env", fromlist=["*"])
    kind = next(
        value for name, value in vars(module).items() if name.startswith("Mock")
    )
    return kind(
        user_strategy="llm",
        user_model="none",
        user_provider="none",
        task_split="test",
        task_index=0,
    )


def main() -> None:
    checkout, domain, fuzz_file, num_sequences, num_episodes = sys.argv[1:]
    environment = open_environment(checkout, domain)
    from tau_bench.types import Action

    with open(fuzz_file) as lines:
        vectors = [
            json.loads(line)
            for line, _ in zip(lines, range(int(num_sequences)), strict=False)
        ]
    sequences = [
        [
            (
                call["name"],
                call["arguments"]
                if "arguments" in call
                else json.dumps(call["kwargs"]),
            )
            for call in vector["calls"]
        ]
        for vector in vectors
    ]
    terminate_tools, environment.terminate_tools = environment.terminate_tools, []

    stepping = 0.0
    num_calls = 0
    for sequence in sequences:
        environment.data = environment.data_load_func()
        begin = time.perf_counter()
        for name, arguments in sequence:
            with contextlib.suppress(
                Exception
            ):  # one tool returns None, which the response type refuses
                environment.step(Action(name=name, kwargs=json.loads(arguments)))
        stepping += time.perf_counter() - begin
        num_calls += len(sequence)

    environment.terminate_tools = terminate_tools
    begin = time.perf_counter()
    for index in range(int(num_episodes)):
        environment.reset(index % len(environment.tasks))
        for action in list(environment.task.actions):
            if action.name not in terminate_tools:
                environment.step(action)
        environment.step(Action(name="respond", kwargs={"content": "done"}))
    episodes = time.perf_counter() - begin

    begin = time.perf_counter()
    for _ in range(5):
        environment.get_data_hash()
    hashes = time.perf_counter() - begin

    print(
        json.dumps(
            {
                "callsPerSecond": num_calls / stepping,
                "episodesPerSecond": int(num_episodes) / episodes,
                "hashesPerSecond": 5 / hashes,
                "python": sys.version.split()[0],
            }
        )
    )


if __name__ == "__main__":
    main()
