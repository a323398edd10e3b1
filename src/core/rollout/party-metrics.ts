// What a stage's rollouts say about their user and about the policy's reasoning. Names and units: docs/metrics.md.
import type { Usage } from "#contracts/trajectory.ts";
import { sumUsage } from "./usage.ts";
import { type GroupAttempts, userErrorRate } from "./user-error-rate.ts";

export interface GroupParties extends GroupAttempts {
  /** Rollouts whose user stopped before the last golden write. */
  readonly numFlaggedStops: number;
  readonly usage: Usage;
}

/** Reasoning is left out where there was none. */
export function partyMetrics(stage: string, groups: readonly GroupParties[]): Record<string, number> {
  const { reasoningTokens, reasoningCharacters } = sumUsage(groups.map(({ usage }) => usage));
  return {
    [`${stage}/user_error_rate`]: userErrorRate(groups),
    [`${stage}/flagged_user_stops`]: groups.reduce((sum, { numFlaggedStops }) => sum + numFlaggedStops, 0),
    ...(reasoningTokens === undefined ? {} : { [`${stage}/reasoning_tokens`]: reasoningTokens }),
    ...(reasoningCharacters === undefined ? {} : { [`${stage}/reasoning_characters`]: reasoningCharacters }),
  };
}
