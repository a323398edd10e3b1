// The worked examples that every estimator is held to: made by hand-checked plain arithmetic and confirmed by a second program.
import { expect } from "vitest";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { type AdvantageGroup, computeAdvantages } from "#core/advantage/compute-advantages.ts";

export const EXAMPLE_2_OUTCOMES = [1, 1, 0, 0] as const;
export const EXAMPLE_2_NAIVE = [
  [0.3, 1, 0],
  [0.3, 0.75, 1],
  [0.3, 0.1],
  [-0.1, 0.3, -0.2, 0],
];
export const EXAMPLE_2_IRC = [
  [0, 1, 0],
  [0, 0.75, 1],
  [0, -0.1],
  [-0.1, 0, -0.2, 0],
];

export function group(rewards_GT: readonly (readonly number[])[], outcomes_G: readonly number[], taskId = "task-a"): AdvantageGroup {
  return {
    taskId,
    members: rewards_GT.map((turnRewards_T, trial) => ({
      trial,
      turnRewards_T,
      outcome: outcomes_G[trial] ?? 0,
      isTruncated: false,
    })),
  };
}

/** Advantages of one group as in the published protocol: every group kept. */
export function advantagesOf(
  rewards_GT: readonly (readonly number[])[],
  outcomes_G: readonly number[],
  config: { type: string } & Record<string, unknown>,
): (readonly number[])[] {
  const parsed = AdvantageConfig.parse({ degenerateGroups: "keep", ...config });
  return computeAdvantages([group(rewards_GT, outcomes_G)], parsed).advantages[0] ?? [];
}

export function expectClose(actual: readonly (readonly number[])[], expected: readonly (readonly number[])[], tolerance = 1e-6): void {
  expect(actual.map((row) => row.length)).toEqual(expected.map((row) => row.length));
  for (const [i, row] of actual.entries()) {
    for (const [k, value] of row.entries()) {
      expect(Math.abs(value - (expected[i]?.[k] ?? Number.NaN)), `[${i}][${k}] = ${value}`).toBeLessThanOrEqual(tolerance);
    }
  }
}
