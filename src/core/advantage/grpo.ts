// Dimensions: G = member of a group (trajectories of one task), T = turn (ragged).
import { type Estimator, type SettingsOf, unlessRaw } from "./estimator.ts";
import type { PreparedGroup } from "./groups.ts";
import { centered, type Normalization, type SetCounts, zScores } from "./normalization.ts";
import { outcomeCredit } from "./objectives.ts";

/**
 * Outcome advantages of a group, one per member.
 *
 * result   advantages_G; their sum is 0
 * source   arXiv:2402.03300 (GRPO) as in verl; `normalizeByStd: false` is Dr. GRPO, arXiv:2503.20783
 */
export function outcomeAdvantages(group: PreparedGroup, options: Normalization, counts: SetCounts, normalizeByStd = true): number[] {
  const outcomes_G = group.members.map((member) => member.outcome);
  return normalizeByStd ? zScores(outcomes_G, options, counts) : centered(outcomes_G, options, counts);
}

/** The outcome advantage of a member on each of its turns. */
function grpoAdvantages(group: PreparedGroup, config: Normalization & { readonly normalizeByStd: boolean }, counts: SetCounts): number[][] {
  const outcome_G = outcomeAdvantages(group, config, counts, config.normalizeByStd);
  return group.members.map((member, i) => member.rewards_T.map(() => outcome_G[i] ?? 0));
}

export const grpo: Estimator<SettingsOf<"grpo/1">> = {
  id: "grpo/1",
  needs: [],
  promises: ({ normalizeByStd, singletons }) =>
    unlessRaw(singletons, { zeroSum: "first-turn", scale: normalizeByStd ? "invariant" : "proportional" }),
  objective: () => outcomeCredit,
  estimate: (groups, settings, counts) => groups.map((group) => grpoAdvantages(group, settings, counts)),
};
