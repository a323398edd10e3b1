// Evaluation of a policy on tasks that it was not trained on: pass^k, and how it differs from others. methods.md 11.1, 13.8.
import type { Estimate, EvaluationReport } from "#contracts/evaluation-report.ts";
import { shareInterval, totalsByCluster } from "../statistics/cluster-mean.ts";
import { type ComparisonOptions, comparePolicies, type OtherPolicy } from "./compare-policies.ts";
import { passHatK } from "./pass-hat-k.ts";
import { canonicalResults, numPasses, passRate, type TaskResult } from "./task-result.ts";

export interface EvaluationInput extends ComparisonOptions {
  readonly purpose: EvaluationReport["purpose"];
  readonly policyHash: string;
  readonly results: readonly TaskResult[];
  readonly comparisons: readonly OtherPolicy[];
  readonly doNothingFloor: number | null;
  readonly stopReasons: Readonly<Record<string, number>>;
}

/**
 * The report of one policy. Intervals are over clusters, the unit that was drawn. Independent of the order of results.
 * Throws contract.invalid without tasks, without trials, or when a task appears twice.
 */
export function evaluate(input: EvaluationInput): EvaluationReport {
  const results = canonicalResults(input.results);
  const trials = Math.min(...results.map((result) => result.passes.length));
  return {
    schemaVersion: 2,
    purpose: input.purpose,
    method: "clusters/1",
    policyHash: input.policyHash,
    numTasks: results.length,
    numClusters: new Set(results.map(({ cluster }) => cluster)).size,
    trials,
    confidence: input.confidence,
    passHatK: Array.from({ length: trials }, (_, i) => ({ k: i + 1, estimate: passHatKOf(results, i + 1, input.confidence) })),
    doNothingFloor: input.doNothingFloor,
    comparisons: comparePolicies(results, input.comparisons, input),
    perTask: results.map((result) => ({
      taskId: result.taskId,
      cluster: result.cluster,
      kind: result.kind,
      numPasses: numPasses(result),
      trials: result.passes.length,
    })),
    perKind: ratesByKind(results),
    stopReasons: { ...input.stopReasons },
  };
}

function passHatKOf(results: readonly TaskResult[], k: number, confidence: number): Estimate {
  const values = results.map((result) => ({ cluster: result.cluster, value: passHatK(numPasses(result), result.passes.length, k) }));
  const numRollouts = results.reduce((total, { passes }) => total + passes.length, 0);
  return shareInterval(totalsByCluster(values), numRollouts, confidence);
}

function ratesByKind(results: readonly TaskResult[]): { kind: string; numTasks: number; passRate: number }[] {
  const kinds = [...new Set(results.map((result) => result.kind))].sort();
  return kinds.map((kind) => {
    const members = results.filter((result) => result.kind === kind);
    return { kind, numTasks: members.length, passRate: members.reduce((total, result) => total + passRate(result), 0) / members.length };
  });
}
