"""An exported model has every tensor of the one that it came from, under its name: what is not trained byte for byte."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from helpers import write_tiny_model
from model.errors import InvalidJob
from model.shape import read_config
from recurrent_models import write_model, write_multimodal
from trainer.backends import CPU
from trainer.contracts import AdapterShape
from trainer.merge import merge
from trainer.model_files import policy_hash
from trainer.policy import TrainablePolicy
from trainer.whole_weights import stored_tensors


def trained(directory: Path) -> TrainablePolicy:
    """Every weight moved, as a step would."""
    policy = TrainablePolicy(directory, CPU)
    with torch.no_grad():
        for parameter in policy.module.parameters():
            parameter.add_(0.25)
    return policy


def exported(directory: Path, folder: Path) -> dict[str, Tensor]:
    folder.mkdir()
    trained(directory).export(folder, "0" * 64)
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize(("tie", "num_tensors"), [(False, 77), (True, 76)])
def test_no_tensor_of_a_multimodal_model_is_lost(tmp_path: Path, tie: bool, num_tensors: int) -> None:
    source = write_multimodal(tmp_path / "model", tie, torch.bfloat16)
    before, after = load_file(source / "model.safetensors"), exported(source, tmp_path / "out")
    assert len(before) == num_tensors
    assert after.keys() == before.keys()
    for name, tensor in before.items():
        if ".visual." in name:
            assert after[name].dtype == torch.bfloat16
            assert torch.equal(after[name], tensor)
        else:
            torch.testing.assert_close(after[name], tensor.float() + 0.25, atol=0, rtol=0)
    assert read_config(tmp_path / "out")["text_config"]["dtype"] == "float32"
    assert TrainablePolicy(tmp_path / "out", CPU).vocab_size == 97


def test_an_export_is_loaded_again_and_exported_to_the_same_bytes(tmp_path: Path) -> None:
    source = write_multimodal(tmp_path / "model", tie=True)
    for name, directory in (("once", source), ("twice", tmp_path / "once")):
        (tmp_path / name).mkdir()
        TrainablePolicy(directory, CPU).export(tmp_path / name, "0" * 64)
    assert policy_hash(tmp_path / "once") == policy_hash(tmp_path / "twice")


def test_a_tied_matrix_that_is_in_the_file_stays_in_it_with_what_it_is_tied_to(tmp_path: Path) -> None:
    source = write_tiny_model(tmp_path / "model")
    weights = load_file(source / "model.safetensors")
    save_file({**weights, "lm_head.weight": weights["model.embed_tokens.weight"].clone()}, source / "model.safetensors")
    after = exported(source, tmp_path / "out")
    assert after.keys() == {*weights, "lm_head.weight"}
    assert torch.equal(after["lm_head.weight"], after["model.embed_tokens.weight"])
    assert not torch.equal(after["lm_head.weight"], weights["model.embed_tokens.weight"])


def test_experts_are_exported_one_by_one_as_they_are_in_the_file(tmp_path: Path) -> None:
    experts: dict[str, Any] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    source = write_model(tmp_path / "model", "Qwen3Moe", **experts)
    before, after = load_file(source / "model.safetensors"), exported(source, tmp_path / "out")
    assert "model.layers.1.mlp.experts.3.up_proj.weight" in before
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], tensor + 0.25) for name, tensor in before.items())


def test_tensors_of_several_files_and_those_that_no_model_knows_are_kept(tmp_path: Path) -> None:
    source = write_model(tmp_path / "model", "Llama")
    weights = load_file(source / "model.safetensors")
    (source / "model.safetensors").unlink()
    names = sorted(weights)
    unknown = {"mtp.fc.weight": torch.ones(3).half()}
    save_file({name: weights[name] for name in names[::2]} | unknown, source / "model-00001-of-00002.safetensors")
    save_file({name: weights[name] for name in names[1::2]}, source / "model-00002-of-00002.safetensors")
    index = {name: f"model-0000{number % 2 + 1}-of-00002.safetensors" for number, name in enumerate(names)}
    (source / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    after = exported(source, tmp_path / "out")
    assert after.keys() == {*weights, "mtp.fc.weight"}
    assert torch.equal(after.pop("mtp.fc.weight"), torch.ones(3).half())
    assert all(torch.equal(tensor, weights[name] + 0.25) for name, tensor in after.items())


def test_a_tensor_that_is_in_two_files_is_refused(tmp_path: Path) -> None:
    for number in (1, 2):
        save_file({"a": torch.ones(1)}, tmp_path / f"model-0000{number}-of-00002.safetensors")
    with pytest.raises(InvalidJob, match=r"a is in model-00002-of-00002\.safetensors and in model-00001"):
        stored_tensors(tmp_path)


@pytest.mark.parametrize("name", ["model.norm.weight", "model.layers.1.mlp.up_proj.weight"])
def test_weights_that_are_missing_are_not_made_up(tmp_path: Path, name: str) -> None:
    source = write_model(tmp_path / "model", "Llama")
    weights = load_file(source / "model.safetensors")
    del weights[name]
    save_file(weights, source / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InvalidJob, match=f"weights do not fit config.json: {name} missing"):
        TrainablePolicy(source, CPU)


def test_weights_that_would_be_renamed_are_refused_before_they_are_trained(tmp_path: Path) -> None:
    policy = TrainablePolicy(write_model(tmp_path / "model", "Llama"), CPU)
    weights = load_file(tmp_path / "model" / "model.safetensors")
    weights["model.final_norm.weight"] = weights.pop("model.norm.weight")
    save_file(weights, tmp_path / "model" / "model.safetensors")
    with pytest.raises(InvalidJob, match=r"has no model\.norm\.weight, as the trained weights would be called"):
        policy.check_export()


def test_a_merged_adapter_keeps_what_the_base_has_beside_it(tmp_path: Path) -> None:
    source = write_multimodal(tmp_path / "model", tie=False)
    shape = AdapterShape(2, 4, ("q_proj", "up_proj"))
    policy = TrainablePolicy(source, CPU)
    policy.add_adapter(shape, seed=0)
    with torch.no_grad():
        for _, parameter in policy.named_parameters():
            parameter.add_(0.1)
    (tmp_path / "adapter").mkdir()
    policy.export(tmp_path / "adapter", policy_hash(source))
    merge(source, tmp_path / "adapter", tmp_path / "merged")
    before, after = (load_file(folder / "model.safetensors") for folder in (source, tmp_path / "merged"))
    assert after.keys() == before.keys()
    changed = {name.split(".")[-2] for name, tensor in before.items() if not torch.equal(tensor, after[name])}
    assert changed == {"q_proj", "up_proj"}
