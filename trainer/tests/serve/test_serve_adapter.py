import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from model.files import sha256_file
from serve.adapter_helpers import reference_logprobs, write_adapter
from serve.serve_helpers import SERVED_SHAPE, Server, random_prompt, start_server
from trainer.model_files import policy_hash

PROMPTS = [random_prompt(seed, 9 + 5 * seed, SERVED_SHAPE.vocab_size).tolist() for seed in range(4)]


@pytest.fixture(scope="module")
def adapters(policy_root: Path) -> list[Path]:
    base = policy_root / "base"
    return [
        write_adapter(policy_root / "adapter-0", base, seed=0),
        write_adapter(policy_root / "adapter-1", base, seed=1, targets=["q_proj", "v_proj"], use_rslora=True),
    ]


@pytest.fixture(scope="module")
def with_adapters(policy_root: Path, adapters: list[Path]) -> Iterator[Server]:
    server = start_server(policy_root, "--slots", "4", "--max-context", "256", "--max-policies", "3")
    for adapter in adapters:
        load(server, adapter)
    yield server
    server.stop()


def load(server: Server, adapter: Path, name: str | None = None, **fields: object) -> str:
    body = {"lora_name": name or adapter.name, "lora_path": str(adapter), **fields}
    response = server.client.post("/v1/load_lora_adapter", json=body)
    assert response.status_code == 200, response.text
    return response.text


def test_an_adapter_is_scored_as_peft_scores_it(with_adapters: Server, policy_root: Path, adapters: list[Path]):
    token_ids = random_prompt(7, 60, SERVED_SHAPE.vocab_size).tolist()
    plain = with_adapters.post("/v1/score", {"model": "base", "token_ids": token_ids, "spans": [[1, 60]]})["logprobs"]
    for adapter in adapters:
        scored = with_adapters.post("/v1/score", {"model": adapter.name, "token_ids": token_ids, "spans": [[1, 60]]})
        assert scored["weights_sha256"] == sha256_file(adapter / "adapter_model.safetensors")
        difference = torch.tensor(scored["logprobs"], dtype=torch.float64) - reference_logprobs(policy_root / "base", adapter, token_ids)
        assert difference.abs().max() < 1e-5
        assert (torch.tensor(scored["logprobs"]) - torch.tensor(plain)).abs().max() > 0.1


def test_adapters_and_their_base_are_served_at_once_and_each_as_if_alone(with_adapters: Server, adapters: list[Path]):
    requests = [(model, which) for which in range(len(PROMPTS)) for model in ("base", *(adapter.name for adapter in adapters))]

    def sample(request: tuple[str, int]) -> tuple[list[int], list[float]]:
        return with_adapters.sample(PROMPTS[request[1]], model=request[0], seed=request[1])

    one_by_one = [sample(request) for request in requests]
    with ThreadPoolExecutor(len(requests)) as pool:
        assert list(pool.map(sample, requests)) == one_by_one
    assert len({str(tokens) for tokens, _ in one_by_one}) == len(requests)


def test_models_and_weights_are_listed_with_their_base_and_hash(with_adapters: Server, policy_root: Path, adapters: list[Path]):
    entries = {model["id"]: (model["parent"], model["root"]) for model in with_adapters.get("/v1/models")["data"]}
    base = {"base": (None, str(policy_root / "base"))}
    assert entries == base | {adapter.name: ("base", str(adapter)) for adapter in adapters}
    hashes = {adapter.name: sha256_file(adapter / "adapter_model.safetensors") for adapter in adapters}
    assert with_adapters.get("/weight_info") == {"base": sha256_file(policy_root / "base" / "model.safetensors"), **hashes}


def test_loading_and_unloading_answer_as_vllm_does(server: Server, policy_root: Path, adapters: list[Path]):
    assert load(server, adapters[0], "lora-1") == "Success: LoRA adapter 'lora-1' added successfully."
    body = {"lora_name": "lora-1", "lora_path": str(adapters[0])}
    again = server.refusal("/v1/load_lora_adapter", body, 400)
    assert (again["code"], "has already been loaded" in again["message"]) == ("already_loaded", True)
    removed = server.client.post("/v1/unload_lora_adapter", json={"lora_name": "lora-1"})
    assert removed.text == "Success: LoRA adapter 'lora-1' removed successfully."
    assert "lora-1" not in server.get("/weight_info")
    assert server.refusal("/v1/unload_lora_adapter", {"lora_name": "lora-1"}, 404)["code"] == "adapter_not_found"
    assert server.refusal("/v1/unload_lora_adapter", {"lora_name": "base"}, 404)["code"] == "adapter_not_found"
    assert server.refusal("/v1/load_lora_adapter", body | {"lora_path": "absent"}, 400)["code"] == "invalid_policy"
    assert server.refusal("/v1/load_lora_adapter", body | {"lora_path": "base"}, 404)["code"] == "adapter_not_found"
    assert server.refusal("/v1/load_lora_adapter", body | {"load_inplace": True}, 400)["code"] == "invalid_request"


