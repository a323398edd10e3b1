"""A verl DataProto as one safetensors file: tensors under verl's names, everything else as JSON in its metadata. No pickle.

Names, alignment and padding are those of verl's own rollouts (release VERSION, verl/experimental/agent_loop/agent_loop.py and
verl/trainer/ppo/ray_trainer.py): prompts are padded on the left, responses on the right, and per-token arrays cover the responses.

Dimensions: B row, P longest prompt, R longest response. A prompt is what stands before a row's first action token; the response is
the rest, with what tools and users say in between outside the response mask.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from model.files import canonical_json
from trainer.engines.rows import ExportBatch, ExportRow

VERSION = "0.9.1"
FILE = "dataproto.safetensors"
METADATA = "dataproto"


@dataclass(frozen=True)
class VerlOptions:
    temperature: float = 1.0
    pad_token_id: int = 0  # outside the attention mask


def files(batch: ExportBatch, options: VerlOptions) -> Iterator[tuple[str, bytes]]:
    meta_info = {
        "temperature": options.temperature,
        "pad_token_id": options.pad_token_id,
        "global_token_num": [len(row) for row in batch.rows],
        "multi_turn": True,
        "batch_sha256": batch.sha256,
    }
    non_tensors = {
        "uid": [row.task_id for row in batch.rows],
        "trial": [row.trial for row in batch.rows],
        "branch": [row.branch for row in batch.rows],
    }
    # One metadata entry: safetensors writes several in an order of its own that differs from time to time.
    metadata = {METADATA: canonical_json({"non_tensors": non_tensors, "meta_info": meta_info})}
    yield FILE, save(tensors(batch.rows, options.pad_token_id), metadata=metadata)


def tensors(rows: list[ExportRow], pad_token_id: int) -> dict[str, Tensor]:
    """i64: prompts_BP, responses_BR, input_ids, attention_mask and position_ids over P + R, response_mask_BR. f32 over BR: the rest.

    The old log-probabilities are the sampler's, and so are the returns the advantages: there is no critic.
    """
    splits = [prompt_length(row) for row in rows]
    max_prompt = max(splits)
    max_response = max(len(row) - split for row, split in zip(rows, splits, strict=True))
    pairs = list(zip(rows, splits, strict=True))
    prompts_BP = torch.stack([_left(row.token_ids_S[:split], max_prompt, pad_token_id) for row, split in pairs])
    responses_BR = torch.stack([_right(row.token_ids_S[split:], max_response, pad_token_id) for row, split in pairs])
    attention_B = [_attention(split, len(row) - split, max_prompt, max_response) for row, split in pairs]
    attention_mask = torch.stack(attention_B)
    logprobs_BR = torch.stack([_right(row.logprobs_S[split:], max_response, 0) for row, split in pairs])
    advantages_BR = torch.stack([_right(row.advantages_S[split:], max_response, 0) for row, split in pairs])
    return {
        "prompts": prompts_BP,
        "responses": responses_BR,
        "input_ids": torch.cat([prompts_BP, responses_BR], dim=1),
        "attention_mask": attention_mask,
        "position_ids": (attention_mask.cumsum(dim=1) - 1).clamp(min=0),
        "response_mask": torch.stack([_right(row.loss_mask_S[split:].long(), max_response, 0) for row, split in pairs]),
        "old_log_probs": logprobs_BR,
        "rollout_log_probs": logprobs_BR.clone(),
        "advantages": advantages_BR,
        "returns": advantages_BR.clone(),
    }


def load(path: Path | str) -> dict[str, Any]:
    """The keyword arguments of `verl.DataProto.from_dict`: tensors, non_tensors (arrays of objects), meta_info. Reads data, runs none."""
    with safe_open(path, framework="pt") as file:
        rest = json.loads(file.metadata()[METADATA])
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    non_tensors = {name: np.array(values, dtype=object) for name, values in rest["non_tensors"].items()}
    return {"tensors": found, "non_tensors": non_tensors, "meta_info": rest["meta_info"]}


def prompt_length(row: ExportRow) -> int:
    """Tokens before the first action token; all of them where there is none."""
    actions = row.loss_mask_S.nonzero()
    return int(actions[0]) if len(actions) else len(row)


def _left(values: Tensor, size: int, fill: int) -> Tensor:
    return torch.cat([values.new_full((size - len(values),), fill), values])


def _right(values: Tensor, size: int, fill: int) -> Tensor:
    return torch.cat([values, values.new_full((size - len(values),), fill)])


def _attention(prompt: int, response: int, max_prompt: int, max_response: int) -> Tensor:
    ones = torch.ones(prompt + response, dtype=torch.long)
    return _right(_left(ones, max_prompt + response, 0), max_prompt + max_response, 0)
