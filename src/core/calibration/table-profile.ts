// Distributions under one reward table that a mean does not show.
import type { TableProfile, TableRole } from "#contracts/calibration-report.ts";
import { DEAD_ADVANTAGE } from "../advantage/compute-advantages.ts";
import type { TaskRollouts } from "./buffer.ts";
import type { TurnAdvantages } from "./turn-advantages.ts";

const NUM_BINS = 20;

export function profileTable(tasks: readonly TaskRollouts[], advantages: TurnAdvantages, roles: readonly TableRole[]): TableProfile {
  return { roles: [...roles], deadTurnsByIndex: deadTurnsByIndex(advantages), meanRewards: meanRewardsByOutcome(tasks, advantages) };
}

function deadTurnsByIndex({ estimator }: TurnAdvantages): TableProfile["deadTurnsByIndex"] {
  const counts: { turn: number; numTurns: number; numDead: number }[] = [];
  for (const advantages_T of estimator.flat()) {
    for (const [turn, advantage] of advantages_T.entries()) {
      counts[turn] ??= { turn, numTurns: 0, numDead: 0 };
      counts[turn].numTurns += 1;
      if (Math.abs(advantage) <= DEAD_ADVANTAGE) counts[turn].numDead += 1;
    }
  }
  return counts;
}

function meanRewardsByOutcome(tasks: readonly TaskRollouts[], { rewards }: TurnAdvantages): TableProfile["meanRewards"] {
  const means = rewards.map((rewards_GT) => rewards_GT.map(meanOf));
  const all = means.flat();
  const low = all.reduce((least, value) => Math.min(least, value), 0);
  const high = all.reduce((most, value) => Math.max(most, value), 0);
  const bins = { failing: new Array<number>(NUM_BINS).fill(0), passing: new Array<number>(NUM_BINS).fill(0) };
  for (const [p, task] of tasks.entries()) {
    for (const [i, rollout] of task.rollouts.entries()) {
      const share = high > low ? ((means[p]?.[i] ?? 0) - low) / (high - low) : 0;
      const bin = Math.min(NUM_BINS - 1, Math.floor(share * NUM_BINS));
      const counts = rollout.outcome === 1 ? bins.passing : bins.failing;
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
  }
  return { low, high, ...bins };
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((total, value) => total + value, 0) / values.length;
}
