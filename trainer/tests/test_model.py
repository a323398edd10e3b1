"""Our Qwen3 is transformers' Qwen3: same names, same files, same logits."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from helpers import SHAPE, tiny_model, write_tiny_model
from model.errors import InvalidJob
from model.shape import qwen3_config
from trainer.model_files import write_model
from trainer.qwen3 import Qwen3, load_qwen3


@pytest.mark.parametrize("shape", [SHAPE, replace(SHAPE, num_key_value_heads=4), replace(SHAPE, tie_embeddings=False)])
def test_logits_equal_those_of_transformers(tmp_path: Path, shape) -> None:
    model = tiny_model(seed=3, shape=shape)
    write_model(tmp_path, qwen3_config(shape), {name: parameter.detach() for name, parameter in model.named_parameters()})
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    ids = torch.randint(0, shape.vocab_size, (3, 70))
    with torch.no_grad():
        torch.testing.assert_close(load_qwen3(tmp_path)(ids), theirs(ids).logits, atol=1e-5, rtol=0)


def test_state_dict_has_the_keys_of_transformers(tmp_path: Path) -> None:
    write_tiny_model(tmp_path / "model")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    ours = Qwen3(SHAPE).state_dict()
    assert {name: tensor.shape for name, tensor in ours.items()} == {name: tensor.shape for name, tensor in theirs.state_dict().items()}


def test_right_padding_changes_no_logit_of_the_row() -> None:
    model, ids = tiny_model(), torch.randint(0, SHAPE.vocab_size, (1, 40))
    padded = torch.cat([ids, torch.zeros(1, 25, dtype=torch.int64)], dim=1)
    with torch.no_grad():
        torch.testing.assert_close(model(padded)[:, :40], model(ids), atol=1e-5, rtol=0)


def test_weights_in_parts_are_those_of_one_file_and_a_missing_part_is_an_invalid_job(tmp_path: Path) -> None:
    directory = write_tiny_model(tmp_path / "model")
    expected = load_qwen3(directory).state_dict()
    tensors = list(load_file(directory / "model.safetensors").items())
    (directory / "model.safetensors").unlink()
    for number, part in enumerate((tensors[:5], tensors[5:]), start=1):
        save_file(dict(part), directory / f"model-0000{number}-of-00002.safetensors")
    found = load_qwen3(directory).state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    (directory / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(InvalidJob, match="do not fit"):
        load_qwen3(directory)


def test_a_torn_weight_file_is_an_invalid_job(tmp_path: Path) -> None:
    directory = write_tiny_model(tmp_path / "model")
    weights = directory / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(InvalidJob, match=r"model\.safetensors cannot be read"):
        load_qwen3(directory)


def test_weights_of_another_shape_are_an_invalid_job(tmp_path: Path) -> None:
    directory = write_tiny_model(tmp_path / "model")
    write_model(directory, qwen3_config(replace(SHAPE, hidden_size=64)), dict(tiny_model().named_parameters()))
    with pytest.raises(InvalidJob, match="do not fit"):
        load_qwen3(directory)
