// Multi-turn GRPO: every turn's reward is normalised at its turn index, then summed over the turns that are left.
// Dimensions: G = member of a group, T = turn (ragged), counted 0..K-1.
import { type Estimator, type SettingsOf, unlessRaw } from "./estimator.ts";
import type { PreparedGroup } from "./groups.ts";
import { outcomeAdvantages } from "./grpo.ts";
import { type SetCounts, type TurnNormalization, zScoresByTurn } from "./normalization.ts";
import { turnReturns } from "./returns.ts";

interface MtGrpoOptions extends TurnNormalization {
  /** Discount of later turns. */
  readonly alpha: number;
  /** Weight of the outcome advantage. */
  readonly lambda: number;
  /** False: the last turn has no reward of its own and the outcome sits on it (exponent K-1-k), as in arXiv:2505.11821. */
  readonly lastTurnRewarded: boolean;
}

/** Immediate advantages A^I: the turn reward against the other members at the same turn index. arXiv:2604.02869, Eq. 1, second line. */
export function immediateAdvantages(group: PreparedGroup, options: TurnNormalization, counts: SetCounts): number[][] {
  return zScoresByTurn(
    group.members.map((member) => member.rewards_T),
    options,
    counts,
  );
}

/**
 * A[i,k] = sum over l >= k of alpha^(l-k) A^I[i,l], plus lambda * alpha^(K-k) A^O[i].
 *
 * A turn's mean is taken off those that took the turn and not off those that stopped before it, so what going on earns or costs on
 * average is not seen (verl-project/verl#7244; docs/estimators.md). Kept as published; mt-grpo/2 charges it to both.
 *
 * result   advantages_GT, unitless
 * source   arXiv:2604.02869, Eq. 1 (alpha 1); arXiv:2505.11821v2, Eq. 12 (alpha < 1, lastTurnRewarded false)
 */
function mtGrpoAdvantages(group: PreparedGroup, options: MtGrpoOptions, counts: SetCounts): number[][] {
  const immediate_GT = immediateAdvantages(group, options, counts);
  const outcome_G = outcomeAdvantages(group, options, counts);
  return immediate_GT.map((immediate_T, i) => accumulate(immediate_T, outcome_G[i] ?? 0, options));
}

function accumulate(immediate_T: readonly number[], outcome: number, options: MtGrpoOptions): number[] {
  const last = immediate_T.length - 1;
  const result_T = new Array<number>(immediate_T.length).fill(0);
  let later = 0;
  let outcomeShare = options.lastTurnRewarded ? options.lambda * options.alpha * outcome : options.lambda * outcome;
  for (let k = last; k >= 0; k -= 1) {
    const own = k === last && !options.lastTurnRewarded ? 0 : (immediate_T[k] ?? 0);
    later = own + options.alpha * later;
    result_T[k] = later + outcomeShare;
    outcomeShare *= options.alpha;
  }
  return result_T;
}

export const mtGrpo: Estimator<SettingsOf<"mt-grpo/1">> = {
  id: "mt-grpo/1",
  needs: ["turn-rewards"],
  promises: ({ alpha, lastTurnRewarded, missingTurns, singletons }) => {
    const isCentred = alpha === 1 && lastTurnRewarded && missingTurns === "leave-out";
    return unlessRaw(singletons, { zeroSum: isCentred ? "first-turn" : null, scale: "invariant" });
  },
  objective:
    ({ alpha, lambda, lastTurnRewarded }) =>
    ({ rewards_T, outcome }) =>
      turnReturns(lastTurnRewarded ? rewards_T : rewards_T.with(-1, 0), lambda * outcome, {
        gamma: alpha,
        terminal: lastTurnRewarded ? "virtual" : "last",
      }),
  estimate: (groups, settings, counts) => groups.map((group) => mtGrpoAdvantages(group, settings, counts)),
};
