"""Real trajectories as a training job that every side of the benchmark reads: a model of random weights and a batch file.

The conversations are tau-bench's published ones with what the model was sent: policy, tools, messages. One row per rollout: a BPE of
4,096 tokens is trained on them, what the agent said and called is the action, one advantage per turn. Run with the product's Python.

    python trainer_rows.py FOLDER TRAJECTORIES TOOLS NUM_TASKS MAX_TOKENS
"""

import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from trainer.batch import read_batch
from model.files import canonical_json, sha256_file
from model.shape import Qwen3Shape, qwen3_config
from trainer.qwen3 import Qwen3, initialize
from trainer.model_files import write_model
from trainer.policy import TrainablePolicy
from trainer.train import action_logprobs

VOCAB = 4096
SHAPE = Qwen3Shape(
    vocab_size=VOCAB,
    hidden_size=256,
    num_layers=6,
    num_heads=4,
    num_key_value_heads=2,
    head_dim=64,
    intermediate_size=768,
    rope_theta=1e6,
    max_positions=16384,
)


def main(folder: Path, trajectories: Path, tools: Path, num_tasks: int, max_tokens: int) -> None:
    rollouts = [one for one in json.loads(trajectories.read_bytes()) if one["task_id"] < num_tasks]
    rollouts.sort(key=lambda one: (one["task_id"], one["trial"]))
    texts = [texts_of(one["traj"], tools.read_text()) for one in rollouts]
    tokenizer = train_tokenizer([text for row in texts for _, text in row])
    write_policy(folder / "model", tokenizer)
    write_batch(
        folder / "batch.safetensors",
        rollouts,
        [tokenized(row, tokenizer, max_tokens) for row in texts],
    )
    fill_in_logprobs(folder)
    lengths = [len(row.token_ids) for row in read_batch(folder / "batch.safetensors", sha256_file(folder / "batch.safetensors")).rows]
    print(
        json.dumps(
            {
                "numRows": len(lengths),
                "numTokens": sum(lengths),
                "longest": max(lengths),
                "shortest": min(lengths),
            }
        )
    )


def texts_of(messages: list[dict], tools: str) -> list[tuple[str, str]]:
    """Roles and texts; the tools stand after the system prompt."""
    system, *rest = messages
    return [
        (system["role"], text_of(system) + tools),
        *((message["role"], text_of(message)) for message in rest),
    ]


def text_of(message: dict) -> str:
    calls = "".join(f"{call['function']['name']}{call['function']['arguments']}" for call in message.get("tool_calls") or [])
    return f"{message['role']}: {message.get('content') or ''}{calls}\n"


def train_tokenizer(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=VOCAB, initial_alphabet=alphabet, show_progress=False),
    )
    return tokenizer


def tokenized(row: list[tuple[str, str]], tokenizer: Tokenizer, max_tokens: int) -> tuple[list[int], list[int]]:
    """Token ids and turn ids, -1 for what the agent did not say; cut at max_tokens."""
    ids, turns, turn = [0], [-1], 0
    for role, text in row:
        new = tokenizer.encode(text).ids
        ids += new
        turns += [turn if role == "assistant" else -1] * len(new)
        turn += role == "assistant"
    return ids[:max_tokens], turns[:max_tokens]


def write_policy(directory: Path, tokenizer: Tokenizer) -> None:
    directory.mkdir()
    model = Qwen3(SHAPE)
    initialize(model, 0)
    write_model(
        directory,
        qwen3_config(SHAPE),
        {name: parameter.detach() for name, parameter in model.named_parameters()},
    )
    tokenizer.save(str(directory / "tokenizer.json"))


def write_batch(path: Path, rollouts: list[dict], rows: list[tuple[list[int], list[int]]]) -> None:
    ids = torch.tensor([token for row, _ in rows for token in row], dtype=torch.int32)
    turns = torch.tensor([turn for _, row in rows for turn in row], dtype=torch.int32)
    mask = turns >= 0
    per_turn = torch.randn(len(rows), 64, generator=torch.Generator().manual_seed(0))
    row_of = torch.repeat_interleave(torch.arange(len(rows)), torch.tensor([len(row) for row, _ in rows]))
    tensors = {
        "token_ids": ids,
        "loss_mask": mask.to(torch.uint8),
        "sampling_logprobs": torch.zeros(len(ids)),
        "advantages": per_turn[row_of, turns.clamp(min=0).long()] * mask,
        "turn_ids": turns,
        "row_offsets": torch.tensor([0, *(len(row) for row, _ in rows)]).cumsum(0),
    }
    header = {
        "schemaVersion": 1,
        "rows": [{"taskId": str(one["task_id"]), "trial": one["trial"], "branch": 0} for one in rollouts],
        "policyHash": "0" * 64,
        "rewardTableSha256": "0" * 64,
        "estimator": "random per turn",
        "numTokens": len(ids),
        "numActionTokens": int(mask.sum()),
        "numRows": len(rows),
        "seed": 0,
    }
    path.write_bytes(save(tensors, metadata={"header": canonical_json(header)}))


def fill_in_logprobs(folder: Path) -> None:
    """The sampler is the model itself: all ratios begin at 1."""
    path = folder / "batch.safetensors"
    batch = read_batch(path, sha256_file(path))
    policy = TrainablePolicy(folder / "model", "cpu").freeze()
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    for row, start in zip(batch.rows, tensors["row_offsets"].tolist(), strict=False):
        with torch.no_grad():
            [(logprobs, _)] = action_logprobs(policy, [row], "loop", 1.0)
        tensors["sampling_logprobs"][start + row.positions + 1] = logprobs
    path.write_bytes(save(tensors, metadata=metadata))


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        Path(sys.argv[3]),
        int(sys.argv[4]),
        int(sys.argv[5]),
    )
