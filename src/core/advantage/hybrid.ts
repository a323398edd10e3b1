// Dimensions: P = task, G = member of a group, T = turn (ragged).
import type { Estimator, SettingsOf } from "./estimator.ts";
import type { PreparedGroup } from "./groups.ts";
import { outcomeAdvantages } from "./grpo.ts";
import { type GtpoOptions, gtpoAdvantages, gtpoPromises } from "./gtpo.ts";
import type { SetCounts } from "./normalization.ts";
import { plusOutcome } from "./objectives.ts";
import { turnReturns } from "./returns.ts";

interface HybridOptions extends GtpoOptions {
  /** Weight of the outcome advantage; 0 leaves GTPO. */
  readonly lambda: number;
}

/**
 * Normalised turn returns plus lambda times the outcome advantage.
 *
 * result   advantages_PGT, unitless
 * source   arXiv:2604.02869, Eq. 2 (gamma 0.9, lambda 0.3)
 */
function hybridAdvantages(groups: readonly PreparedGroup[], options: HybridOptions, counts: SetCounts): number[][][] {
  const process_PGT = gtpoAdvantages(groups, options, counts);
  return groups.map((group, p) => {
    const outcome_G = outcomeAdvantages(group, options, counts);
    return (process_PGT[p] ?? []).map((process_T, i) => process_T.map((value) => value + options.lambda * (outcome_G[i] ?? 0)));
  });
}

export const hybrid: Estimator<SettingsOf<"gtpo-hybrid/1">> = {
  id: "gtpo-hybrid/1",
  needs: ["turn-rewards"],
  promises: (settings) => {
    const { zeroSum, scale } = gtpoPromises(settings);
    return { zeroSum: zeroSum === null ? null : "first-turn", scale };
  },
  objective: (settings) => plusOutcome(settings.lambda, ({ rewards_T, outcome }) => turnReturns(rewards_T, outcome, settings)),
  estimate: (groups, settings, counts) => hybridAdvantages(groups, settings, counts),
};
