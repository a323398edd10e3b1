// Credit by comparing actions: did trajectories that acted alike fare alike, and what did the branch taken at a fork gain?
// Three channels per turn: the outcome against the group, the outcome against those that acted alike, the gain along a tree of turn
// prefixes. Dimensions: P = task, G = member of a group, T = turn (ragged).
import type { Estimator, SettingsOf } from "./estimator.ts";
import type { PreparedGroup } from "./groups.ts";
import { outcomeCredit } from "./objectives.ts";
import { median, sortedMean } from "./sorted-sum.ts";

interface A3Options {
  readonly intentWeight: number;
  readonly treeWeight: number;
  /** Rollouts that a branch is thought to have more than it has: few rollouts count little. */
  readonly supportPrior: number;
  readonly treeGamma: number;
  readonly minScale: number;
  /** No advantage is larger. */
  readonly bound: number;
}

/** How many actions up to a turn are compared; null: all of the trajectory. */
const SCOPES = [1, 2, 3, null] as const;
/** Makes the median absolute deviation comparable to a standard deviation. */
const MAD_TO_DEVIATION = 1.4826;
const NOTHING = 1e-9;
const SEPARATOR = "\u0000";

/**
 * A = bound * tanh((outcome/m_o + w_i intent/m_i + w_t tree/m_t) / bound), each channel divided by its mean absolute value over the batch.
 *
 * result   advantages_PGT in [-bound, bound]
 * source   after arXiv:2605.08013 (A^3) and its code. There, shell commands are clustered by the distance of their syntax trees and the
 *          intent channel takes a trajectory's first turn; here, tool calls are alike when their tools are, and each turn has its own
 */
function a3Advantages(groups: readonly PreparedGroup[], options: A3Options): number[][][] {
  const channels = groups.map((group) => {
    const actions_GT = group.members.map(({ actions_T }) => actions_T ?? []);
    return {
      outcome: outcomeChannel(group, options),
      intent: intentChannel(group, actions_GT, options),
      tree: treeChannel(group, actions_GT, options),
    };
  });
  const size = (name: "outcome" | "intent" | "tree") =>
    sortedMean(channels.flatMap((channel) => channel[name].flat()).map(Math.abs)) + NOTHING;
  const [outcomeSize, intentSize, treeSize] = [size("outcome"), size("intent"), size("tree")];
  return channels.map(({ outcome, intent, tree }) =>
    outcome.map((outcome_T, i) =>
      outcome_T.map((value, k) => {
        const sum =
          value / outcomeSize +
          (options.intentWeight * (intent[i]?.[k] ?? 0)) / intentSize +
          (options.treeWeight * (tree[i]?.[k] ?? 0)) / treeSize;
        return bounded(sum, options.bound);
      }),
    ),
  );
}

/** Outcome minus the group's median, over its median absolute deviation, bounded; on every turn. */
function outcomeChannel(group: PreparedGroup, { minScale }: A3Options): number[][] {
  const robust = robustScores(
    group.members.map((member) => member.outcome),
    minScale,
  );
  return group.members.map((member, i) => member.rewards_T.map(() => robust[i] ?? 0));
}

/** Outcome minus the mean outcome of the other members that acted alike up to the turn, averaged over scopes; 0 when nobody did. */
function intentChannel(group: PreparedGroup, actions_GT: readonly (readonly string[])[], { minScale }: A3Options): number[][] {
  const residuals_GT = actions_GT.map((actions_T, i) =>
    actions_T.map((_, k) => sortedMean(SCOPES.map((scope) => residual(group, actions_GT, i, k, scope)))),
  );
  const scores = robustScores(residuals_GT.flat(), minScale);
  let position = 0;
  return residuals_GT.map((residuals_T) => residuals_T.map(() => scores[position++] ?? 0));
}

function residual(group: PreparedGroup, actions_GT: readonly (readonly string[])[], i: number, k: number, scope: number | null): number {
  const own = snippet(actions_GT[i] ?? [], k, scope);
  const alike = group.members.filter(
    (_, j) => j !== i && k < (actions_GT[j]?.length ?? 0) && snippet(actions_GT[j] ?? [], k, scope) === own,
  );
  if (alike.length === 0) return 0;
  return (group.members[i]?.outcome ?? 0) - sortedMean(alike.map((member) => member.outcome));
}

function snippet(actions_T: readonly string[], k: number, scope: number | null): string {
  return (scope === null ? actions_T : actions_T.slice(Math.max(0, k + 1 - scope), k + 1)).join(SEPARATOR);
}

/** At a fork (same actions so far, different ones now) a branch gains its mean outcome minus the fork's; gains are discounted backwards. */
function treeChannel(group: PreparedGroup, actions_GT: readonly (readonly string[])[], { supportPrior, treeGamma }: A3Options): number[][] {
  return actions_GT.map((actions_T, i) => {
    const result_T = new Array<number>(actions_T.length).fill(0);
    let [gain, support] = [0, 0];
    for (let k = actions_T.length - 1; k >= 0; k -= 1) {
      const branch = branchGain(group, actions_GT, i, k, supportPrior);
      gain = branch.gain + treeGamma * gain;
      support = branch.support + treeGamma * support;
      result_T[k] = (support / (support + supportPrior)) * gain;
    }
    return result_T;
  });
}

function branchGain(group: PreparedGroup, actions_GT: readonly (readonly string[])[], i: number, k: number, supportPrior: number) {
  const [prefix, branch] = [snippet(actions_GT[i]?.slice(0, k) ?? [], k, null), actions_GT[i]?.[k]];
  const atFork = group.members.filter(
    (_, j) => k < (actions_GT[j]?.length ?? 0) && snippet(actions_GT[j]?.slice(0, k) ?? [], k, null) === prefix,
  );
  const onBranch = atFork.filter((member) => member.actions_T?.[k] === branch);
  if (onBranch.length === atFork.length) return { gain: 0, support: 0 };
  const shrink = onBranch.length / (onBranch.length + supportPrior);
  return {
    gain: shrink * (sortedMean(onBranch.map(({ outcome }) => outcome)) - sortedMean(atFork.map(({ outcome }) => outcome))),
    support: shrink,
  };
}

function robustScores(values: readonly number[], minScale: number): number[] {
  const centre = median(values);
  const scale = Math.max(MAD_TO_DEVIATION * median(values.map((value) => Math.abs(value - centre))), minScale);
  return values.map((value) => Math.tanh((value - centre) / scale));
}

function bounded(value: number, bound: number): number {
  return bound * Math.tanh(value / bound);
}

export const a3: Estimator<SettingsOf<"a3/1">> = {
  id: "a3/1",
  needs: ["actions"],
  promises: () => ({ zeroSum: null, scale: null }),
  objective: () => outcomeCredit,
  estimate: (groups, settings) => a3Advantages(groups, settings),
};
