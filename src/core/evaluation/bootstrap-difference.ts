// The interval that 0.1.0 decided by: campaigns of that release go on with it.
import type { Estimate } from "#contracts/evaluation-report.ts";
import { type BootstrapOptions, bootstrap } from "../statistics/bootstrap.ts";
import { canonicalResults, passRate, type TaskResult } from "./task-result.ts";

/** The policy minus another one, paired by task over the tasks that both have, bounded by drawing tasks. Independent of the order of results. */
export function bootstrapDifference(results: readonly TaskResult[], others: readonly TaskResult[], options: BootstrapOptions): Estimate {
  const rates = new Map(canonicalResults(others).map((other) => [other.taskId, passRate(other)]));
  const differences = canonicalResults(results).flatMap((result) => {
    const rate = rates.get(result.taskId);
    return rate === undefined ? [] : [passRate(result) - rate];
  });
  const sums = { rows: Float64Array.from(differences), numRows: differences.length, width: 1 };
  const mean = (total: Float64Array, out: Float64Array) => {
    out[0] = (total[0] ?? 0) / differences.length;
  };
  const [estimate] = bootstrap(sums, 1, mean, options);
  return { value: estimate?.value ?? 0, low: estimate?.low ?? null, high: estimate?.high ?? null };
}
