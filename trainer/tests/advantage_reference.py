"""All advantage estimators a second time, in numpy, written from the formulas and not from the TypeScript.

A group is a list of members {"rewards": [float], "outcome": 0 | 1, "actions": [str], "observations": [str]}; every function
takes a list of groups and gives advantages in the same shape. Truncated rollouts and dropped groups are not covered here.
"""

import math
import re
from collections import Counter

import numpy as np

EPSILON = 1e-6
ZERO_RANGE = 1e-9


def z_scores(values, ddof=1, epsilon=EPSILON):
    x = np.asarray(values, dtype=np.float64)
    if x.size < 2 or np.ptp(x) <= ZERO_RANGE:
        return np.zeros_like(x)
    return (x - x.mean()) / (x.std(ddof=ddof) + epsilon)


def by_turn(rows, ddof=1):
    """z-scores over the rows that have a turn, turn by turn, as a NaN-padded matrix would see it."""
    width = max((len(row) for row in rows), default=0)
    padded = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    for k in range(width):
        present = ~np.isnan(padded[:, k])
        padded[present, k] = z_scores(padded[present, k], ddof)
    return [padded[i, : len(row)] for i, row in enumerate(rows)]


def returns(member, gamma, terminal):
    rewards, outcome = np.asarray(member["rewards"], dtype=np.float64), member["outcome"]
    length = len(rewards)
    discounts = gamma ** np.arange(length + 1)
    out = np.empty(length)
    for k in range(length):
        out[k] = discounts[: length - k] @ rewards[k:]
        out[k] += outcome * discounts[length - k if terminal == "virtual" else length - 1 - k]
    return out


def outcomes(group):
    return [member["outcome"] for member in group]


def grpo(groups, *, ddof=1, normalizeByStd=True):
    result = []
    for group in groups:
        o = np.asarray(outcomes(group), dtype=np.float64)
        scores = z_scores(o, ddof) if normalizeByStd else (o - o.mean() if len(o) > 1 else o * 0)
        result.append([np.full(len(member["rewards"]), score) for member, score in zip(group, scores, strict=True)])
    return result


def mt_grpo(groups, *, ddof=1, alpha=1.0, **options):
    lam, last_rewarded = options.get("lambda", 1.0), options.get("lastTurnRewarded", True)
    result = []
    for group in groups:
        outcome = z_scores(outcomes(group), ddof)
        rows = []
        for immediate, o in zip(by_turn([member["rewards"] for member in group], ddof), outcome, strict=True):
            length = len(immediate)
            own = immediate if last_rewarded else np.append(immediate[:-1], 0.0)
            shift = 0 if last_rewarded else 1
            rows.append(
                np.array(
                    [
                        sum(alpha ** (later - k) * own[later] for later in range(k, length)) + lam * alpha ** (length - k - shift) * o
                        for k in range(length)
                    ]
                )
            )
        result.append(rows)
    return result


def charged_mt_grpo(groups, *, ddof=1, alpha=1.0, normalizeByStd=False, **options):
    """A zero-padded matrix: columns are centred or scored over all members, rows are summed from each turn to the end of the matrix."""

    def score(values):
        x = np.asarray(values, dtype=np.float64)
        return z_scores(x, ddof) if normalizeByStd else (x - x.mean() if len(x) > 1 else x * 0)

    result = []
    for group in groups:
        width = max(len(member["rewards"]) for member in group)
        padded = np.array([member["rewards"] + [0.0] * (width - len(member["rewards"])) for member in group])
        scored = np.stack([score(padded[:, k]) for k in range(width)], axis=1)
        weights = np.array([[alpha ** (later - k) if later >= k else 0.0 for k in range(width)] for later in range(width)])
        advantages = scored @ weights + options.get("lambda", 1.0) * score(outcomes(group))[:, None]
        result.append([advantages[i, : len(member["rewards"])] for i, member in enumerate(group)])
    return result


def gtpo(groups, *, ddof=1, gamma=0.9, terminal="virtual", scope="turn"):
    values = [[returns(member, gamma, terminal) for member in group] for group in groups]
    if scope == "turn":
        return [by_turn(rows, ddof) for rows in values]
    if scope == "group":
        return [split(z_scores(np.concatenate(rows), ddof), rows) if len(rows) > 1 else [row * 0 for row in rows] for rows in values]
    flat = split(z_scores(np.concatenate([row for rows in values for row in rows]), ddof), [row for rows in values for row in rows])
    return regroup(flat, values)


def hybrid(groups, *, ddof=1, **options):
    lam = options.pop("lambda", 0.3)
    process = gtpo(groups, ddof=ddof, **options)
    return [
        [row + lam * o for row, o in zip(rows, z_scores(outcomes(group), ddof), strict=True)]
        for rows, group in zip(process, groups, strict=True)
    ]


def gdpo(groups, *, processWeight=1.0, outcomeWeight=1.0, whiten=True):
    sums = []
    for group in groups:
        process = z_scores([sum(member["rewards"]) for member in group], epsilon=1e-4)
        sums.append(processWeight * process + outcomeWeight * z_scores(outcomes(group), epsilon=1e-4))
    flat = np.concatenate(sums)
    flat = z_scores(flat, epsilon=1e-4) if whiten else flat
    scores = regroup(list(flat), sums)
    return [[np.full(len(m["rewards"]), s) for m, s in zip(group, row, strict=True)] for group, row in zip(groups, scores, strict=True)]


