import json
import os
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import torch

from helpers import server_command, trainer_environment
from model.files import sha256_file
from serve.serve_helpers import SERVED_SHAPE, Server, is_running, random_prompt, start_server, until, write_policy

PROMPTS = [random_prompt(seed, 5 + 7 * seed, SERVED_SHAPE.vocab_size).tolist() for seed in range(12)]
TOOLS = [{"type": "function", "function": {"name": "cancel", "description": "Cancels.", "parameters": {"type": "object"}}}]


def hash_of(root: Path, name: str) -> str:
    return sha256_file(root / name / "model.safetensors")


def test_a_completion_has_the_fields_of_vllm(server: Server, policy_root: Path):
    body = {"model": "base", "prompt": PROMPTS[1], "max_tokens": 6, "seed": 3, "temperature": 0.9, "logprobs": 2, "return_token_ids": True}
    answer = server.post("/v1/completions", body)
    (choice,) = answer["choices"]
    assert (answer["object"], answer["model"], choice["index"]) == ("text_completion", "base", 0)
    assert answer["system_fingerprint"] == hash_of(policy_root, "base")
    assert choice["prompt_token_ids"] == PROMPTS[1]
    assert len(choice["token_ids"]) == len(choice["logprobs"]["token_logprobs"]) == len(choice["logprobs"]["tokens"]) == 6
    assert (choice["finish_reason"], choice["stop_reason"]) == ("length", None)
    assert answer["usage"]["prompt_tokens"] == len(PROMPTS[1])
    assert answer["usage"]["completion_tokens"] == 6
    assert all(logprob < 0 for logprob in choice["logprobs"]["token_logprobs"])
    assert all(token in top for token, top in zip(choice["logprobs"]["tokens"], choice["logprobs"]["top_logprobs"], strict=True))
    assert server.post("/detokenize", {"model": "base", "tokens": choice["token_ids"]})["prompt"] == choice["text"]
    without = server.post("/v1/completions", {"model": "base", "prompt": PROMPTS[1]})["choices"][0]
    assert without["logprobs"] is None
    assert "token_ids" not in without


def test_text_prompts_and_token_ids_are_the_same_request(server: Server):
    tokens = server.post("/tokenize", {"model": "base", "prompt": "café <|im_start|>", "return_token_strs": True})
    assert (tokens["count"], tokens["max_model_len"], tokens["token_strs"][-1]) == (7, 512, "<|im_start|>")
    assert server.sample(tokens["tokens"]) == server.sample("café <|im_start|>")
    assert server.post("/detokenize", {"model": "base", "tokens": tokens["tokens"]})["prompt"] == "café <|im_start|>"


def test_choices_are_seeded_apart_and_the_first_is_that_of_a_single_one(server: Server):
    body = {"model": "base", "prompt": PROMPTS[2], "seed": 1, "temperature": 0.9, "max_tokens": 12, "n": 3, "return_token_ids": True}
    choices = [choice["token_ids"] for choice in server.post("/v1/completions", body)["choices"]]
    assert choices[0] == server.sample(PROMPTS[2])[0]
    assert len({str(choice) for choice in choices}) == 3


def test_seeds_matter_and_their_absence_means_chance(server: Server):
    assert server.sample(PROMPTS[0]) == server.sample(PROMPTS[0])
    assert server.sample(PROMPTS[0], seed=2) != server.sample(PROMPTS[0])
    assert server.sample(PROMPTS[0], seed=None) != server.sample(PROMPTS[0], seed=None)
    assert server.sample(PROMPTS[0], seed=-5) != server.sample(PROMPTS[0], seed=5)


def test_stop_tokens_and_stop_strings_end_a_completion(server: Server):
    token_ids, _ = server.sample(PROMPTS[3], max_tokens=30)
    body = {"model": "base", "prompt": PROMPTS[3], "temperature": 0.9, "seed": 1, "max_tokens": 30, "return_token_ids": True}
    (choice,) = server.post("/v1/completions", body | {"stop_token_ids": [token_ids[4]]})["choices"]
    assert (choice["finish_reason"], choice["stop_reason"]) == ("stop", token_ids[4])
    assert choice["token_ids"] == token_ids[: token_ids.index(token_ids[4]) + 1]
    text = server.post("/v1/completions", body)["choices"][0]["text"]
    (choice,) = server.post("/v1/completions", body | {"stop": text[9:11]})["choices"]
    assert (choice["finish_reason"], choice["stop_reason"], choice["text"]) == ("stop", text[9:11], text[: text.index(text[9:11])])


