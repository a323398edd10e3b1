// Turn-level returns, normalised. Dimensions: P = task, G = member of a group, T = turn (ragged), counted 0..K-1.
import { type Estimator, type EstimatorPromises, type SettingsOf, unlessRaw } from "./estimator.ts";
import type { PreparedGroup, PreparedMember } from "./groups.ts";
import { type Normalization, type SetCounts, sliceLike, type TurnNormalization, zScoresByTurn, zScoresTogether } from "./normalization.ts";
import { type ReturnOptions, turnReturns } from "./returns.ts";

export interface GtpoOptions extends TurnNormalization, ReturnOptions {
  /** The set that a return is compared with: same turn of the group, all turns of the group, all turns of all groups. */
  readonly scope: "turn" | "group" | "batch";
}

/**
 * Normalised turn returns of all groups.
 *
 * result   advantages_PGT; with scope "turn" they sum to 0 over the members that reached a turn
 * source   arXiv:2604.02869, Eq. 2 with lambda 0; arXiv:2511.14846, Eq. 6 and 7. The scope is not stated there: methods.md 13.2
 */
export function gtpoAdvantages(groups: readonly PreparedGroup[], options: GtpoOptions, counts: SetCounts): number[][][] {
  const returns_PGT = groups.map((group) => group.members.map((member) => memberReturns(member, options)));
  if (options.scope === "turn") return returns_PGT.map((returns_GT) => zScoresByTurn(returns_GT, options, counts));
  if (options.scope === "group") return returns_PGT.map((returns_GT) => withinGroup(returns_GT, options, counts));
  return sliceLike(zScoresTogether(returns_PGT.flat(), options, counts), returns_PGT);
}

/** A lone rollout has nobody to be compared with, although its turns could be compared with each other. */
function withinGroup(returns_GT: number[][], options: Normalization, counts: SetCounts): number[][] {
  if (returns_GT.length === 1 && options.singletons === "zero") return returns_GT.map((returns_T) => returns_T.map(() => 0));
  return zScoresTogether(returns_GT, options, counts);
}

function memberReturns(member: PreparedMember, options: GtpoOptions): number[] {
  return turnReturns(member.rewards_T, member.outcome, options);
}

/** Returns are centred among those that reached a turn; other scopes, and turns that nobody took, leave a remainder. */
export function gtpoPromises({ scope, missingTurns, singletons }: SettingsOf<"gtpo/1" | "gtpo-hybrid/1">): EstimatorPromises {
  const isCentred = scope === "turn" && missingTurns === "leave-out";
  return unlessRaw(singletons, { zeroSum: isCentred ? "every-turn" : null, scale: "invariant" });
}

export const gtpo: Estimator<SettingsOf<"gtpo/1">> = {
  id: "gtpo/1",
  needs: ["turn-rewards"],
  promises: gtpoPromises,
  objective:
    (settings) =>
    ({ rewards_T, outcome }) =>
      turnReturns(rewards_T, outcome, settings),
  estimate: (groups, settings, counts) => gtpoAdvantages(groups, settings, counts),
};
