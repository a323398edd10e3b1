from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from helpers import Zygote, random_tensors, tiny_model, write_batch, write_job, write_tiny_model

torch.set_num_threads(1)


@pytest.fixture
def model_directory(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "base")


@pytest.fixture
def batch_path(tmp_path: Path) -> Path:
    return write_batch(tmp_path / "batch.safetensors", random_tensors(tiny_model(), [20, 33, 9, 41, 26, 14, 30, 12]))


@pytest.fixture
def job_directory(tmp_path: Path, model_directory: Path, batch_path: Path) -> Path:
    return write_job(tmp_path / "job", model_directory, batch_path)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    process = Zygote()
    yield process
    process.close()
