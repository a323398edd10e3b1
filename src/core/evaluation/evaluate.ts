// Evaluation of a policy on held-out tasks: pass^k, paired differences on the same tasks, promotion. methods.md 11.1, 13.8.
import type { EvaluationConfig } from "#contracts/campaign-config.ts";
import type { EvaluationReport } from "#contracts/evaluation-report.ts";
import { CampaignError } from "../errors.ts";
import { deriveSeed, seedToInt } from "../rng.ts";
import { type BootstrapEstimate, type BootstrapOptions, bootstrap, type ClusterSums } from "../statistics/bootstrap.ts";
import { passHatK } from "./pass-hat-k.ts";

/** The trials of one task. */
export interface TaskResult {
  readonly taskId: string;
  readonly kind: string;
  readonly passes: readonly boolean[];
}

export interface EvaluationInput {
  readonly policyHash: string;
  readonly results: readonly TaskResult[];
  readonly comparisons: readonly {
    readonly against: "base" | "promoted";
    readonly policyHash: string;
    readonly results: readonly TaskResult[];
  }[];
  readonly confidence: number;
  readonly resamples: number;
  readonly seed: string;
  readonly doNothingFloor: number;
  readonly stopReasons: Readonly<Record<string, number>>;
}

/**
 * The report of one policy. Intervals are over tasks, the unit that was sampled; a comparison uses the tasks that both have.
 * Independent of the order of results. Throws contract.invalid without tasks, without trials, or when a task appears twice.
 */
export function evaluate(input: EvaluationInput): EvaluationReport {
  const results = canonicalResults(input.results);
  const trials = Math.min(...results.map((result) => result.passes.length));
  const options = { resamples: input.resamples, confidence: input.confidence, seed: input.seed };
  return {
    schemaVersion: 1,
    policyHash: input.policyHash,
    numTasks: results.length,
    trials,
    confidence: input.confidence,
    bootstrapResamples: input.resamples,
    seed: seedToInt(deriveSeed(input.seed)),
    passHatK: Array.from({ length: trials }, (_, i) => i + 1).map((k) => ({
      k,
      estimate: meanOverTasks(
        results.map((result) => passHatK(numPasses(result), result.passes.length, k)),
        options,
      ),
    })),
    doNothingFloor: input.doNothingFloor,
    comparisons: input.comparisons.map((other) => ({
      against: other.against,
      policyHash: other.policyHash,
      ...compare(results, canonicalResults(other.results), options),
    })),
    perTask: results.map((result) => ({
      taskId: result.taskId,
      kind: result.kind,
      numPasses: numPasses(result),
      trials: result.passes.length,
    })),
    perKind: ratesByKind(results),
    stopReasons: { ...input.stopReasons },
  };
}

/** Whether the evaluated policy replaces the promoted one. Without a policy to compare with there is nothing to lose: promote. */
export function decidePromotion(report: EvaluationReport, config: Pick<EvaluationConfig, "promote" | "margin">): "promote" | "keep" {
  const difference = (report.comparisons.find((one) => one.against === "promoted") ?? report.comparisons[0])?.difference;
  if (config.promote === "always" || difference === undefined) return "promote";
  if (config.promote === "better") return difference.low !== null && difference.low > 0 ? "promote" : "keep";
  return difference.value >= -config.margin ? "promote" : "keep";
}

function canonicalResults(results: readonly TaskResult[]): TaskResult[] {
  const sorted = [...results].sort((a, b) => (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0));
  const repeated = sorted.find((result, i) => result.taskId === sorted[i - 1]?.taskId);
  const problem =
    sorted.length === 0
      ? "no tasks"
      : repeated !== undefined
        ? `task ${repeated.taskId} twice`
        : sorted.some((result) => result.passes.length === 0)
          ? "a task without trials"
          : null;
  if (problem !== null) throw new CampaignError("contract.invalid", `an evaluation cannot be made from ${problem}`);
  return sorted;
}

function numPasses(result: TaskResult): number {
  return result.passes.filter(Boolean).length;
}

function passRate(result: TaskResult): number {
  return numPasses(result) / result.passes.length;
}

function compare(results: readonly TaskResult[], others: readonly TaskResult[], options: BootstrapOptions) {
  const rates = new Map(others.map((other) => [other.taskId, passRate(other)]));
  const differences = results.flatMap((result) => {
    const rate = rates.get(result.taskId);
    return rate === undefined ? [] : [passRate(result) - rate];
  });
  if (differences.length === 0) throw new CampaignError("contract.invalid", "the compared policies have no evaluation task in common");
  return {
    difference: meanOverTasks(differences, options),
    numTasksBetter: differences.filter((difference) => difference > 0).length,
    numTasksWorse: differences.filter((difference) => difference < 0).length,
  };
}

function meanOverTasks(values: readonly number[], options: BootstrapOptions): { value: number; low: number | null; high: number | null } {
  const sums: ClusterSums = { rows: Float64Array.from(values), numRows: values.length, width: 1 };
  const mean = (total: Float64Array, out: Float64Array) => {
    out[0] = (total[0] ?? 0) / values.length;
  };
  const [estimate] = bootstrap(sums, 1, mean, options) as [BootstrapEstimate];
  return { value: estimate.value ?? 0, low: estimate.low, high: estimate.high };
}

function ratesByKind(results: readonly TaskResult[]): { kind: string; numTasks: number; passRate: number }[] {
  const kinds = [...new Set(results.map((result) => result.kind))].sort();
  return kinds.map((kind) => {
    const members = results.filter((result) => result.kind === kind);
    return { kind, numTasks: members.length, passRate: members.reduce((total, result) => total + passRate(result), 0) / members.length };
  });
}
