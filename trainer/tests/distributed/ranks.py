"""What the zygote imports before it forks ranks: each of these would cost every one of them a second or more."""

PRELOAD = ("trainer.distributed.rank", "torch._dynamo", "peft.tuners.lora")
TRANSFORMERS = ("transformers.models.qwen3_moe.modeling_qwen3_moe", "transformers.models.auto.modeling_auto")
LORA = {"rank": 4, "alpha": 8, "targetModules": ["q_proj", "down_proj"], "directory": None, "hash": None}
