// Which policy training goes on from. Every decision is against the best policy so far: docs/decisions/2026-11-30-best-so-far.md.
import type { Estimate, EvaluationReport } from "#contracts/evaluation-report.ts";

export interface PromotionRule {
  readonly promote: "better" | "not-worse" | "always";
  /** Share of tasks, as 0.02: what a promoted policy may at most be worse than the best one. */
  readonly margin: number;
}

/**
 * Whether a candidate is promoted, by the interval of its paired difference to the best policy so far (null: there is none yet).
 * `better`: all of it is above 0. `not-worse`: all of it is above minus the margin. What has no interval proves neither.
 */
export function decidePromotion(toBest: Estimate | null, { promote, margin }: PromotionRule): "promote" | "keep" {
  if (toBest === null || promote === "always") return "promote";
  const bound = promote === "better" ? 0 : -margin;
  return toBest.low !== null && toBest.low > bound ? "promote" : "keep";
}

/** The difference that decides. Reports of 0.1.0 compared with the policy promoted last. */
export function differenceToBest({ comparisons }: EvaluationReport): Estimate | null {
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
