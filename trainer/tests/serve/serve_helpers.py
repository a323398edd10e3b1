"""Policies with a byte-level tokenizer made here, lanes to step by hand, and the real server as a process."""

import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from helpers import SHAPE, server_command, tiny_model, trainer_environment
from model.shape import Qwen3Shape, qwen3_config
from policy_server.engine import Generation, Lane, Request
from policy_server.forward import Forward
from policy_server.slots import Slots
from policy_server.weights import Weights, load_weights
from trainer.qwen3 import Qwen3

SPECIAL = ["<|end|>", "<|im_start|>", "<|im_end|>"]
TOOL_CALL_PIECES = ["<tool_call>\n", '{"name": "cancel", ', '"arguments": {"id": "@r1"}}', "\n</tool_call>"]
SERVED_SHAPE = replace(SHAPE, vocab_size=256 + len(SPECIAL) + len(TOOL_CALL_PIECES), max_positions=1024)


def byte_tokenizer() -> Tokenizer:
    """Every byte is a token; special tokens and a few whole pieces of a tool call are tokens too."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in TOOL_CALL_PIECES])
    return tokenizer


def write_model(directory: Path, model: Qwen3) -> Path:
    directory.mkdir(parents=True)
    (directory / "config.json").write_text(json.dumps(qwen3_config(model.shape)))
    save_file({name: parameter.detach().contiguous() for name, parameter in model.named_parameters()}, directory / "model.safetensors")
    return directory


def write_policy(directory: Path, model: Qwen3 | None = None, seed: int = 0) -> Path:
    """A model directory with its tokenizer."""
    write_model(directory, model or tiny_model(seed, SERVED_SHAPE))
    byte_tokenizer().save(str(directory / "tokenizer.json"))
    (directory / "tokenizer_config.json").write_text(json.dumps({"eos_token": SPECIAL[0]}))
    return directory


def tool_calling_model() -> Qwen3:
    """Hand-made weights: the next token depends on the last one alone. After a line break it writes one tool call, then ends its turn."""
    tokenizer = byte_tokenizer()
    chain = [
        tokenizer.encode("\n").ids[0],
        *(tokenizer.token_to_id(piece) for piece in TOOL_CALL_PIECES),
        tokenizer.token_to_id("<|im_end|>"),
    ]
    size = tokenizer.get_vocab_size()
    model = Qwen3(replace(SERVED_SHAPE, hidden_size=size, num_layers=1, tie_embeddings=False))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if "norm" in name else 0.0)
        model.model.embed_tokens.weight.copy_(torch.eye(size))
        for token, following in itertools.pairwise(chain):
            model.lm_head.weight[following, token] = 10.0
    return model


def weights_of(directory: Path, shape: Qwen3Shape = SHAPE, seed: int = 0) -> Weights:
    return load_weights(write_model(directory, tiny_model(seed, shape)))


def make_lane(weights: Weights, num_slots: int = 4, max_rows: int = 32, max_context: int = 128) -> Lane:
    return Lane(Forward(weights, num_slots, max_context, max_rows), Slots(num_slots, max_context))


def run(lane: Lane, *requests: Request) -> list[Generation]:
    """All the requests, submitted at once."""
    generations = [Generation(request) for request in requests]
    lane.waiting.extend(generations)
    while not lane.is_idle:
        lane.step()
    return generations


def bits(generation: Generation) -> tuple[list[int], list[str]]:
    """Sampled tokens and the exact log-probabilities."""
    return generation.token_ids, [value.hex() for value in generation.logprobs]


def random_prompt(seed: int, length: int, vocab_size: int = SHAPE.vocab_size) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, vocab_size, length)


@dataclass
class Server:
    process: subprocess.Popen[str]
    client: httpx.Client

    def post(self, path: str, body: Any, status: int = 200) -> dict[str, Any]:
        response = self.client.post(path, content=body) if isinstance(body, bytes) else self.client.post(path, json=body)
        assert response.status_code == status, response.text
        return response.json()

    def get(self, path: str) -> dict[str, Any]:
        response = self.client.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    def refusal(self, path: str, body: Any, status: int) -> dict[str, Any]:
        """The error of a refused request, in OpenAI's shape."""
        error = self.post(path, body, status)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return error

    def sample(self, prompt: list[int] | str, **fields: Any) -> tuple[list[int], list[float]]:
        body = {"model": "base", "prompt": prompt, "temperature": 0.9, "seed": 1, "max_tokens": 12, "logprobs": 0, "return_token_ids": True}
        (choice,) = self.post("/v1/completions", body | fields)["choices"]
        return choice["token_ids"], choice["logprobs"]["token_logprobs"]

    def stop(self) -> int:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def start_server(root: Path, *arguments: str, preload: str = "base") -> Server:
    """A server on a free port that has loaded `root/<preload>`."""
    command = server_command(
        "--port", "0", "--policy-root", root, "--preload", f"{preload}={root / preload}", "--die-with-parent", *arguments
    )
    process = subprocess.Popen(command, env=trainer_environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the server ended before it was ready"
    address = json.loads(line)
    return Server(process, httpx.Client(base_url=f"http://127.0.0.1:{address['port']}", timeout=60))


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
