"""One case: rows, a policy of random weights, and optimizer steps of the trainer itself under a clock."""

import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from cases import Case
from flops import Work, needed_flops, peak_flops, published_flops
from trainer.backends import GPU, Backend
from trainer.batch import Batch, Row
from trainer.contracts import AdapterShape, Hyperparameters, TrainingJob
from trainer.layouts import lay_out
from model.shape import Qwen3Shape
from trainer.qwen3 import Qwen3
from trainer.policy import TrainablePolicy
from trainer.train import TrainLearner

ADAPTER = AdapterShape(16, 32, ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"))
TOKENS_AT_A_TIME = 2**16
"""No case is cut into micro-batches by it, except that rows of 16k come one at a time."""


def measure(case: Case, shape: Qwen3Shape, device: str, folder: Path) -> dict[str, Any]:
    """Seconds of a step (the best), rates, shares of the card's peak, and peak memory. `folder` gets a config.json."""
    backend = replace(GPU.on(device), recompute=case.recompute)
    rows = make_rows(case, shape)
    learner = make_learner(case, shape, backend, rows, folder)
    times = [timed_step(learner, step, backend.device) for step in range(1, case.num_steps + 2)][1:]
    seconds = min(times)
    work = work_of(case, rows)
    num_adapter = sum(parameter.numel() for _, parameter in learner._policy.named_parameters()) if case.is_lora else 0
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    peak = peak_flops(name)
    counts = {"Published": published_flops(shape, work, num_adapter), "Needed": needed_flops(shape, work, num_adapter)}
    return {
        "case": case.name,
        "what": case.what,
        "device": name,
        "seconds": seconds,
        "tokensPerSecond": work.num_tokens / seconds,
        "actionTokensPerSecond": work.num_actions / seconds,
        "trajectoriesPerSecond": case.num_rows / seconds,
        "peakMemoryGib": peak_memory(device) / 2**30,
        **{f"teraflops{kind}": count / seconds / 1e12 for kind, count in counts.items()},
        **{f"mfu{kind}": None if peak is None else count / seconds / peak for kind, count in counts.items()},
    }


def make_rows(case: Case, shape: Qwen3Shape) -> list[Row]:
    """Random tokens after a common prefix. Actions are runs of 32 tokens, evenly spread over what is not shared."""
    generator = torch.Generator().manual_seed(0)
    prefix = torch.randint(0, shape.vocab_size, (case.shared_prefix,), generator=generator)
    return [make_row(case, prefix, shape.vocab_size, generator) for _ in range(case.num_rows)]


def make_row(case: Case, prefix: torch.Tensor, vocab_size: int, generator: torch.Generator) -> Row:
    own = torch.randint(0, vocab_size, (case.row_length - len(prefix),), generator=generator)
    share = min(1.0, case.action_share * case.row_length / len(own))
    is_action = (torch.arange(len(own)) % 32 < 32 * share) & (torch.arange(len(own)) + len(prefix) > 0)
    places = is_action.nonzero().flatten() + len(prefix)
    return Row(
        token_ids=torch.cat([prefix, own]),
        positions=places - 1,
        sampling_logprobs=torch.full((len(places),), -torch.tensor(float(vocab_size)).log().item()),
        advantages=torch.randn(len(places), generator=generator),
        turn_ids=torch.zeros(len(places), dtype=torch.int32),
    )


def make_learner(case: Case, shape: Qwen3Shape, backend: Backend, rows: list[Row], folder: Path) -> TrainLearner:
    import json

    from model.shape import qwen3_config

    (folder / "config.json").write_text(json.dumps(qwen3_config(shape)))
    policy = TrainablePolicy(folder, backend, random_model(shape, backend))
    if case.is_lora:
        policy.add_adapter(ADAPTER, seed=0)
    batch = Batch({}, rows, 0, case.row_length)
    return TrainLearner(job_of(case), batch, policy, None)


def random_model(shape: Qwen3Shape, backend: Backend) -> Qwen3:
    """Made where it is used: 4B parameters would take minutes on a CPU."""
    torch.manual_seed(0)
    with backend.device:
        model = Qwen3(shape)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.normal_(0.0, 0.02)
    model.recompute = backend.recompute
    return model


def job_of(case: Case) -> TrainingJob:
    nowhere = Path("-")
    hyper = Hyperparameters(
        learning_rate=1e-5,
        betas=(0.9, 0.999),
        weight_decay=0.0,
        num_minibatches=1,
        epochs=case.num_steps + 1,
        warmup_steps=0,
        clip_low=0.2,
        clip_high=0.2,
        dual_clip=3.0,
        kl_weight=0.0,
        gradient_clip=1.0,
        max_gradient_norm=1e9,
        aggregation="token-mean",
        checkpoint_every_steps=10**9,
        layout=case.layout,
        micro_batch_tokens=case.row_length if case.shared_prefix == 0 else TOKENS_AT_A_TIME,
        importance_truncation=None,
    )
    return TrainingJob("bench", "gpu", 1, nowhere, "", None, None, nowhere, "", 1.0, hyper, 0, "")


def timed_step(learner: TrainLearner, step: int, device: torch.device) -> float:
    wait: Callable[[], None] = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    learner.take_step(step, lambda: None)
    wait()
    return time.perf_counter() - start


def work_of(case: Case, rows: list[Row]) -> Work:
    """Of a whole step. A tree computes what rows share once, and its tokens see their ancestors."""
    segments = lay_out(case.layout, rows).segments or ()
    sizes = [segment.end - segment.start for segment in segments]
    pairs = sum(
        size * (size + 1) // 2 + size * sum(sizes[one] for one in segment.ancestors) for size, segment in zip(sizes, segments, strict=True)
    )
    lengths = [len(row.token_ids) for row in rows]
    return Work(sum(lengths), sum(sizes), pairs, sum(row.num_actions for row in rows), sum(lengths) / len(lengths))


def peak_memory(device: str) -> int:
    """Bytes: what torch held at most on a card, or the process on a CPU."""
    return torch.cuda.max_memory_reserved() if device == "cuda" else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
