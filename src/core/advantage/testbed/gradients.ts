// Policy gradients on problems that can be enumerated: of an objective, and of an estimator in expectation over all groups.
// Nothing is sampled. Dimensions: G = member of a group, T = turn (ragged), D = logit.
import type { AdvantageConfig } from "#contracts/advantage-config.ts";
import { type AdvantageGroup, computeAdvantages } from "../compute-advantages.ts";
import type { EnumeratedTrajectory } from "./decision-tree.ts";

/** What a turn's choice is worth, given what followed: the credit whose expectation is the gradient of an objective. */
export type Credit = (trajectory: EnumeratedTrajectory) => readonly number[];

/** The number of turns: its gradient is the direction in which conversations get longer. */
export const lengthCredit: Credit = ({ rewards_T }) => rewards_T.map(() => rewards_T.length);

/** E[sum over turns of credit times the gradient of the turn's log-probability]. */
export function exactGradient(trajectories: readonly EnumeratedTrajectory[], credit: Credit): number[] {
  const gradient_D = zerosLike(trajectories);
  for (const trajectory of trajectories) accumulate(gradient_D, trajectory, credit(trajectory), trajectory.probability);
  return gradient_D;
}

export interface EstimatedGradient {
  /** Expectation over groups of (1/G) sum over members and turns of advantage times the gradient of the turn's log-probability. */
  readonly expected_D: readonly number[];
  /** E|g - E g|^2 of one group's gradient g. */
  readonly variance: number;
  readonly numGroups: number;
}

/**
 * Walks every group of `groupSize` independent trajectories, each unordered group once with its probability: an estimator that
 * permutes with its members gives the same gradient for every order.
 */
export function expectedGradient(
  trajectories: readonly EnumeratedTrajectory[],
  groupSize: number,
  config: AdvantageConfig,
): EstimatedGradient {
  return expectedGradientBy(trajectories, groupSize, (group) => computeAdvantages([group], config).advantages[0] ?? []);
}

/** The same for whatever gives advantages_GT of a group. */
export function expectedGradientBy(
  trajectories: readonly EnumeratedTrajectory[],
  groupSize: number,
  advantagesOf: (group: AdvantageGroup) => readonly (readonly number[])[],
): EstimatedGradient {
  const expected_D = zerosLike(trajectories);
  let [secondMoment, numGroups] = [0, 0];
  for (const { members, probability } of unorderedGroups(trajectories, groupSize)) {
    const gradient_D = groupGradient(members, advantagesOf);
    for (const [d, value] of gradient_D.entries()) expected_D[d] = (expected_D[d] ?? 0) + probability * value;
    secondMoment += probability * dot(gradient_D, gradient_D);
    numGroups += 1;
  }
  return { expected_D, variance: Math.max(0, secondMoment - dot(expected_D, expected_D)), numGroups };
}

/** How many unordered groups there are. */
export function countGroups(numTrajectories: number, groupSize: number): number {
  let count = 1;
  for (let i = 1; i <= groupSize; i += 1) count = (count * (numTrajectories - 1 + i)) / i;
  return Math.round(count);
}

function groupGradient(
  members: readonly EnumeratedTrajectory[],
  advantagesOf: (group: AdvantageGroup) => readonly (readonly number[])[],
): number[] {
  const group = {
    taskId: "task",
    members: members.map(({ rewards_T, outcome, actions_T, observations_T }, trial) => ({
      trial,
      turnRewards_T: rewards_T,
      outcome,
      isTruncated: false,
      actions_T,
      observations_T,
    })),
  };
  const advantages_GT = advantagesOf(group);
  const gradient_D = zerosLike(members);
  for (const [i, member] of members.entries()) accumulate(gradient_D, member, advantages_GT[i] ?? [], 1 / members.length);
  return gradient_D;
}

function* unorderedGroups(
  trajectories: readonly EnumeratedTrajectory[],
  groupSize: number,
  first = 0,
  members: readonly EnumeratedTrajectory[] = [],
  probability = 1,
): Generator<{ readonly members: readonly EnumeratedTrajectory[]; readonly probability: number }> {
  const open = groupSize - members.length;
  if (open === 0) {
    yield { members, probability };
    return;
  }
  const trajectory = trajectories[first];
  if (trajectory === undefined) return;
  let [weight, chosen] = [probability, [...members]];
  for (let count = 0; count <= open; count += 1) {
    yield* unorderedGroups(trajectories, groupSize, first + 1, chosen, weight);
    chosen = [...chosen, trajectory];
    weight *= (trajectory.probability * (open - count)) / (count + 1);
  }
}

function accumulate(gradient_D: number[], { scores_TD }: EnumeratedTrajectory, credit_T: readonly number[], weight: number): void {
  for (const [k, score_D] of scores_TD.entries())
    for (const [d, score] of score_D.entries()) gradient_D[d] = (gradient_D[d] ?? 0) + weight * (credit_T[k] ?? 0) * score;
}

function zerosLike(trajectories: readonly EnumeratedTrajectory[]): number[] {
  return new Array<number>(trajectories[0]?.scores_TD[0]?.length ?? 0).fill(0);
}

export function dot(a_D: readonly number[], b_D: readonly number[]): number {
  return a_D.reduce((sum, value, d) => sum + value * (b_D[d] ?? 0), 0);
}
