"""Loss and gradients of one minibatch, by one process of another back-end and by any number of ranks. Called in the zygote."""

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch.distributed.tensor import DTensor

from model.files import write_atomic
from trainer.backends import GPU, fsdp_on
from trainer.contracts import read_training_job
from trainer.distributed.group import Group, Place
from trainer.distributed.learner import create_learner as create_sharded
from trainer.job_run import configure_torch
from trainer.train import TrainLearner, create_learner

CPU = torch.device("cpu")


def write_moe(directory: str) -> None:
    """A random Qwen3-MoE: a model that only transformers knows, whose experts see tokens of some ranks and not of others."""
    from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

    config = Qwen3MoeConfig(
        vocab_size=97,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,  # pyright: ignore[reportCallIssue]
        max_position_embeddings=128,
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=24,
        mlp_only_layers=[],
    )
    torch.manual_seed(0)
    Qwen3MoeForCausalLM(config).save_pretrained(directory)
    (Path(directory) / "tokenizer.json").write_text("{}\n")


def compute(*directories: str) -> None:
    """Of each job directory by as many ranks as the job says; of one with backend cpu by one process. Files are left in the directories."""
    configure_torch(1)
    jobs = [(Path(directory), read_training_job(Path(directory))) for directory in directories]
    for directory, job in jobs:
        if job.backend == "cpu":
            write_gradients(directory, create_learner(job, GPU.on("cpu") if is_in_bfloat16(directory) else None))
    for world_size in sorted({job.num_processes for _, job in jobs if job.backend == "fsdp"}):
        chosen = [directory for directory, job in jobs if job.backend == "fsdp" and job.num_processes == world_size]
        meeting = chosen[0].parent / f"meeting-{world_size}"
        pids = [start(rank, world_size, meeting, chosen) for rank in range(world_size)]
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * world_size


def start(rank: int, world_size: int, meeting: Path, directories: list[Path]) -> int:
    pid = os.fork()
    if pid:
        return pid
    group = Group(CPU, Place(rank, world_size, rank, world_size), str(meeting))
    for directory in directories:
        backend = replace(fsdp_on(CPU), compute_dtype=torch.bfloat16) if is_in_bfloat16(directory) else None
        write_gradients(directory, create_sharded(read_training_job(directory), group, backend))
    group.close()
    os._exit(0)


def is_in_bfloat16(directory: Path) -> bool:
    """With the numbers of a GPU: a file of the test's own asks for them, no job can."""
    return (directory / "bfloat16").exists()


def write_gradients(directory: Path, learner: TrainLearner) -> None:
    sums = learner._accumulate_gradients(list(range(len(learner._batch.rows))), lambda: None)
    gradients = {name: whole(parameter.grad) for name, parameter in learner._policy.named_parameters() if parameter.grad is not None}
    norm = learner._gradient_norm()
    held = [parameter.to_local() for _, parameter in learner._policy.named_parameters() if isinstance(parameter, DTensor)]
    share = sum(tensor.numel() for tensor in held) / sum(parameter.numel() for _, parameter in learner._policy.named_parameters())
    if not dist.is_initialized() or dist.get_rank() == 0:
        save_file(gradients, directory / "gradients.safetensors")
        write_atomic(directory / "sums.json", repr({**asdict(sums), "norm": norm, "share": share}).encode())


def whole(tensor: Any) -> torch.Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
