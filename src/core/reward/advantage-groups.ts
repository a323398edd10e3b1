// Labelled rollouts under a reward table, as the estimators take them.
import type { RewardTable } from "#contracts/reward-table.ts";
import type { AdvantageGroup, AdvantageMember } from "../advantage/groups.ts";
import type { LabelledRollout } from "./label-rollout.ts";
import { turnRewards } from "./turn-rewards.ts";

/** The group of one task. Throws reward.table-mismatch when the rollouts are labelled with tiers that the table does not know. */
export function toAdvantageGroup(taskId: string, rollouts: readonly LabelledRollout[], table: RewardTable): AdvantageGroup {
  return { taskId, members: rollouts.map((rollout) => toMember(rollout, table)) };
}

function toMember({ trial, outcome, reward = outcome, isTruncated, turns }: LabelledRollout, table: RewardTable): AdvantageMember {
  return {
    trial,
    outcome: reward,
    isTruncated,
    turnRewards_T: turnRewards(turns, table),
    ...(turns.every(({ action }) => action !== undefined) ? { actions_T: turns.map(({ action = "" }) => action) } : {}),
    ...(turns.every(({ observation }) => observation !== undefined)
      ? { observations_T: turns.map(({ observation = "" }) => observation) }
      : {}),
  };
}
