"""Reads our exports with the engines' own code and takes their loss; run by test_engine_peers.py with an interpreter that has them.

    engine_peers.py verl OUT MODEL AGGREGATION
    engine_peers.py prime-rl OUT MODEL RANKS LOSS CHECKOUT    (LOSS: default, custom)

Prints {"loss", "gradientNorm", "numRows"} as JSON. Only the forward pass is not theirs (both need a GPU there): it is transformers',
in fp32, one row at a time.
"""

# pyright: reportMissingImports=false
import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM


def next_token_logprobs(model: torch.nn.Module, token_ids_S: Tensor, position_ids_S: Tensor, temperature: Tensor | float) -> Tensor:
    """Of token s + 1, at s; the last is 0. temperature: one, or one per token."""
    logits_SV = model(input_ids=token_ids_S[None], position_ids=position_ids_S[None]).logits[0] / temperature
    picked = logits_SV[:-1].log_softmax(-1).gather(1, token_ids_S[1:, None]).flatten()
    return torch.cat([picked, picked.new_zeros(1)])


def verl_loss(out: Path, model: torch.nn.Module, aggregation: str) -> tuple[Tensor, int]:
    """The way of RayPPOTrainer._update_actor and the engine worker: DataProto, chunks for workers, TensorDict, no padding, ppo_loss."""
    from verl import DataProto
    from verl.utils import tensordict_utils as tu
    from verl.workers.config import ActorConfig
    from verl.workers.utils.losses import ppo_loss
    from verl.workers.utils.padding import left_right_2_no_padding

    from trainer.engines.verl import load

    proto = DataProto.from_dict(**load(out / "dataproto.safetensors"))
    proto.check_consistency()
    again = DataProto.concat(proto.chunk(2))
    assert all(torch.equal(again.batch[name], tensor) for name, tensor in proto.batch.items())
    assert again.meta_info == proto.meta_info
    data = left_right_2_no_padding(proto.to_tensordict())
    tu.assign_non_tensor(data, dp_size=1, batch_num_tokens=int(proto.batch["response_mask"].sum()), global_batch_size=len(proto))
    rows = zip(data["input_ids"].unbind(), data["position_ids"].unbind(), strict=True)
    temperature = proto.meta_info["temperature"]
    logprobs = torch.nested.as_nested_tensor([next_token_logprobs(model, *row, temperature) for row in rows], layout=torch.jagged)
    config = ActorConfig(strategy="fsdp", rollout_n=1, ppo_micro_batch_size_per_gpu=1, loss_agg_mode=aggregation)
    return ppo_loss(config, {"log_probs": logprobs}, data)[0], len(proto)


def prime_rl_loss(out: Path, model: torch.nn.Module, ranks: int, loss: str, checkout: Path) -> tuple[Tensor, int]:
    """The way of prime-rl's train(): receiver and loader of each rank, then compute_loss of each micro-batch over the global count."""
    sys.path[:0] = [str(checkout / "src"), str(checkout / "packages" / "prime-rl-configs" / "src")]
    from prime_rl.configs.trainer import CustomLossConfig, DefaultLossConfig
    from prime_rl.trainer.batch import _assert_token_arrays_aligned
    from prime_rl.trainer.rl.data import DataLoader
    from prime_rl.trainer.rl.loss import compute_loss, setup_rl_loss_fn
    from prime_rl.transports.rollouts import FileSystemMicroBatchReceiver

    if loss == "custom":
        config = CustomLossConfig(import_path="trainer.engines.prime_rl_loss.clipped")
    else:
        config = DefaultLossConfig(dppo_mask_low=2, dppo_mask_high=2, kl_tau=0)
    loss_fn = setup_rl_loss_fn(config)
    loader = object.__new__(DataLoader)
    everything = []
    for rank in range(ranks):
        loader.receiver = FileSystemMicroBatchReceiver(out, rank, current_step=1)
        assert loader.receiver.can_receive()
        for packed in FileSystemMicroBatchReceiver(out, rank, current_step=1).receive():
            _assert_token_arrays_aligned(packed)
        loader.wait_for_batch()
        everything += loader.get_batch()
    scale = sum(int(batch["loss_mask"].sum()) for batch in everything)
    losses = [_micro_batch_loss(batch, model, compute_loss, loss_fn, scale) for batch in everything]
    return torch.stack(losses).sum(), sum(len(batch["sequence_lengths"]) for batch in everything if batch["loss_mask"].any())


def _micro_batch_loss(batch: dict[str, Any], model: torch.nn.Module, compute_loss: Any, loss_fn: Any, scale: int) -> Tensor:
    lengths = batch["sequence_lengths"]
    ids, positions, temperatures = (batch[name].squeeze() for name in ("input_ids", "position_ids", "temperatures"))
    rows = zip(ids.split(lengths), positions.split(lengths), temperatures[:, None].split(lengths), strict=True)
    return compute_loss(
        trainer_logprobs=[next_token_logprobs(model, *row).roll(1) for row in rows],
        inference_logprobs=batch["inference_logprobs"].squeeze().split(lengths),
        ref_logprobs=None,
        advantages=batch["advantages"].squeeze().split(lengths),
        loss_mask=batch["loss_mask"].squeeze().split(lengths),
        rl_weights=None,
        ce_weights=None,
        ref_kl_weights=None,
        rl_loss_fn=loss_fn,
        rl_scale=scale,
        ce_scale=1,
        ref_kl_scale=1,
    )[0]


def main(engine: str, out: str, directory: str, *rest: str) -> None:
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
    if engine == "verl":
        loss, num_rows = verl_loss(Path(out), model, rest[0])
    else:
        loss, num_rows = prime_rl_loss(Path(out), model, int(rest[0]), rest[1], Path(rest[2]))
    loss.backward()
    norm = torch.nn.utils.get_total_norm([parameter.grad for parameter in model.parameters() if parameter.grad is not None])
    print(json.dumps({"loss": loss.item(), "gradientNorm": norm.item(), "numRows": num_rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
