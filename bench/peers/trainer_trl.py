"""Updates of TRL's GRPOTrainer on the rows of trainer_rows.py, or (`plain`) of a padded batch in plain transformers with logits
everywhere. Only the update is timed: generation and rewards are replaced by the rows. Run in the benchmark's own environment.

    python trainer_trl.py FOLDER trl|plain THREADS ROWS_PER_STEP NUM_STEPS ROWS_PER_BATCH
"""

import json
import os
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("KMP_BLOCKTIME", "0")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", CUDA_VISIBLE_DEVICES="")

import torch
import transformers
from safetensors.torch import load_file
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForCausalLM

Row = dict[str, torch.Tensor]


def read_rows(folder: Path) -> list[Row]:
    """Rows cut after their last action, as our trainer cuts them."""
    tensors = load_file(folder / "batch.safetensors")
    bounds = tensors.pop("row_offsets").tolist()
    rows = [{name: tensor[start:end] for name, tensor in tensors.items()} for start, end in pairwise(bounds)]
    ends = [int(row["loss_mask"].nonzero()[-1]) + 1 for row in rows]
    return [{name: tensor[:end] for name, tensor in row.items()} for row, end in zip(rows, ends, strict=True)]


def as_trl(rows: list[Row]) -> dict[str, torch.Tensor]:
    """The prompt is what comes before the first action; what the environment said later is masked as a tool's answer."""
    starts = [int(row["loss_mask"].nonzero()[0]) for row in rows]
    prompts = [row["token_ids"][:start].long() for row, start in zip(rows, starts, strict=True)]
    after = [{name: tensor[start:] for name, tensor in row.items()} for row, start in zip(rows, starts, strict=True)]

    def left(parts: list[torch.Tensor]) -> torch.Tensor:
        return pad_sequence([part.flip(0) for part in parts], batch_first=True).flip(1)

    def right(name: str) -> torch.Tensor:
        return pad_sequence([row[name] for row in after], batch_first=True)

    return {
        "prompt_ids": left(prompts),
        "prompt_mask": left([torch.ones_like(prompt) for prompt in prompts]),
        "completion_ids": right("token_ids").long(),
        "completion_mask": pad_sequence(
            [torch.ones(len(row["token_ids"]), dtype=torch.long) for row in after],
            batch_first=True,
        ),
        "tool_mask": right("loss_mask").long(),
        "advantages": right("advantages"),
        "old_per_token_logps": right("sampling_logprobs"),
    }


def trl_updates(
    folder: Path,
    rows: list[Row],
    rows_per_step: int,
    num_steps: int,
    rows_per_batch: int,
    threads: int,
) -> dict:
    import trl
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    torch.set_num_threads(threads)
    accumulation = rows_per_step // rows_per_batch
    order = [
        *range(rows_per_step),
        *range(rows_per_step * num_steps),
    ]  # the first step is the warm-up
    batches = [as_trl([rows[at] for at in order[start : start + rows_per_batch]]) for start in range(0, len(order), rows_per_batch)]
    counts = [
        sum(int(batch["tool_mask"].sum()) for batch in batches[start : start + accumulation])
        for start in range(0, len(batches), accumulation)
    ]

    class Rows(GRPOTrainer):
        def _prepare_inputs(self, _generation_batch):
            number = self._taken = getattr(self, "_taken", -1) + 1
            return {
                **batches[number],
                "num_items_in_batch": torch.tensor(counts[number // accumulation]),
            }

    class Clock(TrainerCallback):
        def __init__(self):
            self.begins, self.ends = [], []

        def on_step_begin(self, *_args, **_options):
            self.begins.append(time.perf_counter())

        def on_step_end(self, *_args, **_options):
            self.ends.append(time.perf_counter())

    clock = Clock()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "model" / "tokenizer.json"),
        pad_token="!",
        eos_token="!",
    )
    arguments = GRPOConfig(
        output_dir=str(folder / "trl"),
        per_device_train_batch_size=rows_per_batch,
        gradient_accumulation_steps=accumulation,
        num_generations=2,
        max_steps=num_steps + 1,
        learning_rate=1e-5,
        beta=0.0,
        loss_type="dapo",
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        max_grad_norm=1.0,
    )
    trainer = Rows(
        model=AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32),
        args=arguments,
        reward_funcs=lambda completions, **_: [0.0 for _ in completions],
        train_dataset=Dataset.from_dict({"prompt": ["x"] * 256}),
        processing_class=tokenizer,
        callbacks=[clock],
    )
    trainer.train()
    return {
        "seconds": clock.ends[-1] - clock.begins[1],
        "versions": f"TRL {trl.__version__} GRPOTrainer, transformers {transformers.__version__}",
    }


def plain_updates(
    folder: Path,
    rows: list[Row],
    rows_per_step: int,
    num_steps: int,
    rows_per_batch: int,
    threads: int,
) -> dict:
    """The textbook update: a padded batch, logits at every position, the clipped loss under a mask, AdamW."""
    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0)

    def take(step_rows: list[Row]) -> float:
        value, total = 0.0, sum(int(row["loss_mask"].sum()) for row in step_rows)
        for start in range(0, rows_per_step, rows_per_batch):
            part = step_rows[start : start + rows_per_batch]
            padded = {name: pad_sequence([row[name] for row in part], batch_first=True) for name in part[0]}
            ids = padded["token_ids"].long()
            lengths = torch.tensor([len(row["token_ids"]) for row in part])
            logits = model(
                input_ids=ids,
                attention_mask=(torch.arange(ids.shape[1]) < lengths[:, None]).long(),
                use_cache=False,
            ).logits
            logprobs = logits[:, :-1].log_softmax(-1).gather(2, ids[:, 1:, None]).squeeze(2)
            ratio = (logprobs - padded["sampling_logprobs"][:, 1:]).exp()
            advantages = padded["advantages"][:, 1:]
            loss = torch.maximum(-advantages * ratio, -advantages * ratio.clamp(0.8, 1.2))
            part_loss = (loss * padded["loss_mask"][:, 1:]).sum() / total
            part_loss.backward()
            value += part_loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return value

    take(rows[:rows_per_step])
    start = time.perf_counter()
    losses = [take(rows[step * rows_per_step : (step + 1) * rows_per_step]) for step in range(num_steps)]
    return {
        "seconds": time.perf_counter() - start,
        "losses": losses,
        "versions": f"transformers {transformers.__version__}, padded, logits everywhere",
    }


def main(
    folder: Path,
    side: str,
    threads: int,
    rows_per_step: int,
    num_steps: int,
    rows_per_batch: int,
) -> None:
    rows = read_rows(folder)
    update = trl_updates if side == "trl" else plain_updates
    found = update(folder, rows, rows_per_step, num_steps, rows_per_batch, threads)
    tokens = sum(len(row["token_ids"]) for row in rows[: rows_per_step * num_steps])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("\n" + json.dumps({**found, "tokens": tokens, "peakMib": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:7]))
