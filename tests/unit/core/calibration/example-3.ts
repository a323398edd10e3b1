// Worked example 3: two groups of four rollouts, written down by tier.
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { LabelledRollout } from "#core/reward/label-rollout.ts";
import { createRewardTable } from "#core/reward/reward-table.ts";

type TierText = readonly (string | readonly [string, number])[];

/** A rollout from the tiers of its turns; a partial match is written ["soft", 0.75]. */
export function rollout(taskId: string, trial: number, outcome: 0 | 1, tiers: TierText, userId = taskId): LabelledRollout {
  return {
    taskId,
    userId,
    trial,
    outcome,
    isTruncated: false,
    turns: tiers.map((entry, turn) => {
      const [tier, match] = typeof entry === "string" ? [entry, null] : [entry[0], entry[1]];
      return { turn, tier, callTiers: tier === "message" ? [] : [{ callIndex: 0, tier, match }], softMatch: match, numIgnoredCalls: 0 };
    }),
  };
}

export const EXAMPLE_3: LabelledRollout[] = [
  rollout("a", 0, 1, ["read", "gold", "message"]),
  rollout("a", 1, 1, ["read", ["soft", 0.75], "gold"]),
  rollout("a", 2, 0, ["read", "state"]),
  rollout("a", 3, 0, ["error", "read", "duplicate", "message"]),
  rollout("b", 0, 1, ["read", "message", "gold"]),
  rollout("b", 1, 0, ["read", "read", ["soft", 0.6]]),
  rollout("b", 2, 0, ["read", "read"]),
  rollout("b", 3, 0, [["soft", 0.75], "read"]),
];

export const NAIVE = createRewardTable({
  schemaVersion: 1,
  name: "paper-naive-dense",
  scheme: "paper/1",
  values: { gold: 1, soft: "soft", read: 0.3, state: 0.1, error: -0.1, duplicate: -0.2 },
  intendedSigns: { state: -1 },
});
export const IRC = createRewardTable({
  schemaVersion: 1,
  name: "paper-irc",
  scheme: "paper/1",
  values: { gold: 1, soft: "soft", state: -0.1, error: -0.1, duplicate: -0.2 },
});

export const HYBRID = AdvantageConfig.parse({ type: "gtpo-hybrid/1", degenerateGroups: "keep" });
export const MT_GRPO = AdvantageConfig.parse({ type: "mt-grpo/1", degenerateGroups: "keep" });
export const CONFIG = CalibrationConfig.parse({ bootstrapResamples: 200 });
