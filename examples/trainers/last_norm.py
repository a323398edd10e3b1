"""A training engine in numpy: of a plain Qwen3 it trains one vector, the scale of the last norm, by the loss of docs/training.md.

Started as `python last_norm.py JOB_DIRECTORY`. Reads job.json, writes events.jsonl while it runs and result.json last
(src/contracts/training.ts). What it cannot train on, it refuses before the first step.

Dimensions: S position of a row, N action token of a row, D hidden, H head, E head width, V vocabulary.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

PARENT, START = os.getppid(), time.monotonic()
HERE = Path(sys.argv[1]).resolve()
JOB = json.loads((HERE / "job.json").read_bytes())
HYPER = JOB["hyperparameters"]
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(JOB["threads"])  # before numpy is loaded

import numpy as np  # noqa: E402
import safetensors  # noqa: E402
from safetensors.numpy import load_file, save_file  # noqa: E402

INVALID_JOB, DIVERGED, PARENT_GONE, TERMINATED = 2, 3, 4, 143
NORM = "model.norm.weight"


class Failure(Exception):
    def __init__(self, exit_code: int, code: str, message: str) -> None:
        super().__init__(message)
        self.exit_code, self.code = exit_code, code


def require(condition: bool, message: str) -> None:
    if not condition:
        raise Failure(INVALID_JOB, "trainer.invalid-job", message)


# ---- files: whole or not there


def write(path: Path, data: bytes) -> None:
    """Under another name, synced, renamed: whoever looks sees all of it or what was there before."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def file_hash(path: Path) -> dict:
    return {"sha256": sha256(path), "numBytes": path.stat().st_size}


def policy_hash(directory: Path) -> str:
    files = {path.name: sha256(path) for path in directory.iterdir() if path.is_file() and not path.name.startswith(".")}
    return hashlib.sha256(canonical(files)).hexdigest()


def event(kind: str, **fields: object) -> None:
    """One line, whole. `seq` is the number of lines before it."""
    path = HERE / "events.jsonl"
    seq = path.read_bytes().count(b"\n") if path.exists() else 0
    with path.open("ab") as file:
        file.write(canonical({"type": kind, "seq": seq, **fields}) + b"\n")


# ---- what comes in


