"""Conversations through transformers' generate in static batches: turn by turn, 16 at a time, padded on the left.

    python serving_transformers.py FOLDER BATCH_SIZE NEW_TOKENS THREADS WHETHER_TURNS_SHARE_THE_CACHE

Prints {"seconds", "cpuSeconds", "numTokens", "peakBytes", "version"}. With the last argument 1 the batch's key-value cache is passed on
from turn to turn (`past_key_values`); with 0 every turn is a call of its own.
"""

import json
import resource
import sys
import time
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM


def main(folder: Path, batch_size: int, new_tokens: int, threads: int, is_cached: bool) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    workload = json.loads((folder / "workload.json").read_text())
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32).eval()
    generate(model, padded([workload["prefix"][:32]] * 2), None, 4)
    started, cpu_started = time.perf_counter(), time.process_time()
    conversations = workload["conversations"]
    for start in range(0, len(conversations), batch_size):
        converse(model, workload["prefix"], conversations[start : start + batch_size], new_tokens, is_cached)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    figures = {
        "seconds": seconds,
        "cpuSeconds": cpu_seconds,
        "numTokens": sum(len(turns) for turns in conversations) * new_tokens,
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "version": transformers.__version__,
    }
    print(json.dumps(figures))


def converse(model, prefix: list[int], conversations: list[list[list[int]]], new_tokens: int, is_cached: bool) -> None:
    """All turns of one batch. Tokens and mask grow to the right, so that a cache of the columns before stays valid."""
    ids, mask = padded([prefix + turns[0] for turns in conversations])
    cache = None
    for turn in range(len(conversations[0])):
        if turn and is_cached:
            new, new_mask = padded([turns[turn] for turns in conversations])
            ids, mask = torch.cat((ids, new), 1), torch.cat((mask, new_mask), 1)
        elif turn:
            rows = [row[kept.bool()].tolist() + turns[turn] for row, kept, turns in zip(ids, mask, conversations, strict=True)]
            ids, mask = padded(rows)
        output = generate(model, (ids, mask), cache, new_tokens)
        cache = output.past_key_values if is_cached else None
        mask = torch.cat((mask, torch.ones(len(ids), new_tokens, dtype=mask.dtype)), 1)
        ids = output.sequences


def padded(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return ids, mask


@torch.inference_mode()
def generate(model, batch: tuple[torch.Tensor, torch.Tensor], cache, new_tokens: int):
    return model.generate(
        input_ids=batch[0],
        attention_mask=batch[1],
        past_key_values=cache,
        max_new_tokens=new_tokens,
        min_new_tokens=new_tokens,
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        pad_token_id=0,
        return_dict_in_generate=True,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]), sys.argv[5] == "1")