def proxmo(groups, *, gamma=0.95, terminal="last", temperature=0.1, polarAlpha=4.0, polarBeta=0.1, omega=1.0):
    matrix = tf_idf([text for group in groups for member in group for text in member["observations"]])
    result, start = [], 0
    for group in groups:
        values = [returns(member, gamma, terminal) for member in group]
        flat = np.concatenate(values)
        own = matrix[start : start + len(flat)]
        start += len(flat)
        logits = own @ own.T / temperature
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        baseline = (weights / weights.sum(axis=1, keepdims=True)) @ flat
        p = float(np.mean(outcomes(group)))
        rows = []
        for member, row in zip(group, split(flat - baseline, values), strict=True):
            signal = (1 - p) ** polarAlpha if member["outcome"] == 1 else -(p**polarAlpha)
            weight = 1 + polarBeta * (1 / (1 + math.exp(-signal)) - 0.5)
            rows.append(weight * (member["outcome"] - p) + omega * row)
        result.append(rows if len(group) > 1 else [row * 0 for row in rows])
    return result


def tf_idf(texts):
    counts = [Counter(re.findall(r"\w{2,}", text.lower())) for text in texts]
    words = sorted({word for count in counts for word in count})
    matrix = np.array([[count[word] for word in words] for count in counts], dtype=np.float64).reshape(len(texts), len(words))
    idf = np.log((1 + len(texts)) / (1 + (matrix > 0).sum(axis=0))) + 1
    matrix *= idf
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-300)


def a3(groups, *, intentWeight=0.65, treeWeight=1.0, supportPrior=0.1, treeGamma=0.9, minScale=0.5, bound=1.1):
    channels = [(outcome_channel(g, minScale), intent_channel(g, minScale), tree_channel(g, supportPrior, treeGamma)) for g in groups]
    sizes = [np.abs(np.concatenate([np.concatenate(channel[c]) for channel in channels])).mean() + 1e-9 for c in range(3)]
    scales = [weight / size for weight, size in zip([1.0, intentWeight, treeWeight], sizes, strict=True)]
    return [
        [bound * np.tanh(sum(scales[c] * channel[c][i] for c in range(3)) / bound) for i in range(len(group))]
        for group, channel in zip(groups, channels, strict=True)
    ]


def robust(values, min_scale):
    x = np.asarray(values, dtype=np.float64)
    centre = np.median(x)
    return np.tanh((x - centre) / max(1.4826 * np.median(np.abs(x - centre)), min_scale))


def outcome_channel(group, min_scale):
    return [np.full(len(m["rewards"]), s) for m, s in zip(group, robust(outcomes(group), min_scale), strict=True)]


def intent_channel(group, min_scale):
    def seen(actions, k, scope):
        return tuple(actions) if scope is None else tuple(actions[max(0, k + 1 - scope) : k + 1])

    rows = []
    for i, member in enumerate(group):
        row = []
        for k in range(len(member["actions"])):
            residuals = []
            for scope in (1, 2, 3, None):
                mine = seen(member["actions"], k, scope)
                others = [o for j, o in enumerate(group) if j != i and k < len(o["actions"])]
                alike = [o["outcome"] for o in others if seen(o["actions"], k, scope) == mine]
                residuals.append(member["outcome"] - np.mean(alike) if alike else 0.0)
            row.append(np.mean(residuals))
        rows.append(row)
    return split(robust(np.concatenate(rows), min_scale), rows)


def tree_channel(group, prior, gamma):
    rows = []
    for member in group:
        gain = support = 0.0
        row = np.zeros(len(member["actions"]))
        for k in reversed(range(len(member["actions"]))):
            fork = [o for o in group if k < len(o["actions"]) and o["actions"][:k] == member["actions"][:k]]
            branch = [o for o in fork if o["actions"][k] == member["actions"][k]]
            local = shrink = 0.0
            if len(branch) < len(fork):
                shrink = len(branch) / (len(branch) + prior)
                local = shrink * (np.mean(outcomes(branch)) - np.mean(outcomes(fork)))
            gain, support = local + gamma * gain, shrink + gamma * support
            row[k] = support / (support + prior) * gain
        rows.append(row)
    return rows


def split(flat, rows):
    ends = np.cumsum([len(row) for row in rows])
    return np.split(np.asarray(flat), ends[:-1])


def regroup(flat, shape):
    iterator = iter(flat)
    return [[next(iterator) for _ in rows] for rows in shape]


ESTIMATORS = {
    "grpo/1": grpo,
    "mt-grpo/1": mt_grpo,
    "mt-grpo/2": charged_mt_grpo,
    "gtpo/1": gtpo,
    "gtpo-hybrid/1": hybrid,
    "gdpo/1": gdpo,
    "proxmo/1": proxmo,
    "a3/1": a3,
}


def compute(groups, config):
    options = {key: value for key, value in config.items() if key != "type"}
    return [[[float(a) for a in row] for row in rows] for rows in ESTIMATORS[config["type"]](groups, **options)]
