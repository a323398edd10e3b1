// Stored turns that a server must score as their sampler or the trainer did: the test for wrong weights or a wrong template.

import type { CanaryReport } from "#contracts/activities.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { CampaignError } from "../errors.ts";
import { formatNumber } from "../format.ts";
import { deriveSeed } from "../rng.ts";

/** One stored turn: the tokens up to its end, of which those from `start` were sampled, with the log-probabilities of that time. */
export interface StoredTurn {
  readonly tokenIds: readonly number[];
  readonly start: number;
  readonly logprobs: readonly number[];
}

/** Turns sampled by the policy with this hash, at most `count`, picked by hash so that tasks, trials and lengths all occur. */
export function pickStoredTurns(trajectories: readonly Trajectory[], policyHash: string, count: number): StoredTurn[] {
  const all = trajectories.filter(({ policy }) => policy.hash === policyHash).flatMap(keyedTurns);
  return all
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, count)
    .map(({ stored }) => stored);
}

function keyedTurns({ taskId, trial, rows }: Trajectory): { key: string; stored: StoredTurn }[] {
  return rows.flatMap(({ tokenIds, spans, logprobs }) => {
    let numBefore = 0;
    return spans.map(({ turn, start, end }) => {
      const own = logprobs.slice(numBefore, numBefore + end - start);
      numBefore += own.length;
      return { key: deriveSeed("canary", taskId, trial, turn), stored: { tokenIds: tokenIds.slice(0, end), start, logprobs: own } };
    });
  });
}

/**
 * Compares stored with re-scored log-probabilities, turn by turn in the same order.
 * throws  provider.wrong-weights when their mean absolute difference exceeds `threshold` nats, or is no number
 */
export function compareScores(
  policyName: string,
  turns: readonly StoredTurn[],
  scores: readonly (readonly number[])[],
  threshold: number,
): CanaryReport {
  const differences = turns.flatMap(({ logprobs }, index) =>
    logprobs.map((logprob, token) => Math.abs(logprob - (scores[index]?.[token] ?? Number.NaN))),
  );
  const meanDifference = differences.length === 0 ? 0 : differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
  if (!(meanDifference <= threshold)) {
    const message = `${policyName} scores ${turns.length} stored turns ${formatNumber(meanDifference, 3)} nats per token away from what is stored with them (at most ${threshold})`;
    throw new CampaignError("provider.wrong-weights", `${message}: wrong weights or wrong template`, {
      next: "restart the policy server and resume",
    });
  }
  return {
    numTurns: turns.length,
    numTokens: differences.length,
    meanDifference,
    maxDifference: differences.reduce((a, b) => Math.max(a, b), 0),
  };
}

/** Names and units: docs/metrics.md. Empty when nothing could be compared. */
export function canaryMetrics(stage: "rollout" | "selection", report: CanaryReport | null): Record<string, number> {
  if (report === null || report.numTurns === 0) return {};
  return {
    [`${stage}/canary_turns`]: report.numTurns,
    [`${stage}/canary_mean_difference`]: report.meanDifference,
    [`${stage}/canary_max_difference`]: report.maxDifference,
  };
}