def test_a_name_stands_for_one_adapter(server: Server, adapters: list[Path]):
    load(server, adapters[0], "lora-2", sha256=sha256_file(adapters[0] / "adapter_model.safetensors"))
    for _ in range(2):
        other = {"lora_name": "lora-2", "lora_path": str(adapters[1])}
        assert server.refusal("/v1/load_lora_adapter", other, 409)["code"] == "name_taken"
        server.client.post("/v1/unload_lora_adapter", json={"lora_name": "lora-2"})
    wrong = {"lora_name": "lora-3", "lora_path": str(adapters[0]), "sha256": "0" * 64}
    assert server.refusal("/v1/load_lora_adapter", wrong, 409)["code"] == "weights_mismatch"
    config = {"files": {"adapter_config.json": "0" * 64}}
    assert server.refusal("/v1/load_lora_adapter", {**wrong, "sha256": None, **config}, 409)["code"] == "weights_mismatch"


def test_an_adapter_goes_on_the_base_that_it_was_trained_on(policy_root: Path, tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("bases")
    names = {}
    for policy in ("base", "next"):
        shutil.copytree(policy_root / policy, root / policy)
        names[policy] = f"campaign-{policy_hash(root / policy)[:12]}"
    adapter = write_adapter(root / "adapter", root / "next", base_name=policy_hash(root / "next"))
    server = start_server(root, "--slots", "2", "--max-context", "128", "--preload", f"{names['base']}={root / 'base'}")
    try:
        body = {"lora_name": "pol", "lora_path": "adapter"}
        server.post("/v1/unload_policy", {"name": "base"})
        assert server.refusal("/v1/load_lora_adapter", body, 409)["code"] == "wrong_base"
        server.post("/v1/load_policy", {"name": names["next"], "path": "next", "sha256": sha256_file(root / "next" / "model.safetensors")})
        assert server.refusal("/v1/load_lora_adapter", body | {"base_model_name": names["base"]}, 409)["code"] == "wrong_base"
        assert server.refusal("/v1/load_lora_adapter", body | {"base_model_name": "x"}, 404)["code"] == "model_not_found"
        load(server, adapter, "pol")
        assert {model["id"]: model["parent"] for model in server.get("/v1/models")["data"]}["pol"] == names["next"]
    finally:
        server.stop()


def test_an_adapter_that_is_not_plain_or_does_not_fit_is_refused(server: Server, policy_root: Path, adapters: list[Path], tmp_path: Path):
    def refused(name: str, config: dict[str, object], drop: str = "") -> str:
        target = policy_root / name
        shutil.copytree(adapters[0], target)
        file = target / "adapter_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | config))
        if drop:
            tensors = {key: tensor for key, tensor in load_file(target / "adapter_model.safetensors").items() if drop not in key}
            save_file(tensors, target / "adapter_model.safetensors")
        error = server.refusal("/v1/load_lora_adapter", {"lora_name": name, "lora_path": name}, 400)
        assert error["code"] == "invalid_policy"
        return error["message"]

    assert "use_dora" in refused("dora", {"use_dora": True})
    assert "peft_type" in refused("prefix-tuning", {"peft_type": "PREFIX_TUNING"})
    assert "r and lora_alpha" in refused("no-rank", {"r": 0})
    assert "do not fit" in refused("half", {}, drop="layers.0.mlp.up_proj.lora_B")
    other = write_adapter(policy_root / "embedding", policy_root / "base", targets=["q_proj", "embed_tokens"])
    error = server.refusal("/v1/load_lora_adapter", {"lora_name": "embedding", "lora_path": str(other)}, 400)
    assert "embed_tokens" in error["message"]


def test_the_base_is_never_evicted_for_its_adapter(policy_root: Path, adapters: list[Path]):
    server = start_server(policy_root, "--slots", "2", "--max-context", "128", "--max-policies", "2", preload="caller")
    try:
        server.post("/v1/unload_policy", {"name": "caller"})
        server.post("/v1/load_policy", {"name": "base", "path": "base", "sha256": sha256_file(policy_root / "base" / "model.safetensors")})
        for index in range(3):
            load(server, adapters[index % 2], f"pol-{index}")
            assert set(server.get("/weight_info")) == {"base", f"pol-{index}"}
    finally:
        server.stop()
