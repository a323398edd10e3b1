// Multi-turn GRPO that sees what going on earns and costs: who has stopped is charged the mean of the turns that it did not take.
// Dimensions: G = member of a group, T = turn (ragged), counted 0..K-1; L = the most turns of the group.
import { type Estimator, type SettingsOf, unlessRaw } from "./estimator.ts";
import type { PreparedGroup } from "./groups.ts";
import { outcomeAdvantages } from "./grpo.ts";
import { centered, type Normalization, type SetCounts, zScores } from "./normalization.ts";
import { plusOutcome } from "./objectives.ts";
import { turnReturns } from "./returns.ts";

interface ChargedMtGrpoOptions extends Normalization {
  /** Discount of later turn rewards. */
  readonly alpha: number;
  /** Weight of the outcome advantage. */
  readonly lambda: number;
  /** False: rewards and outcomes are only centred. The expected gradient is then (G - 1) / G of that of the discounted return. */
  readonly normalizeByStd: boolean;
}

/**
 * A[i,k] = sum over l = k..L-1 of alpha^(l-k) A^I[i,l], plus lambda * A^O[i].
 *
 * In this order: r[i,l] = 0 for l >= K_i; A^I[i,l] = r[i,l] minus the mean of r[.,l] over all members of the group, for every l < L;
 * each member's sum runs to L-1, past its own end. So a stop at turn k is charged the mean of every later turn that others took, and
 * what is taken off at a decision never depends on the decision. In mt-grpo/1 the sum ends at K_i - 1, and how many means are taken off
 * is the policy's choice. With normalizeByStd, A^I and A^O are z-scores, as published: every index then counts the same, however small
 * its rewards, so that a price of 0.05 outweighs the outcome (docs/estimators.md).
 *
 * result   advantages_GT, in units of the rewards. Padded to L turns, A^I sums to 0 over the group at every index. With normalizeByStd
 *          and alpha 1, equal to mt-grpo/1 when all members have the same number of turns
 * source   ours, versioned; what it mends: verl-project/verl#7244, on the form of arXiv:2604.02869, Eq. 1
 */
function chargedMtGrpoAdvantages(group: PreparedGroup, options: ChargedMtGrpoOptions, counts: SetCounts): number[][] {
  const immediate_LG = paddedImmediate(group, options, counts);
  const outcome_G = outcomeAdvantages(group, options, counts, options.normalizeByStd);
  return group.members.map((member, i) => {
    const toGo_L = new Array<number>(immediate_LG.length).fill(0);
    let later = 0;
    for (let l = immediate_LG.length - 1; l >= 0; l -= 1) {
      later = (immediate_LG[l]?.[i] ?? 0) + options.alpha * later;
      toGo_L[l] = later;
    }
    return member.rewards_T.map((_, k) => (toGo_L[k] ?? 0) + options.lambda * (outcome_G[i] ?? 0));
  });
}

/** Turn rewards of each index over all members, those that stopped before it with 0. */
function paddedImmediate(group: PreparedGroup, options: ChargedMtGrpoOptions, counts: SetCounts): number[][] {
  const scores = options.normalizeByStd ? zScores : centered;
  const numTurns = group.members.reduce((most, member) => Math.max(most, member.rewards_T.length), 0);
  return Array.from({ length: numTurns }, (_, turn) =>
    scores(
      group.members.map((member) => member.rewards_T[turn] ?? 0),
      options,
      counts,
    ),
  );
}

export const chargedMtGrpo: Estimator<SettingsOf<"mt-grpo/2">> = {
  id: "mt-grpo/2",
  needs: ["turn-rewards"],
  promises: ({ normalizeByStd, singletons }) =>
    unlessRaw(singletons, { zeroSum: "first-turn", scale: normalizeByStd ? "invariant" : "proportional" }),
  objective: ({ alpha, lambda }) =>
    plusOutcome(lambda, ({ rewards_T }) => turnReturns(rewards_T, 0, { gamma: alpha, terminal: "virtual" })),
  estimate: (groups, settings, counts) => groups.map((group) => chargedMtGrpoAdvantages(group, settings, counts)),
};
