// Turn rewards and advantages of a whole buffer under one table: by the estimator in use and by the proxies of the published check.
// Dimensions: P = task, G = rollout of a task, T = turn (ragged).
import type { AdvantageConfig } from "#contracts/advantage-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { type AdvantageGroup, estimateAdvantages, scatter } from "../advantage/compute-advantages.ts";
import { type PreparedGroup, prepareGroups } from "../advantage/groups.ts";
import { outcomeAdvantages } from "../advantage/grpo.ts";
import { immediateAdvantages } from "../advantage/mt-grpo.ts";
import { createSetCounts, type TurnNormalization } from "../advantage/normalization.ts";
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
  if ("lambda" in config) return config.lambda;
  return config.type === "grpo/1" ? 1 : 0;
}

/** Of the published check (methods.md 13.2), where the estimator in use does not say otherwise. */
const PUBLISHED: TurnNormalization = { ddof: 1, epsilon: 1e-6, minSetSize: 2, singletons: "zero", missingTurns: "leave-out" };

/** How the proxies A^I and A^O are normalised: as the estimator does it, as far as it takes z-scores. */
function proxyNormalization(config: AdvantageConfig): TurnNormalization {
  if (config.type === "mt-grpo/2") return { ...config, missingTurns: "zero" };
  return { ...PUBLISHED, ...config };
}

export function turnAdvantages(tasks: readonly TaskRollouts[], table: RewardTable, config: AdvantageConfig): TurnAdvantages {
  const groups = tasks.map((task) => toAdvantageGroup(task.taskId, task.rollouts, table));
  const prepared = prepareGroups(groups, config);
  const normalization = proxyNormalization(config);
  const perTurn = (estimate: (group: PreparedGroup) => number[][]) => scatter(groups, prepared, prepared.map(estimate), config);
  return {
    lambda: proxyLambda(config),
    rewards: groups.map((group) => group.members.map((member) => member.turnRewards_T)),
    immediate: perTurn((group) => immediateAdvantages(group, normalization, createSetCounts())),
    outcome: outcomePerRollout(groups, prepared, config),
    estimator: scatter(groups, prepared, estimateAdvantages(prepared, config, createSetCounts()), config),
  };
}

function outcomePerRollout(groups: readonly AdvantageGroup[], prepared: readonly PreparedGroup[], config: AdvantageConfig): number[][] {
  const result = groups.map((group) => group.members.map(() => 0));
  for (const group of prepared) {
    if (group.isDegenerate && config.degenerateGroups !== "keep") continue;
    const outcome_G = outcomeAdvantages(group, proxyNormalization(config), createSetCounts());
    group.members.forEach((member, i) => {
      const row = result[group.position];
      if (row !== undefined && !member.isMasked) row[member.position] = outcome_G[i] ?? 0;
    });
  }
  return result;
}