def test_bits_do_not_depend_on_load_threads_steps_caches_or_the_process(server: Server, policy_root: Path):
    def sample(which: int) -> tuple[list[int], list[float]]:
        return server.sample(PROMPTS[which], seed=which)

    one_by_one = [sample(which) for which in range(len(PROMPTS))]
    with ThreadPoolExecutor(len(PROMPTS)) as pool:
        assert list(pool.map(sample, range(len(PROMPTS)))) == one_by_one
    other = start_server(policy_root, "--threads", "2", "--slots", "2", "--max-rows", "16", "--max-context", "256")
    try:
        with ThreadPoolExecutor(len(PROMPTS)) as pool:
            fresh = list(pool.map(lambda which: other.sample(PROMPTS[which], seed=which), reversed(range(len(PROMPTS)))))
        assert fresh[::-1] == one_by_one
    finally:
        assert other.stop() == 0


def test_a_server_in_bfloat16_says_so_and_keeps_its_promises(server: Server, policy_root: Path):
    other = start_server(policy_root, "--dtype", "bfloat16", "--slots", "6", "--max-context", "128", "--max-rows", "32")
    try:
        health = other.get("/health")
        assert (health["precision"], health["policies"]["base"]["exact"]) == ("bfloat16", True)
        assert server.get("/health")["precision"] == "float32"
        one_by_one = [other.sample(prompt) for prompt in PROMPTS[:6]]
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(other.sample, PROMPTS[:6])) == one_by_one
        whole = PROMPTS[3] + one_by_one[3][0]
        body = {"model": "base", "token_ids": whole, "temperature": 0.9, "spans": [[len(PROMPTS[3]), len(whole)]]}
        assert other.post("/v1/score", body)["logprobs"] == one_by_one[3][1]
        exact = server.post("/v1/score", body)["logprobs"]
        differences = [abs(ours - theirs) for ours, theirs in zip(one_by_one[3][1], exact, strict=True)]
        assert 0 < sum(differences) / len(differences) < 5e-2
    finally:
        other.stop()


def test_scores_equal_the_sampling_log_probabilities(server: Server):
    token_ids, logprobs = server.sample(PROMPTS[4])
    whole, start = PROMPTS[4] + token_ids, len(PROMPTS[4])
    body = {"model": "base", "token_ids": whole, "temperature": 0.9, "spans": [[start, len(whole)]]}
    answer = server.post("/v1/score", body)
    assert answer["positions"] == list(range(start, len(whole)))
    assert answer["logprobs"] == logprobs
    assert server.post("/v1/score", body | {"spans": None, "positions": [start + 2]})["logprobs"] == [logprobs[2]]
    for wrong in (
        {"spans": [[0, 3]]},
        {"spans": [[-(10**12), 3]]},
        {"positions": [len(whole)]},
        {"positions": [], "spans": []},
        {"spans": [[1]]},
    ):
        assert server.refusal("/v1/score", body | {"spans": None} | wrong, 400)["code"] == "invalid_request"


def test_prompt_log_probabilities_are_the_scores_at_temperature_one(server: Server):
    prompt = PROMPTS[5]
    body = {"model": "base", "prompt": prompt, "max_tokens": 1, "seed": 1, "prompt_logprobs": 0}
    (choice,) = server.post("/v1/completions", body)["choices"]
    first, *others = choice["prompt_logprobs"]
    assert first is None
    scores = server.post("/v1/score", {"model": "base", "token_ids": prompt, "spans": [[1, len(prompt)]]})["logprobs"]
    assert [entry[str(token)]["logprob"] for entry, token in zip(others, prompt[1:], strict=True)] == scores
    assert server.post("/v1/completions", body | {"prompt": [1]})["choices"][0]["prompt_logprobs"] == [None]
    assert server.refusal("/v1/completions", body | {"prompt_logprobs": 5}, 400)["code"] == "invalid_request"


