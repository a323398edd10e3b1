// One policy against others on the same tasks: the comparison that selection, the test, `compare` and studies print. docs/statistics.md.
import type { PolicyComparison } from "#contracts/evaluation-report.ts";
import { CampaignError } from "../errors.ts";
import { deriveSeed } from "../rng.ts";
import { detectableDifference, differenceInterval, totalsByCluster } from "../statistics/cluster-mean.ts";
import { holmAdjusted } from "../statistics/holm.ts";
import { signFlipPValue } from "../statistics/sign-flip.ts";
import { canonicalResults, numPasses, type TaskResult } from "./task-result.ts";

export interface OtherPolicy {
  /** What the table calls it: base, best, a campaign, an arm. */
  readonly against: string;
  readonly policyHash: string;
  readonly results: readonly TaskResult[];
}

export interface ComparisonOptions {
  readonly confidence: number;
  /** Of sign flips, where they are too many to be counted exactly. */
  readonly seed: string;
}

/** The chance of finding the detectable difference. */
const POWER = 0.8;

/**
 * The policy minus each other one, paired by task over the tasks that both have, tested and bounded over clusters. The others are one
 * table: their p-values are Holm's over all of them. Independent of the order of results.
 * Throws contract.invalid when two policies have no task in common, or put a task into different clusters.
 */
export function comparePolicies(
  results: readonly TaskResult[],
  others: readonly OtherPolicy[],
  options: ComparisonOptions,
): PolicyComparison[] {
  const own = canonicalResults(results);
  const comparisons = others.map(({ against, policyHash, results: theirs }) => ({
    against,
    policyHash,
    ...compareTwo(own, canonicalResults(theirs), { ...options, seed: deriveSeed(options.seed, against) }),
  }));
  const adjusted = holmAdjusted(comparisons.map(({ pValue }) => pValue));
  return comparisons.map((comparison, index) => ({ ...comparison, pHolm: adjusted[index] ?? 1 }));
}

function compareTwo(own: readonly TaskResult[], theirs: readonly TaskResult[], { confidence, seed }: ComparisonOptions) {
  const { differences, unit, step } = pairedDifferences(own, theirs);
  const inUnits = totalsByCluster(differences);
  const totals = { ...inUnits, sums: inUnits.sums.map((sum) => sum / unit) };
  return {
    difference: differenceInterval(totals, step, confidence),
    pValue: signFlipPValue(inUnits.sums, seed),
    detectableDifference: detectableDifference(totals, step, confidence, POWER),
    numClusters: totals.sums.length,
    numTasks: differences.length,
    numTasksBetter: differences.filter(({ value }) => value > 0).length,
    numTasksWorse: differences.filter(({ value }) => value < 0).length,
  };
}

/** Differences of pass rates as whole multiples of 1 / unit, so that equal differences are equal. `step`: one trial of one task. */
function pairedDifferences(own: readonly TaskResult[], theirs: readonly TaskResult[]) {
  const byTask = new Map(theirs.map((result) => [result.taskId, result]));
  const pairs = own.flatMap((result) => {
    const other = byTask.get(result.taskId);
    return other === undefined ? [] : [[result, other] as const];
  });
  if (pairs.length === 0) throw new CampaignError("contract.invalid", "the compared policies have no task in common");
  const moved = pairs.find(([one, other]) => one.cluster !== other.cluster);
  if (moved !== undefined)
    throw new CampaignError(
      "contract.invalid",
      `task ${moved[0].taskId} is of two clusters: ${moved.map((one) => one.cluster).join(", ")}`,
    );
  const trials = pairs.flat().map(({ passes }) => passes.length);
  const unit = [...new Set(trials)].reduce(leastCommonMultiple, 1);
  const share = (result: TaskResult) => (numPasses(result) * unit) / result.passes.length;
  return {
    differences: pairs.map(([one, other]) => ({ cluster: one.cluster, value: share(one) - share(other) })),
    unit,
    step: 1 / Math.min(...trials),
  };
}

function leastCommonMultiple(a: number, b: number): number {
  return (a / greatestCommonDivisor(a, b)) * b;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
