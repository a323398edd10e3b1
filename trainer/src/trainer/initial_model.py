"""A policy before any training: the embedded architecture with random weights and a tokenizer that can say any text.

Every byte is one token and nothing merges, so there is no text that the tokenizer was not made for. Chat and tool tags are tokens of
their own: `<|im_start|>` and `<|im_end|>` as control tokens, the others as text, so that a decoded turn still shows them.
"""

import json
from dataclasses import asdict
from pathlib import Path

from model.errors import InvalidJob
from model.files import fresh_directory, replace_directory
from model.shape import Qwen3Shape, Qwen3Size, qwen3_config
from trainer.contracts import TokenizerJob, read_initial_model_job
from trainer.model_files import policy_hash, write_model
from trainer.qwen3 import Qwen3, initialize
from trainer.tokenizer import tokenizer_config, tokenizer_json

NUM_BYTES = 256
SPECIAL_TOKENS = ["<|im_end|>", "<|im_start|>"]
ATOMIC_TOKENS = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<tools>", "</tools>"]


def write_initial_model(job_file: Path) -> str:
    """Runs an InitialModelJob; the result is an InitialModel as one line of JSON. Same job, same bytes."""
    job = read_initial_model_job(job_file)
    tokens = TokenizerJob(Path(), NUM_BYTES + len(SPECIAL_TOKENS) + len(ATOMIC_TOKENS), SPECIAL_TOKENS, ATOMIC_TOKENS, Path())
    content = tokenizer_json(tokens, [])
    model = Qwen3(shape_of(job.model_config, len(content["model"]["vocab"])))
    initialize(model, job.seed)
    temporary = fresh_directory(job.output_directory.with_name(f".{job.output_directory.name}.tmp"))
    (temporary / "tokenizer.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (temporary / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(tokens), indent=2) + "\n")
    write_model(temporary, qwen3_config(model.shape), {name: parameter.detach() for name, parameter in model.named_parameters()})
    replace_directory(temporary, job.output_directory)
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    return json.dumps({"numParameters": num_parameters, "policyHash": policy_hash(job.output_directory)})


def shape_of(size: Qwen3Size, vocab_size: int) -> Qwen3Shape:
    """The shape of a model from scratch. Raises InvalidJob when its heads cannot share keys and values evenly."""
    if size.num_heads % size.num_key_value_heads:
        raise InvalidJob(f"numHeads {size.num_heads} is not a multiple of numKeyValueHeads {size.num_key_value_heads}")
    return Qwen3Shape(vocab_size=vocab_size, **asdict(size))