def test_conversations_share_the_prefix_that_they_begin_with(server: Server):
    policy, tools = random_prompt(5, 90, SERVED_SHAPE.vocab_size).tolist(), random_prompt(6, 60, SERVED_SHAPE.vocab_size).tolist()

    def first_turn(user: int) -> tuple[int, list[int]]:
        prompt = [*policy, *tools, *random_prompt(100 + user, 12, SERVED_SHAPE.vocab_size).tolist()]
        body = {"model": "base", "prompt": prompt, "max_tokens": 5, "seed": user, "return_token_ids": True}
        answer = server.post("/v1/completions", body)
        return answer["usage"]["prompt_tokens_details"]["cached_tokens"], answer["choices"][0]["token_ids"]

    before = server.get("/health")["policies"]["base"]["rows"]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(first_turn, range(6)))
    computed = server.get("/health")["policies"]["base"]["rows"] - before
    assert sorted(cached for cached, _ in together)[1:] == [150] * 5
    assert computed < 150 + 6 * (12 + 5)
    assert [tokens for _, tokens in map(first_turn, range(6))] == [tokens for _, tokens in together]


def test_the_next_turn_uses_what_is_cached(server: Server):
    prompt = random_prompt(99, 40, SERVED_SHAPE.vocab_size).tolist()
    token_ids, _ = server.sample(prompt)
    answer = server.post("/v1/completions", {"model": "base", "prompt": [*prompt, *token_ids, 5, 6], "max_tokens": 1})
    assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] == len(prompt) + len(token_ids) - 1


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": []},
        {"prompt": [1, -1]},
        {"prompt": [SERVED_SHAPE.vocab_size]},
        {"prompt": [1.5]},
        {"prompt": [10**30]},
        {"prompt": [[1], [2, 3]]},
        {"prompt": None},
        {"prompt": ["a"]},
        {"max_tokens": 0},
        {"max_tokens": "5"},
        {"temperature": -1},
        {"temperature": "hot"},
        {"seed": 1.5},
        {"n": 0},
        {"stop_token_ids": ["x"]},
        {"stop": [""]},
        {"top_p": 0.9},
        {"stream": True},
        {"presence_penalty": 1},
        {"logprobs": 21},
    ],
)
def test_what_cannot_be_served_is_refused(server: Server, fields: dict):
    assert server.refusal("/v1/completions", {"model": "base", "prompt": [1, 2], **fields}, 400)["code"] == "invalid_request"


def test_neutral_options_are_accepted(server: Server):
    server.post(
        "/v1/completions", {"model": "base", "prompt": [1, 2], "top_p": 1.0, "top_k": -1, "stream": False, "stop": None, "user": "x"}
    )


def test_unknown_models_paths_and_bodies_are_refused(server: Server):
    assert server.refusal("/v1/completions", {"model": "nobody", "prompt": [1]}, 404)["code"] == "model_not_found"
    assert server.refusal("/v1/nothing", {}, 404)["code"] == "not_found"
    assert server.refusal("/v1/completions", b"{", 400)["code"] == "invalid_request"
    assert server.refusal("/v1/completions", [1], 400)["code"] == "invalid_request"
    assert server.client.get("/v1/completions").status_code == 405


def test_a_prompt_that_leaves_no_room_is_a_context_overflow(server: Server):
    long = [1] * 512
    for body in ({"prompt": long, "max_tokens": 1}, {"prompt": long}, {"prompt": long[:500], "max_tokens": 13}):
        assert server.refusal("/v1/completions", {"model": "base", **body}, 400)["code"] == "context_length_exceeded"
    server.post("/v1/completions", {"model": "base", "prompt": long[:500], "max_tokens": 12})
    message = {"role": "user", "content": "x" * 600}
    assert server.refusal("/v1/chat/completions", {"model": "base", "messages": [message]}, 400)["code"] == "context_length_exceeded"


