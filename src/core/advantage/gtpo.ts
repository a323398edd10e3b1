// Turn-level returns, normalised. Dimensions: P = task, G = member of a group, T = turn (ragged), counted 0..K-1.
import type { PreparedGroup, PreparedMember } from "./groups.ts";
import { type Normalization, type SetCounts, sliceLike, type TurnNormalization, zScoresByTurn, zScoresTogether } from "./normalization.ts";

export interface GtpoOptions extends TurnNormalization {
  readonly gamma: number;
  /** Where the outcome sits: one step after the last turn (arXiv:2604.02869, Eq. 2), or on it (arXiv:2511.14846). */
  readonly terminal: "virtual" | "last";
  /** The set that a return is compared with: same turn of the group, all turns of the group, all turns of all groups. */
  readonly scope: "turn" | "group" | "batch";
}

/** Discounted return from each turn: G[k] = r[k] + gamma * G[k+1], with the outcome at G[K] or on the last turn. */
export function turnReturns(rewards_T: readonly number[], outcome: number, options: Pick<GtpoOptions, "gamma" | "terminal">): number[] {
  const returns_T = new Array<number>(rewards_T.length).fill(0);
  let next = options.terminal === "virtual" ? outcome : 0;
  for (let k = rewards_T.length - 1; k >= 0; k -= 1) {
    const isOutcomeTurn = options.terminal === "last" && k === rewards_T.length - 1;
    next = (rewards_T[k] ?? 0) + options.gamma * next + (isOutcomeTurn ? outcome : 0);
    returns_T[k] = next;
  }
  return returns_T;
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
