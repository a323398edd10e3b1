// How much of the trouble of rollouts is the user's.
import type { RetriedByOutcome } from "./run-group.ts";

export interface GroupAttempts {
  /** Rollouts that carry a reward. */
  readonly numRollouts: number;
  /** Attempts before them that carry none. */
  readonly retriedByOutcome: RetriedByOutcome;
}

/** Attempts at rollouts that ended because of the user (sim_error), as a share of all attempts; 0 when there were none. */
export function userErrorRate(groups: readonly GroupAttempts[]): number {
  const sum = (pick: (group: GroupAttempts) => number) => groups.reduce((total, group) => total + pick(group), 0);
  const numAttempts = sum(({ numRollouts, retriedByOutcome: { env_error = 0, sim_error = 0, infra_error = 0 } }) => {
    return numRollouts + env_error + sim_error + infra_error;
  });
  return numAttempts === 0 ? 0 : sum(({ retriedByOutcome }) => retriedByOutcome.sim_error ?? 0) / numAttempts;
}