def test_a_policy_is_loaded_only_as_what_it_is_said_to_be(server: Server, policy_root: Path, tmp_path: Path):
    sha256, others = hash_of(policy_root, "next"), hash_of(policy_root, "base")
    body = {"name": "pol-1", "path": "next", "sha256": sha256}
    assert server.refusal("/v1/load_policy", body | {"sha256": others}, 409)["code"] == "weights_mismatch"
    assert "pol-1" not in server.get("/weight_info")
    tokenizer = {"tokenizer.json": sha256_file(policy_root / "next" / "tokenizer.json")}
    assert server.refusal("/v1/load_policy", body | {"files": {"tokenizer.json": sha256}}, 409)["code"] == "weights_mismatch"
    assert server.post("/v1/load_policy", body | {"files": tokenizer})["status"] == "loaded"
    assert server.post("/v1/load_policy", body | {"path": str(policy_root / "next")})["status"] == "already-loaded"
    assert server.get("/weight_info") | {"base": others, "pol-1": sha256} == server.get("/weight_info")
    assert "pol-1" in [model["id"] for model in server.get("/v1/models")["data"]]
    assert server.sample(PROMPTS[0], model="pol-1") != server.sample(PROMPTS[0])
    assert server.refusal("/v1/load_policy", {"name": "pol-1", "path": "base", "sha256": others}, 409)["code"] == "name_taken"
    server.post("/v1/unload_policy", {"name": "pol-1"})
    assert server.refusal("/v1/unload_policy", {"name": "pol-1"}, 404)["code"] == "model_not_found"
    assert server.refusal("/v1/load_policy", {"name": "pol-1", "path": "base", "sha256": others}, 409)["code"] == "name_taken"
    write_policy(tmp_path / "outside")
    (policy_root / "link").symlink_to(tmp_path / "outside")
    for path in ("..", str(tmp_path / "outside"), "link", "base/../../x"):
        assert server.refusal("/v1/load_policy", body | {"name": "pol-2", "path": path}, 403)["code"] == "path_outside_root"
    assert server.refusal("/v1/load_policy", body | {"name": "pol-2", "path": "absent"}, 400)["code"] == "invalid_policy"
    assert server.refusal("/v1/load_policy", body | {"name": "../x"}, 400)["code"] == "invalid_request"


def test_a_torn_policy_is_refused(server: Server, policy_root: Path):
    shutil.copytree(policy_root / "next", policy_root / "torn")
    file = policy_root / "torn" / "model.safetensors"
    os.truncate(file, file.stat().st_size - 10)
    body = {"name": "torn", "path": "torn", "sha256": sha256_file(file)}
    assert server.refusal("/v1/load_policy", body, 400)["code"] == "invalid_policy"


def test_the_least_recently_used_policy_makes_room_but_never_the_preloaded(server: Server, policy_root: Path):
    body = {"path": "next", "sha256": hash_of(policy_root, "next")}
    for index in range(6):
        server.post("/v1/load_policy", body | {"name": f"lru-{index}"})
    assert set(server.get("/weight_info")) == {"base", "lru-3", "lru-4", "lru-5"}
    for index in range(3, 6):
        server.post("/v1/unload_policy", {"name": f"lru-{index}"})


