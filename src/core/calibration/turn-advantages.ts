// Turn rewards and advantages of a whole buffer under one table: by the estimator in use and by the proxies of the published check.
// Dimensions: P = task, G = rollout of a task, T = turn (ragged).
import type { AdvantageConfig } from "#contracts/campaign-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { type AdvantageGroup, estimateAdvantages, scatter } from "../advantage/compute-advantages.ts";
import { type PreparedGroup, prepareGroups } from "../advantage/groups.ts";
import { outcomeAdvantages } from "../advantage/grpo.ts";
import { immediateAdvantages } from "../advantage/mt-grpo.ts";
import { createSetCounts } from "../advantage/normalization.ts";
import { toAdvantageGroup } from "../reward/advantage-groups.ts";
import type { TaskRollouts } from "./buffer.ts";

export interface TurnAdvantages {
  /** Of the proxy A^I + lambda A^O. */
  readonly lambda: number;
  readonly rewards: readonly (readonly (readonly number[])[])[];
  /** A^I */
  readonly immediate: readonly (readonly (readonly number[])[])[];
  /** A^O, one per rollout. */
  readonly outcome: readonly (readonly number[])[];
  /** What training would use. */
  readonly estimator: readonly (readonly (readonly number[])[])[];
}

/** Weight of the outcome advantage in the proxy A^I + lambda A^O: the estimator's own, 1 for GRPO, 0 for GTPO. */
export function proxyLambda(config: AdvantageConfig): number {
  if (config.type === "mt-grpo/1" || config.type === "gtpo-hybrid/1") return config.lambda;
  return config.type === "grpo/1" ? 1 : 0;
}

export function turnAdvantages(tasks: readonly TaskRollouts[], table: RewardTable, config: AdvantageConfig): TurnAdvantages {
  const groups = tasks.map((task) => toAdvantageGroup(task.taskId, task.rollouts, table));
  const prepared = prepareGroups(groups, config);
  const perTurn = (estimate: (group: PreparedGroup) => number[][]) => scatter(groups, prepared, prepared.map(estimate), config);
  return {
    lambda: proxyLambda(config),
    rewards: groups.map((group) => group.members.map((member) => member.turnRewards_T)),
    immediate: perTurn((group) => immediateAdvantages(group, config, createSetCounts())),
    outcome: outcomePerRollout(groups, prepared, config),
    estimator: scatter(groups, prepared, estimateAdvantages(prepared, config, createSetCounts()), config),
  };
}

function outcomePerRollout(groups: readonly AdvantageGroup[], prepared: readonly PreparedGroup[], config: AdvantageConfig): number[][] {
  const result = groups.map((group) => group.members.map(() => 0));
  for (const group of prepared) {
    if (group.isDegenerate && config.degenerateGroups !== "keep") continue;
    const outcome_G = outcomeAdvantages(group, config, createSetCounts());
    group.members.forEach((member, i) => {
      const row = result[group.position];
      if (row !== undefined && !member.isMasked) row[member.position] = outcome_G[i] ?? 0;
    });
  }
  return result;
}
