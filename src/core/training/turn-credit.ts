// The credit of every training turn under one reward table and one estimator, as rows for queries.
import type { LabelledRollout } from "../reward/label-rollout.ts";

export interface TurnCredit {
  readonly taskId: string;
  readonly trial: number;
  readonly turn: number;
  readonly tier: string;
  /** Under the reward table that the batch was made with. */
  readonly reward: number;
  /** What every token of the turn was trained with. */
  readonly advantage: number;
}

/** Rows in order of task, trial and turn. `rewards` and `advantages` are by turn of the rollout. */
export function turnCredit(rollout: LabelledRollout, rewards_T: readonly number[], advantages_T: readonly number[]): TurnCredit[] {
  return rollout.turns.map(({ turn, tier }, position) => ({
    taskId: rollout.taskId,
    trial: rollout.trial,
    turn,
    tier,
    reward: rewards_T[position] ?? 0,
    advantage: advantages_T[position] ?? 0,
  }));
}
