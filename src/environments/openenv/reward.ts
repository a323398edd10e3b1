// From the rewards of a server's steps to a grade.
import type { Grade } from "#core/environment/episode.ts";
import type { OpenEnvConfig } from "./config.ts";
import { failed } from "./messages.ts";

/** What an episode has earned so far. */
export interface Earnings {
  /** Of the steps that had one, in order. */
  readonly rewards: readonly number[];
  readonly numSteps: number;
  /** The server said that the episode is over. */
  readonly isOver: boolean;
}

/** Sums of decimal fractions miss their range by so much. */
const ROUNDING = 1e-9;

/**
 * The grade of an episode. One that the agent left before any step had a reward earned nothing.
 *
 * throws  environment.failed for a reward outside of the range, and for an episode that is over without one
 */
export function gradeOf({ rewards, numSteps, isOver }: Earnings, { from, range: [low, high], passAt }: OpenEnvConfig["reward"]): Grade {
  if (isOver && rewards.length === 0)
    throw failed(
      "the episode is over, and none of its steps had a reward",
      "let the server's environment set `reward` of its observations",
    );
  const total = rewards.length === 0 ? low : from === "last" ? (rewards.at(-1) as number) : rewards.reduce((sum, reward) => sum + reward);
  const share = (total - low) / (high - low);
  if (!(share >= -ROUNDING && share <= 1 + ROUNDING))
    throw failed(
      `the server's reward ${total} is outside of environment.reward.range, ${low} to ${high}`,
      "set environment.reward.range to the lowest and the highest that an episode can earn",
    );
  const reward = Math.min(1, Math.max(0, share));
  return { reward, passed: reward >= passAt, parts: { server: total, steps: numSteps } };
}
