"""The statistics of a calibration report written with pandas and numpy, as an analyst would: arrays of turns and rollouts, a task
bootstrap by weights, one vectorised pass per resample. Reads the arrays that bench/calibration.ts writes; prints seconds, peak memory
and point values.

    python calibration_numpy.py FOLDER RESAMPLES
"""

import json
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

EPSILON, ZERO_RANGE = 1e-6, 1e-9


def main(folder: Path, resamples: int) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    load = lambda name, kind: np.fromfile(folder / f"{name}.bin", dtype=kind)
    turns = pd.DataFrame(
        {"rollout": load("rollout", "<i4"), "tier": load("tier", "<i4"), "index": load("index", "<i4")}
    )
    rollouts = pd.DataFrame({"task": load("task", "<i4"), "outcome": load("outcome", "<f8")})
    judge = load("judge", "<i4").astype(bool)
    start = time.perf_counter()
    prepared = prepare(turns, rollouts, meta)
    findings = {}
    for split, chosen in {"all": np.ones_like(judge), "fit": ~judge, "judge": judge}.items():
        findings[split] = bootstrap(prepared, chosen, resamples, np.random.default_rng(0))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            null_for_nan(
                {
                    "seconds": seconds,
                    "peakMib": peak,
                    "versions": f"numpy {np.__version__}, pandas {pd.__version__}",
                    "points": findings["all"],
                }
            )
        )
    )