def read_rows() -> list[dict]:
    path = HERE / JOB["batchPath"]
    require(path.is_file() and sha256(path) == JOB["batchSha256"], f"{path.name} is not the batch whose sha256 the job names")
    with safetensors.safe_open(path, framework="np") as file:
        header = json.loads(file.metadata()["header"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    tokenizer = header.get("tokenizerSha256")
    require(tokenizer in (None, sha256(MODEL / "tokenizer.json")), "the batch's token ids are of another tokenizer than the model's")
    bounds = tensors.pop("row_offsets")
    rows = [{name: tensor[a:b] for name, tensor in tensors.items()} for a, b in zip(bounds, bounds[1:])]
    return [{**row, "at": np.flatnonzero(row["loss_mask"])} for row in rows]


def read_weights() -> dict[str, np.ndarray]:
    require(policy_hash(MODEL) == JOB["modelHash"], f"the files of {MODEL} do not have modelHash")
    require("adapter" not in JOB, "this engine trains no adapters: set policy.weights to full")
    require(HYPER["importanceTruncation"] is None, "this engine knows no importanceTruncation")
    plain = CONFIG.get("model_type") == "qwen3" and not CONFIG.get("use_sliding_window") and not CONFIG.get("rope_scaling")
    require(plain and (MODEL / "model.safetensors").is_file(), "this engine reads a plain Qwen3 in one model.safetensors")
    return load_file(MODEL / "model.safetensors")


# ---- the model


def last_states(weights: dict[str, np.ndarray], tokens_S: np.ndarray) -> np.ndarray:
    """x_SD, normalised, before the last norm's scale: all of the model that this engine never changes."""
    heads, groups, width = CONFIG["num_attention_heads"], CONFIG["num_key_value_heads"], CONFIG["head_dim"]
    theta = (CONFIG.get("rope_parameters") or CONFIG)["rope_theta"]
    angles = np.outer(np.arange(len(tokens_S)), theta ** (-np.arange(0, width, 2) / width))[:, None, :]
    future_SS = np.triu(np.full((len(tokens_S), len(tokens_S)), -np.inf), 1)

    def rms(x: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + CONFIG["rms_norm_eps"])

    def rotated(x_SHE: np.ndarray) -> np.ndarray:
        first, second = np.split(x_SHE, 2, axis=-1)
        return np.concatenate([first * np.cos(angles) - second * np.sin(angles), second * np.cos(angles) + first * np.sin(angles)], -1)

    x_SD = weights["model.embed_tokens.weight"][tokens_S].astype(np.float64)
    for layer in range(CONFIG["num_hidden_layers"]):
        part = {name.split(".", 3)[3][:-7]: weight for name, weight in weights.items() if name.startswith(f"model.layers.{layer}.")}
        h_SD = rms(x_SD) * part["input_layernorm"]
        split = lambda name, count: (h_SD @ part[f"self_attn.{name}"].T).reshape(len(h_SD), count, width)  # noqa: B023, E731
        q_SHE = rotated(rms(split("q_proj", heads)) * part["self_attn.q_norm"])
        k_SHE = rotated(rms(split("k_proj", groups)) * part["self_attn.k_norm"]).repeat(heads // groups, axis=1)
        v_SHE = split("v_proj", groups).repeat(heads // groups, axis=1)
        attention_HSS = np.exp(log_softmax(np.einsum("she,the->hst", q_SHE, k_SHE) / np.sqrt(width) + future_SS))
        x_SD = x_SD + np.einsum("hst,the->she", attention_HSS, v_SHE).reshape(len(x_SD), -1) @ part["self_attn.o_proj"].T
        h_SD = rms(x_SD) * part["post_attention_layernorm"]
        gate = h_SD @ part["mlp.gate_proj"].T
        x_SD = x_SD + (gate / (1 + np.exp(-gate)) * (h_SD @ part["mlp.up_proj"].T)) @ part["mlp.down_proj"].T
    return rms(x_SD)


def log_softmax(z: np.ndarray) -> np.ndarray:
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


# ---- the loss and its gradient


def score(scale_D: np.ndarray, out_VD: np.ndarray, row: dict) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities of the row's action tokens, and of all tokens in their places."""
    all_NV = log_softmax((row["states"] * scale_D) @ out_VD.T / JOB["temperature"])
    return all_NV[np.arange(len(row["at"])), row["token_ids"][row["at"]]], all_NV


def row_loss(scale_D: np.ndarray, out_VD: np.ndarray, row: dict, weight: float) -> tuple[np.ndarray, dict]:
    """The gradient of the row's share of the loss, and sums for the metrics. Formulas: docs/training.md, "The loss"."""
    logprobs_N, all_NV = score(scale_D, out_VD, row)
    ratios_N = np.exp(np.clip(logprobs_N - row["sampling_logprobs"][row["at"]], -20, 20))
    gains_N = row["advantages"][row["at"]].astype(np.float64)
    free_N, clipped_N = -gains_N * ratios_N, -gains_N * np.clip(ratios_N, 1 - HYPER["clipLow"], 1 + HYPER["clipHigh"])
    losses_N = np.maximum(free_N, clipped_N)
    bounds_N = np.where(gains_N < 0, -gains_N * HYPER["dualClip"], np.inf)
    is_cut_N = (clipped_N > free_N) | (losses_N > bounds_N)
    policy_N = np.minimum(losses_N, bounds_N)
    apart_N = row["reference"] - logprobs_N if "reference" in row else np.zeros_like(logprobs_N)
    kl_N = np.exp(apart_N) - apart_N - 1
    slopes_N = weight * (np.where(is_cut_N, 0, free_N) + HYPER["klWeight"] * (1 - np.exp(apart_N)))
    # d logprob / d scale = state * (output row of the token - mean output row under the policy) / temperature
    pulls_ND = out_VD[row["token_ids"][row["at"]]] - np.exp(all_NV) @ out_VD
    gradient_D = (slopes_N[:, None] * row["states"] * pulls_ND).sum(0) / JOB["temperature"]
    entropy = -(np.exp(all_NV) * all_NV).sum()
    loss = weight * (policy_N + HYPER["klWeight"] * kl_N).sum()
    sums = {"loss": loss, "policyLoss": weight * policy_N.sum(), "kl": kl_N.sum(), "entropy": entropy, "ratioMean": ratios_N.sum()}
    return gradient_D, {**sums, "clipFraction": is_cut_N.sum(), "ratioMax": ratios_N.max(), "numTokens": len(gains_N)}


def minibatch(num_rows: int, step: int) -> list[int]:
    """Rows of optimizer step `step` (from 1): a pure function of the job, so there is no place to remember."""
    parts = min(HYPER["numMinibatches"], num_rows)
    epoch, part = divmod(step - 1, parts)
    order = sorted(range(num_rows), key=lambda row: hashlib.sha256(f"minibatch/{JOB['seed']}/{epoch}/{row}".encode()).digest())
    return sorted(order[part * num_rows // parts : (part + 1) * num_rows // parts])


def take_step(state: dict, rows: list[dict], out_VD: np.ndarray) -> dict:
    step, chosen = state["step"] + 1, [rows[row] for row in minibatch(len(rows), state["step"] + 1)]
    num_actions = sum(len(row["at"]) for row in chosen)
    weights = {"token-mean": lambda _: 1 / num_actions, "seq-mean-token-sum": lambda _: 1 / len(chosen)}
    weight_of = weights.get(HYPER["aggregation"], lambda row: 1 / (len(chosen) * len(row["at"])))
    found = [row_loss(state["scale"], out_VD, row, weight_of(row)) for row in chosen]
    gradient_D = sum(gradient for gradient, _ in found)
    norm, rate = float(np.linalg.norm(gradient_D)), HYPER["learningRate"] * min(1.0, step / max(1, HYPER["warmupSteps"]))
    if not np.isfinite(norm) or norm > HYPER["maxGradientNorm"]:
        raise Failure(DIVERGED, "trainer.diverged", f"step {step}: gradient norm {norm}")
    adam(state, gradient_D * min(1.0, HYPER["gradientClip"] / max(norm, 1e-300)), rate)
    total = {name: float(sum(sums[name] for _, sums in found)) for name in found[0][1]}
    means = {name: total[name] / num_actions for name in ("kl", "entropy", "ratioMean", "clipFraction")}
    largest = float(max(sums["ratioMax"] for _, sums in found))
    counts = {"numTokens": num_actions, "numRows": len(chosen), "gradientNorm": norm, "learningRate": rate}
    return {**total, **means, "ratioMax": largest, **counts}


def adam(state: dict, gradient_D: np.ndarray, rate: float) -> None:
    first, second = HYPER["betas"]
    state["step"], state["updates"] = state["step"] + 1, state["updates"] + 1
    state["m"] = first * state["m"] + (1 - first) * gradient_D
    state["v"] = second * state["v"] + (1 - second) * gradient_D**2
    m, v = state["m"] / (1 - first ** state["updates"]), state["v"] / (1 - second ** state["updates"])
    state["scale"] = state["scale"] * (1 - rate * HYPER["weightDecay"]) - rate * m / (np.sqrt(v) + 1e-8)


# ---- checkpoints: JSON keeps every bit of a float


CHECKPOINT, ARRAYS = HERE / "checkpoints" / "last.json", ("scale", "m", "v")
IDENTITY = hashlib.sha256((HERE / "job.json").read_bytes()).hexdigest()


def save(state: dict) -> None:
    saved = {**state, **{name: state[name].tolist() for name in ARRAYS}, "identity": IDENTITY}
    CHECKPOINT.parent.mkdir(exist_ok=True)
    write(CHECKPOINT, canonical({**saved, "numEvents": (HERE / "events.jsonl").read_bytes().count(b"\n")}))
    event("checkpoint-saved", step=state["step"], directory="checkpoints")
    usage = {"schemaVersion": 1, "computeSeconds": round(state["seconds"] + time.monotonic() - START, 3), "numDevices": 0}
    write(HERE / "usage.json", canonical(usage))


def resume(weights: dict[str, np.ndarray]) -> dict:
    """The last checkpoint of this very job, its events cut back to it; else the start."""
    events = HERE / "events.jsonl"
    found = json.loads(CHECKPOINT.read_bytes()) if CHECKPOINT.exists() else {}
    if found.get("identity") != IDENTITY:
        events.unlink(missing_ok=True)
        moments = load_file(HERE / JOB["optimizerState"]) if JOB["optimizerState"] else {}
        zeros = np.zeros(CONFIG["hidden_size"])
        require(not moments or set(moments) == {"m", "v", "updates"}, "optimizerState is not of this engine")
        state = {"scale": weights[NORM].astype(np.float64), "m": moments.get("m", zeros), "v": moments.get("v", zeros)}
        return {**state, "updates": int(moments["updates"][0]) if moments else 0, "step": 0, "steps": [], "seconds": 0.0}
    lines = events.read_bytes().splitlines(keepends=True)[: found["numEvents"]]
    write(events, b"".join(lines))
    seconds = json.loads((HERE / "usage.json").read_bytes())["computeSeconds"]
    return {**found, **{name: np.array(found[name]) for name in ARRAYS}, "seconds": seconds}


# ---- a job


def finish(state: dict, weights: dict[str, np.ndarray]) -> None:
    """Export, job-end, and result.json last. Nothing is written into a file that is there: the record may hold its bytes."""
    temporary = HERE / ".model.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(MODEL, temporary)
    (temporary / "model.safetensors").unlink()
    tensors = {**weights, NORM: state["scale"].astype(weights[NORM].dtype)}
    save_file(tensors, temporary / "model.safetensors", {"format": "pt"})
    shutil.rmtree(HERE / "model", ignore_errors=True)
    temporary.rename(HERE / "model")
    save_file({"m": state["m"], "v": state["v"], "updates": np.array([state["updates"]])}, HERE / ".optimizer.tmp")
    (HERE / ".optimizer.tmp").replace(HERE / "optimizer.safetensors")
    event("job-end", step=state["step"])
    result = {
        "schemaVersion": 1,
        "jobId": JOB["jobId"],
        "totalSteps": state["step"],
        "modelFiles": {path.name: file_hash(path) for path in sorted((HERE / "model").iterdir())},
        "optimizerState": file_hash(HERE / "optimizer.safetensors"),
        "steps": state["steps"],
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "trainer": "last-norm/1"},
    }
    write(HERE / "result.json", canonical(result))


def train() -> int:
    stops: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stops.append(number))
    weights, rows = read_weights(), [row for row in read_rows() if len(row["at"])]
    out_VD = weights.get("lm_head.weight", weights["model.embed_tokens.weight"]).astype(np.float64)
    for row in rows:
        row["states"] = last_states(weights, row["token_ids"])[row["at"] - 1]
    if HYPER["klWeight"] > 0:
        reference = load_file(HERE / JOB["referenceDirectory"] / "model.safetensors")
        same = all(np.array_equal(reference[name], weight) for name, weight in weights.items() if name != NORM)
        require(same, "the reference differs in more than the last norm: this engine did not train it")
        for row in rows:
            row["reference"], _ = score(reference[NORM].astype(np.float64), out_VD, row)
    state = resume(weights)
    total = HYPER["epochs"] * min(HYPER["numMinibatches"], len(rows))
    event("job-start", jobId=JOB["jobId"], totalSteps=total, resumedFromStep=state["step"], device="cpu")
    while state["step"] < total:
        if os.getppid() != PARENT:
            return PARENT_GONE
        if stops:
            save(state)
            return TERMINATED
        began = time.monotonic()
        state["steps"].append(take_step(state, rows, out_VD))
        event("training-step", step=state["step"], metrics=state["steps"][-1], seconds=round(time.monotonic() - began, 6))
        if state["step"] % HYPER["checkpointEverySteps"] == 0 or state["step"] == total:
            save(state)
    finish(state, weights)
    return 0


MODEL = (HERE / JOB["modelDirectory"]).resolve()
CONFIG = json.loads((MODEL / "config.json").read_bytes())
try:
    sys.exit(train())
except Failure as failure:
    event("job-error", code=failure.code, message=str(failure))
    print(f"error: {failure.code}: {failure}", file=sys.stderr)
    sys.exit(failure.exit_code)
