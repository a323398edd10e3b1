// Whether the harness helps the simulated user with what it alone knows: that golden writes are still to come when the user hangs up.
import type { RolloutPurpose } from "#contracts/manifests.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { PREMATURE_STOP } from "./simulator-failure.ts";

/**
 * judge  a user that stops too early is asked once more, as its `prematureStop` says: fewer training rollouts are lost to the user
 * count  the user is the benchmark's own: its stop stands and costs no second call, and is counted when it came too early
 */
export type UserHelp = "judge" | "count";

/** Rollouts that are trained on are helped; those that measure are helped only where a campaign says so (`evaluation.userHelp`). */
export function userHelpFor(purpose: RolloutPurpose, whenMeasuring: UserHelp): UserHelp {
  return purpose === "train" ? "judge" : whenMeasuring;
}

/** Rollouts whose user stopped before the last golden write, once or more often. */
export function numFlaggedStops(trajectories: readonly Pick<Trajectory, "simulatorTroubles">[]): number {
  return trajectories.filter(({ simulatorTroubles }) => (simulatorTroubles?.[PREMATURE_STOP] ?? 0) > 0).length;
}