def null_for_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: null_for_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [null_for_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def prepare(turns: pd.DataFrame, rollouts: pd.DataFrame, meta: dict) -> dict:
    """Everything that does not depend on the resample: presence, deviations from task means, advantages under each table."""
    num_tiers, num_rollouts = len(meta["tiers"]), len(rollouts)
    turns["task"] = rollouts["task"].to_numpy()[turns["rollout"]]
    presence = np.zeros((num_rollouts, num_tiers))
    presence[turns["rollout"], turns["tier"]] = 1.0
    by_task = rollouts["task"]
    outcome_within = (rollouts["outcome"] - rollouts.groupby("task")["outcome"].transform("mean")).to_numpy()
    presence_within = presence - pd.DataFrame(presence).groupby(by_task).transform("mean").to_numpy()
    tables = [
        prepare_table(turns, rollouts, np.asarray(values), np.asarray(signs), meta)
        for values, signs in zip(meta["values"], meta["signs"], strict=True)
    ]
    return {
        "task": by_task.to_numpy(),
        "turn_task": turns["task"].to_numpy(),
        "turn_tier": turns["tier"].to_numpy(),
        "turn_outcome": rollouts["outcome"].to_numpy()[turns["rollout"]],
        "outcome": rollouts["outcome"].to_numpy(),
        "outcome_within": outcome_within,
        "presence": presence,
        "presence_within": presence_within,
        "tables": tables,
        "num_tiers": num_tiers,
    }


def z_by(values: pd.Series, keys: list) -> np.ndarray:
    grouped = values.groupby(keys)
    mean, deviation, size = grouped.transform("mean"), grouped.transform("std"), grouped.transform("size")
    spread = grouped.transform("max") - grouped.transform("min")
    return np.where((size < 2) | (spread <= ZERO_RANGE), 0.0, (values - mean) / (deviation + EPSILON))


def prepare_table(
    turns: pd.DataFrame, rollouts: pd.DataFrame, values: np.ndarray, signs: np.ndarray, meta: dict
) -> dict:
    reward = values[turns["tier"]]
    frame = turns.assign(reward=reward, outcome=rollouts["outcome"].to_numpy()[turns["rollout"]])
    steps = frame.groupby("rollout")["index"].transform("size").to_numpy()
    # discounted return: gamma^-k-scaled suffix sums, per rollout
    scaled = frame["reward"] * meta["gamma"] ** frame["index"]
    suffix = scaled.groupby(frame["rollout"]).transform("sum") - scaled.groupby(frame["rollout"]).cumsum() + scaled
    returns = suffix / meta["gamma"] ** frame["index"] + meta["gamma"] ** (steps - frame["index"]) * frame["outcome"]
    outcome_z = z_by(rollouts["outcome"], [rollouts["task"]])[turns["rollout"]]
    estimator = z_by(returns, [frame["task"], frame["index"]]) + meta["lambda"] * outcome_z
    immediate = z_by(frame["reward"], [frame["task"], frame["index"]])
    later = pd.Series(immediate).groupby(frame["rollout"].to_numpy())
    summed = (later.transform("sum") - later.cumsum()).to_numpy() + immediate + meta["lambda"] * outcome_z
    mixed = rollouts.groupby("task")["outcome"].transform("std").to_numpy()[turns["rollout"]] > 0
    estimator, immediate, summed, outcome_z = (
        np.where(mixed, x, 0.0) for x in (estimator, immediate, summed, outcome_z)
    )
    mean_reward = frame.groupby("rollout")["reward"].mean().to_numpy()
    within = mean_reward - pd.Series(mean_reward).groupby(rollouts["task"]).transform("mean").to_numpy()
    sign = signs[turns["tier"]]
    wins, pairs = pair_wins(rollouts, mean_reward)
    return {
        "advantages": [immediate, immediate + meta["lambda"] * outcome_z, summed, estimator],
        "intended": (sign != 0).astype(float),
        "wrong": ((sign != 0) & (np.where(np.abs(estimator) <= 1e-8, 0, np.sign(estimator)) != sign)).astype(float),
        "dead": (np.abs(estimator) <= 1e-9).astype(float),
        "mean_reward": mean_reward,
        "reward_within": within,
        "wins": wins,
        "pairs": pairs,
        "signs": signs,
    }


def pair_wins(rollouts: pd.DataFrame, mean_reward: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    num_tasks = rollouts["task"].max() + 1
    wins, pairs = np.zeros(num_tasks), np.zeros(num_tasks)
    for task, group in rollouts.assign(r=mean_reward).groupby("task"):
        passing, failing = (
            group.loc[group["outcome"] == 1, "r"].to_numpy(),
            group.loc[group["outcome"] == 0, "r"].to_numpy(),
        )
        difference = passing[:, None] - failing[None, :]
        wins[task] = (difference > 1e-9).sum() + 0.5 * (np.abs(difference) <= 1e-9).sum()
        pairs[task] = difference.size
    return wins, pairs


def correlation(n: float, x: float, y: float, xx: float, yy: float, xy: float) -> float:
    xx, yy, xy = xx - x * x / n, yy - y * y / n, xy - x * y / n
    return float("nan") if xx <= 1e-12 * n or yy <= 1e-12 * n else xy / np.sqrt(xx * yy)


def statistics(data: dict, weights: np.ndarray) -> dict:
    """All statistics under task weights."""
    w, wt = weights[data["task"]], weights[data["turn_task"]]
    n, passes, oo = w.sum(), w @ data["outcome"], w @ data["outcome_within"] ** 2
    result: dict = {"pooled": [], "within": []}
    present, both = w @ data["presence"], (w * data["outcome"]) @ data["presence"]
    xx, xo = w @ data["presence_within"] ** 2, (w * data["outcome_within"]) @ data["presence_within"]
    for c in range(data["num_tiers"]):
        result["pooled"].append(correlation(n, present[c], passes, present[c], passes, both[c]))
        result["within"].append(correlation(n, 0, 0, xx[c], oo, xo[c]))
    counts = np.bincount(data["turn_tier"], weights=wt, minlength=data["num_tiers"])
    turns, passing_turns = wt.sum(), wt @ data["turn_outcome"]
    result["tables"] = []
    for table in data["tables"]:
        means = [
            np.bincount(data["turn_tier"], weights=wt * a, minlength=data["num_tiers"]) / np.maximum(counts, 1e-300)
            for a in table["advantages"]
        ]
        a = table["advantages"][3]
        r = table["mean_reward"]
        rho = np.asarray(result["within"])
        tiers = ~np.isnan(rho) & (counts > 0)
        mismatches = int(((table["signs"] != 0) & (counts > 0) & (np.sign(means[3]) != table["signs"])).sum())
        x, y, k = rho[tiers], means[3][tiers], counts[tiers]
        result["tables"].append(
            {
                "means": [m.tolist() for m in means],
                "turnMisalignment": (wt @ table["wrong"]) / (wt @ table["intended"]),
                "deadTurns": (wt @ table["dead"]) / turns,
                "advantageOutcome": correlation(
                    turns, wt @ a, passing_turns, wt @ (a * a), passing_turns, wt @ (a * data["turn_outcome"])
                ),
                "rewardOutcomePooled": correlation(n, w @ r, passes, w @ (r * r), passes, w @ (r * data["outcome"])),
                "rewardOutcomeWithinTask": correlation(
                    n, 0, 0, w @ table["reward_within"] ** 2, oo, w @ (table["reward_within"] * data["outcome_within"])
                ),
                "discriminativeAccuracy": (weights @ table["wins"]) / (weights @ table["pairs"]),
                "advantageCorrelation": correlation(k.sum(), k @ x, k @ y, k @ (x * x), k @ (y * y), k @ (x * y))
                if tiers.sum() >= 3
                else float("nan"),
                "mismatches": mismatches,
            }
        )
    return result


def flatten(value: object) -> list[float]:
    if isinstance(value, dict):
        return [x for item in value.values() for x in flatten(item)]
    return [x for item in value for x in flatten(item)] if isinstance(value, list) else [float(value)]  # type: ignore[arg-type]


def bootstrap(data: dict, chosen: np.ndarray, resamples: int, rng: np.random.Generator) -> dict:
    tasks = np.flatnonzero(chosen)
    draws = []
    for _ in range(resamples):
        weights = np.bincount(rng.choice(tasks, size=len(tasks)), minlength=len(chosen)).astype(float)
        draws.append(flatten(statistics(data, weights)))
    np.nanpercentile(np.asarray(draws), [2.5, 97.5], axis=0)
    return statistics(data, chosen.astype(float))


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)  # statistics of tiers that never occur are not defined
    with np.errstate(all="ignore"):
        main(Path(sys.argv[1]), int(sys.argv[2]))
