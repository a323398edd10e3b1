// Credit for code that comes near to what works: a failed rollout's outcome from the likeness of its program to those that passed.
// Dimensions: G = member of a group.
import { CampaignError } from "../../errors.ts";
import { sortedMean } from "../sorted-sum.ts";

export interface ShapedMember {
  readonly trial: number;
  /** In [0, 1]. */
  readonly outcome: number;
  readonly passed: boolean;
}
/** How alike the programs of a failed and a passing member are, by their positions in the group. A cosine: in [-1, 1]. */
export type ProgramSimilarity = (failed: number, passing: number) => number;

/**
 * Outcomes of one group, shaped: o_i = alpha / |P| * sum over p in P of cos(code_i, code_p) for a member that failed, P being those that
 * passed.
 *
 * result   shaped_G. Passing members keep their outcome, and everybody does where nobody or everybody passed. What a failed member earned
 *          before is never taken away: an outcome is raised to the formula's value or stays
 * throws   contract.invalid for an alpha or an outcome outside [0, 1]; provider.invalid-response for a similarity that is none
 * source   arXiv:2511.14846 (GTPO), there with alpha 0.5 and outcomes of 0 and 1
 */
export function shapeOutcomes(members_G: readonly ShapedMember[], similarity: ProgramSimilarity, alpha: number): number[] {
  checkUnit(alpha, "alpha");
  for (const { trial, outcome } of members_G) checkUnit(outcome, `trial ${trial}: the outcome`);
  const passing = members_G.flatMap(({ passed }, position) => (passed ? [position] : []));
  return members_G.map(({ outcome, passed }, position) => {
    if (passed || passing.length === 0) return outcome;
    const likeness = sortedMean(passing.map((other) => checkedCosine(similarity(position, other))));
    return Math.max(outcome, alpha * likeness);
  });
}

function checkUnit(value: number, what: string): void {
  if (value >= 0 && value <= 1) return;
  throw new CampaignError("contract.invalid", `${what} is ${value}, expected a number from 0 to 1`);
}

/** Cosines of rounded vectors may be a little more than 1. */
function checkedCosine(value: number): number {
  if (Math.abs(value) <= 1 + 1e-6) return Math.min(1, value);
  throw new CampaignError("provider.invalid-response", `the similarity of two programs is ${value}, expected a cosine from -1 to 1`);
}
