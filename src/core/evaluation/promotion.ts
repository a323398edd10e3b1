// Which policy training goes on from. Every decision is against the best policy so far: docs/decisions/2026-11-30-best-so-far.md. Campaigns
// of 0.1.0 go on with the rules of that release, which end in /1.
import type { SelectionConfig } from "#contracts/campaign-config.ts";
import type { Estimate, EvaluationReport } from "#contracts/evaluation-report.ts";

export interface PromotionRule {
  readonly promote: SelectionConfig["promote"];
  /** Share of tasks, as 0.02: what a promoted policy may at most be worse than the best one. */
  readonly margin: number;
}

/** The policy that a rule compares a candidate with: the best so far, or the one promoted last. */
export function comparesWith({ promote }: Pick<PromotionRule, "promote">): "best" | "promoted" {
  return promote === "better/1" || promote === "not-worse/1" ? "promoted" : "best";
}

/**
 * Whether a candidate is promoted, by the interval of its paired difference to the policy that the rule compares with (null: there is none yet).
 * `better`: all of it is above 0. `not-worse`: all of it is above minus the margin. What has no interval proves neither.
 * `not-worse/1`: the difference itself is not below minus the margin.
 */
export function decidePromotion(difference: Estimate | null, { promote, margin }: PromotionRule): "promote" | "keep" {
  if (difference === null || promote === "always") return "promote";
  if (promote === "not-worse/1") return difference.value >= -margin ? "promote" : "keep";
  const bound = promote === "not-worse" ? -margin : 0;
  return difference.low !== null && difference.low > bound ? "promote" : "keep";
}

/** The difference that decides, in a report: that to the best policy so far, or under the rules of 0.1.0 to the one promoted last. */
export function decidingDifference({ comparisons }: EvaluationReport): Estimate | null {
  const by = (name: string) => comparisons.find(({ against }) => against === name)?.difference;
  return by("best") ?? by("promoted") ?? null;
}

/** A promoted policy and what it passed in selection. */
export interface MeasuredPolicy {
  readonly passRate: number;
}

/** The best so far after a candidate was promoted: the higher pass rate in selection, the earlier one where they are equal. */
export function nextBest<Policy extends MeasuredPolicy>(best: Policy | null, candidate: Policy): Policy {
  return best === null || candidate.passRate > best.passRate ? candidate : best;
}
