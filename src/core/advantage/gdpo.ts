// Dimensions: P = task, G = member of a group, T = turn (ragged).
import { type Estimator, type SettingsOf, unlessRaw } from "./estimator.ts";
import type { PreparedGroup } from "./groups.ts";
import { outcomeAdvantages } from "./grpo.ts";
import { type Normalization, type SetCounts, sliceLike, zScores } from "./normalization.ts";
import { sortedSum } from "./sorted-sum.ts";

interface GdpoOptions extends Normalization {
  readonly processWeight: number;
  readonly outcomeWeight: number;
  /** Normalise the weighted sum over all trajectories of the batch. */
  readonly whiten: boolean;
}

/**
 * The sum of turn rewards and the outcome, each normalised in its group before they are added, so that neither drowns the other.
 * One advantage per trajectory, on all its turns.
 *
 * result   advantages_PGT, unitless
 * source   arXiv:2601.05242 (GDPO), with turn rewards and outcome as its two rewards; whitening over trajectories
 */
function gdpoAdvantages(groups: readonly PreparedGroup[], options: GdpoOptions, counts: SetCounts): number[][][] {
  const sums_PG = groups.map((group) => {
    const process_G = zScores(
      group.members.map((member) => sortedSum(member.rewards_T)),
      options,
      counts,
    );
    const outcome_G = outcomeAdvantages(group, options, counts);
    return process_G.map((process, i) => options.processWeight * process + options.outcomeWeight * (outcome_G[i] ?? 0));
  });
  const advantages_PG = options.whiten ? sliceLike(zScores(sums_PG.flat(), options, counts), sums_PG) : sums_PG;
  return groups.map((group, p) => group.members.map((member, i) => member.rewards_T.map(() => advantages_PG[p]?.[i] ?? 0)));
}

export const gdpo: Estimator<SettingsOf<"gdpo/1">> = {
  id: "gdpo/1",
  needs: ["turn-rewards"],
  promises: ({ singletons }) => unlessRaw(singletons, { zeroSum: "first-turn", scale: "invariant" }),
  objective:
    ({ processWeight, outcomeWeight }) =>
    ({ rewards_T, outcome }) => {
      const sum = rewards_T.reduce((total, reward) => total + reward, 0);
      return rewards_T.map(() => processWeight * sum + outcomeWeight * outcome);
    },
  estimate: (groups, settings, counts) => gdpoAdvantages(groups, settings, counts),
};
