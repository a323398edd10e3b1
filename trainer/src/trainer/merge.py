"""`python -m trainer merge`: an adapter added into its base's weights, as a model directory of its own."""

from pathlib import Path

from model.errors import InvalidJob
from model.files import fresh_directory, replace_directory
from trainer.adapter import read_adapter, read_shape
from trainer.backends import CPU
from trainer.model_files import policy_hash
from trainer.policy import TrainablePolicy


def merge(base: Path, adapter: Path, output: Path) -> str:
    """Writes OUTPUT whole or not at all; returns its policy hash. Raises InvalidJob when the two do not fit, or OUTPUT exists."""
    if output.exists():
        raise InvalidJob(f"{output} exists already")
    shape = read_shape(adapter)
    tensors = read_adapter(adapter, shape, policy_hash(base))
    policy = TrainablePolicy(base, CPU)
    policy.add_adapter(shape, seed=0)
    policy.load_adapter(tensors, adapter)
    temporary = fresh_directory(output.parent / f".{output.name}.tmp")
    policy.export_merged(temporary)
    replace_directory(temporary, output)
    return policy_hash(output)
