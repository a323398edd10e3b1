"""From logits to tokens: the inverse distribution function at seeded uniform numbers, in float64, row by row.

Dimensions: N row of logits, V vocabulary.
"""

from dataclasses import dataclass

import numpy as np

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
IntArray = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class Sampled:
    tokens: IntArray
    logprobs: FloatArray
    """Of `tokens`, nats, under the distribution at the row's temperature (at 1 for a greedy row); NaN for a row that is not finite."""
    logprobs_NV: FloatArray


def uniforms(seed: int, choice: int, count: int) -> FloatArray:
    """The uniform numbers of one sampled sequence: u_t is a pure function of (seed, choice, t)."""
    key = np.array([seed % 2**64, choice], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).random(count)


def sample(logits_NV: np.ndarray, temperatures: FloatArray, draws: FloatArray, forced: IntArray) -> Sampled:
    """One token per row: `forced` where it is not negative, else the most likely one at temperature 0, else the one whose
    interval of the distribution holds `draws`."""
    greedy = temperatures == 0
    scaled = logits_NV.astype(np.float64) / np.where(greedy, 1.0, temperatures)[:, None]
    scaled -= scaled.max(axis=1, keepdims=True)
    weights = np.exp(scaled)
    scaled -= np.log(weights.sum(axis=1, keepdims=True))
    tokens = np.where(forced >= 0, forced, np.where(greedy, scaled.argmax(axis=1), _inverse(weights, draws)))
    return Sampled(tokens, scaled[np.arange(len(tokens)), tokens], scaled)


def _inverse(weights_NV: FloatArray, draws: FloatArray) -> IntArray:
    """A draw is below 1, so its threshold is below the total (in float64 too) and the index below V; weight 0 is never chosen."""
    cumulative = weights_NV.cumsum(axis=1)
    thresholds = (draws * cumulative[:, -1])[:, None]
    return (cumulative <= thresholds).sum(axis=1)
