"""What the zygote imports before it forks ranks: each of these would cost every one of them a second or more."""

PRELOAD = ("trainer.distributed.rank", "torch._dynamo", "peft.tuners.lora")
