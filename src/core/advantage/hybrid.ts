// Dimensions: P = task, G = member of a group, T = turn (ragged).
import type { PreparedGroup } from "./groups.ts";
import { outcomeAdvantages } from "./grpo.ts";
import { type GtpoOptions, gtpoAdvantages } from "./gtpo.ts";
import type { SetCounts } from "./normalization.ts";

export interface HybridOptions extends GtpoOptions {
  /** Weight of the outcome advantage; 0 leaves GTPO. */
  readonly lambda: number;
}

/**
 * Normalised turn returns plus lambda times the outcome advantage.
 *
 * result   advantages_PGT, unitless
 * source   arXiv:2604.02869, Eq. 2 (gamma 0.9, lambda 0.3)
 */
export function hybridAdvantages(groups: readonly PreparedGroup[], options: HybridOptions, counts: SetCounts): number[][][] {
  const process_PGT = gtpoAdvantages(groups, options, counts);
  return groups.map((group, p) => {
    const outcome_G = outcomeAdvantages(group, options, counts);
    return (process_PGT[p] ?? []).map((process_T, i) => process_T.map((value) => value + options.lambda * (outcome_G[i] ?? 0)));
  });
}
