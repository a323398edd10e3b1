"""The serving benchmark's model and conversations, as files that both sides read. Run with the product's Python.

    python serving_workload.py FOLDER NUM_CONVERSATIONS NUM_TURNS PREFIX_LENGTH

A Qwen3 of 5.8 million random parameters, and conversations of random token ids: all begin with the same prefix (policy and tools), then
every turn has what the user or a tool said. What is generated is appended by whoever runs the conversation.
"""

import json
import sys
from pathlib import Path

import numpy as np
from model.shape import Qwen3Shape, qwen3_config
from trainer.qwen3 import Qwen3, initialize
from trainer.model_files import write_model

SHAPE = Qwen3Shape(
    vocab_size=4096,
    hidden_size=256,
    num_layers=6,
    num_heads=4,
    num_key_value_heads=2,
    head_dim=64,
    intermediate_size=768,
    rope_theta=1e6,
    max_positions=8192,
)

CONTEXT_LENGTHS = (7, 13, 16, 18, 22, 25, 29, 34, 40, 58, 157, 172, 186, 210, 272)
"""Tokens (characters / 4) between two agent turns of the 200 published tau-bench airline conversations with gpt-4o: sixteenths of their
distribution, without the empty one."""


def main(folder: Path, num_conversations: int, num_turns: int, prefix_length: int) -> None:
    model = Qwen3(SHAPE)
    initialize(model, 0)
    (folder / "model").mkdir()
    write_model(folder / "model", qwen3_config(SHAPE), {name: parameter.detach() for name, parameter in model.named_parameters()})
    generator = np.random.default_rng(0)

    def tokens(length: int) -> list[int]:
        return generator.integers(0, SHAPE.vocab_size, length).tolist()

    lengths = generator.choice(CONTEXT_LENGTHS, (num_conversations, num_turns))
    workload = {"prefix": tokens(prefix_length), "conversations": [[tokens(length) for length in row] for row in lengths]}
    (folder / "workload.json").write_text(json.dumps(workload))
    print(json.dumps({"numParameters": sum(parameter.numel() for parameter in model.parameters()), "meanContext": float(lengths.mean())}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