def test_a_chat_calls_tools_and_goes_on_from_its_cache(server: Server, policy_root: Path):
    server.post("/v1/load_policy", {"name": "caller", "path": "caller", "sha256": hash_of(policy_root, "caller")})
    body = {"model": "caller", "tools": TOOLS, "temperature": 0, "max_tokens": 20, "return_token_ids": True, "logprobs": True}
    messages: list[dict] = [{"role": "user", "content": "Cancel it."}]
    first = server.post("/v1/chat/completions", body | {"messages": messages})
    (choice,) = first["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    (call,) = choice["message"]["tool_calls"]
    assert (call["type"], call["function"]) == ("function", {"name": "cancel", "arguments": '{"id": "@r1"}'})
    assert [entry["token"] for entry in choice["logprobs"]["content"]][-1] == "<|im_end|>"
    prompt = server.post("/detokenize", {"model": "caller", "tokens": first["prompt_token_ids"]})["prompt"]
    assert json.dumps(TOOLS[0]) in prompt
    assert server.post("/tokenize", {"model": "caller", "messages": messages, "tools": TOOLS})["tokens"] == first["prompt_token_ids"]
    messages += [choice["message"], {"role": "tool", "tool_call_id": call["id"], "content": "done"}]
    second = server.post("/v1/chat/completions", body | {"messages": messages})
    so_far = first["prompt_token_ids"] + choice["token_ids"]
    assert second["prompt_token_ids"][: len(so_far)] == so_far
    assert second["usage"]["prompt_tokens_details"]["cached_tokens"] == len(so_far) - 1
    plain = server.post("/v1/chat/completions", body | {"messages": messages[:1], "tool_choice": "none"})["choices"][0]
    assert plain["finish_reason"] == "stop"
    assert "<tool_call>" in plain["message"]["content"]
    for wrong in (
        [],
        [{"role": "robot", "content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": [{"type": "image_url"}]}],
        "hi",
    ):
        assert server.refusal("/v1/chat/completions", body | {"messages": wrong}, 400)["code"] == "invalid_request"


def test_a_short_request_joins_a_long_one_on_its_way_and_ends_before_it(server: Server):
    body = {"model": "base", "seed": 1, "ignore_eos": True}
    before = server.get("/health")["policies"]["base"]
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(server.post, "/v1/completions", body | {"prompt": PROMPTS[0], "max_tokens": 480})
        until(lambda: server.get("/health")["policies"]["base"]["running"] == 1)
        for _ in range(3):
            server.post("/v1/completions", body | {"prompt": PROMPTS[1], "max_tokens": 5})
        assert not long.done()
        long.result()
    after = server.get("/health")["policies"]["base"]
    assert after["sampled_tokens"] - before["sampled_tokens"] == 480 + 3 * 5
    assert after["steps"] - before["steps"] < 480 + 10


def test_a_client_that_goes_away_frees_its_slot(server: Server):
    with pytest.raises(httpx.ReadTimeout):
        server.client.post("/v1/completions", json={"model": "base", "prompt": [1], "max_tokens": 500, "n": 64}, timeout=0.2)
    until(lambda: server.get("/health")["policies"]["base"]["running"] == 0)
    assert server.get("/health")["policies"]["base"]["waiting"] == 0


def test_a_full_queue_is_refused_and_sigterm_answers_what_was_asked(policy_root: Path):
    server = start_server(policy_root, "--slots", "1", "--max-queue", "24")
    try:
        body = {"model": "base", "max_tokens": 400, "n": 8, "seed": 1, "return_token_ids": True, "ignore_eos": True}
        with ThreadPoolExecutor(3) as pool:
            answers = [pool.submit(server.client.post, "/v1/completions", json=body | {"prompt": prompt}) for prompt in PROMPTS[:3]]
            until(lambda: server.get("/health")["policies"]["base"]["waiting"] > 16)
            refused = server.client.post("/v1/completions", json=body | {"prompt": [1]})
            server.process.terminate()
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
            assert refused.json()["error"]["code"] == "queue_full"
            for answer in answers:
                assert [len(choice["token_ids"]) for choice in answer.result().json()["choices"]] == [400] * 8
        assert server.process.wait(timeout=20) == 0
    finally:
        server.process.kill()


def test_a_draining_server_answers_what_runs_and_refuses_what_is_new(policy_root: Path):
    server = start_server(policy_root, "--slots", "1")
    try:
        body = {"model": "base", "max_tokens": 900, "n": 4, "seed": 1, "return_token_ids": True, "ignore_eos": True}
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(server.client.post, "/v1/completions", json=body | {"prompt": [1, 2]})
            until(lambda: server.get("/health")["policies"]["base"]["running"] == 1)
            server.process.terminate()
            until(lambda: server.client.get("/health").status_code == 503)
            refused = server.client.post("/v1/completions", json=body | {"prompt": [1]})
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert refused.json()["error"]["code"] == "draining"
            loading = {"name": "x", "path": "next", "sha256": hash_of(policy_root, "next")}
            assert server.refusal("/v1/load_policy", loading, 503)["code"] == "draining"
            assert server.get("/weight_info") == {"base": hash_of(policy_root, "base")}
            assert [len(choice["token_ids"]) for choice in running.result().json()["choices"]] == [900] * 4
        assert server.process.wait(timeout=20) == 0
    finally:
        server.process.kill()


def test_a_taken_port_and_wrong_arguments_are_told_clearly(policy_root: Path, tmp_path: Path):
    def start(*arguments: str | Path) -> tuple[int, str]:
        command = server_command("--policy-root", *arguments)
        done = subprocess.run(command, env=trainer_environment(), capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, message = start(policy_root, "--port", str(taken.getsockname()[1]))
    assert (code, "service.port-taken" in message) == (5, True)
    code, message = start(tmp_path / "absent")
    assert (code, "--policy-root" in message) == (2, True)
    code, message = start(policy_root, "--port", "0", "--preload", f"x={tmp_path}")
    assert (code, message.startswith("error: trainer.invalid-job")) == (2, True)
    if not torch.cuda.is_available():
        code, message = start(policy_root, "--port", "0", "--device", "cuda")
        assert (code, "torch finds no GPU" in message) == (2, True)


def test_a_server_told_so_dies_with_its_parent(policy_root: Path):
    command = " ".join(server_command("--port", "0", "--policy-root", policy_root, "--die-with-parent"))
    parent = subprocess.Popen(["/bin/sh", "-c", f"{command} & wait"], env=trainer_environment(), stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = json.loads(parent.stdout.readline())["pid"]
    parent.kill()
    parent.wait()
    until(lambda: not is_running(pid))
