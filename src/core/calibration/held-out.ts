// How reward tables fare on tasks that they were not fitted on, over many random splits: rules against each other, and against tables
// that are not fitted at all.
import type { AdvantageConfig } from "#contracts/advantage-config.ts";
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { HeldOutRow } from "#contracts/paper-tables.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { shuffled } from "../random.ts";
import type { LabelledRollout } from "../reward/label-rollout.ts";
import { tierScheme } from "../reward/tiers.ts";
import { deriveSeed } from "../rng.ts";
import type { ClusterSums } from "../statistics/bootstrap.ts";
import { groupByTask, type TaskRollouts } from "./buffer.ts";
import { type Deed, deedLayout, deedsOf } from "./deeds.ts";
import { fitTable } from "./fit-table.ts";
import { createStatistics, pooledCorrelation, statisticsIndex, type TableStatistic, withinTaskCorrelation } from "./statistics.ts";
import { selectRows, sumRows, TIER, taskSums, tierOffset } from "./task-sums.ts";
import { turnAdvantages } from "./turn-advantages.ts";

/** A way to get a table: a hand-set one as it is, or a rule that revalues it on the fitting tasks. The rule is the bare one: no intervals, one round. */
export interface HeldOutMethod {
  readonly name: string;
  readonly prior: RewardTable;
  readonly rule: CalibrationConfig["rule"] | null;
  readonly rollouts: readonly LabelledRollout[];
}

export interface HeldOutOptions {
  readonly numSplits: number;
  readonly numJudges: number;
  readonly seed: string;
  readonly config: CalibrationConfig;
  readonly advantage: AdvantageConfig;
}

const MEASURED = [
  "discriminativeAccuracy",
  "rewardOutcomePooled",
  "rewardOutcomeWithinTask",
  "advantageCorrelation",
  "estimatorMismatches",
] as const satisfies readonly TableStatistic[];
type Measured = Record<(typeof MEASURED)[number], number>;

/** Means over splits; splits in which a statistic is not defined are left out of its mean. All methods see the same splits. */
export function compareHeldOut(methods: readonly HeldOutMethod[], options: HeldOutOptions): HeldOutRow[] {
  return methods.map((method) => {
    const tasks = groupByTask(method.rollouts);
    const sums = taskSums(tasks, deedLayout(deedsFor(method)));
    const found = Array.from({ length: options.numSplits }, (_, split) => {
      const order = shuffled(
        tasks.map((_, position) => position),
        deriveSeed(options.seed, "held-out", split),
      );
      const judges = new Set(order.slice(0, options.numJudges));
      const table = tableOf(
        method,
        selectRows(sums, (row) => !judges.has(row)),
        options.config,
      );
      return measure(
        tasks.filter((_, position) => judges.has(position)),
        table,
        options.advantage,
      );
    });
    return summarize(method, found);
  });
}

function summarize({ name, prior }: HeldOutMethod, found: readonly Measured[]): HeldOutRow {
  const accuracy = defined(found, "discriminativeAccuracy");
  return {
    name,
    scheme: prior.scheme,
    discriminativeAccuracy: mean(accuracy),
    discriminativeAccuracyError: standardError(accuracy),
    rewardOutcomePooled: mean(defined(found, "rewardOutcomePooled")),
    rewardOutcomeWithinTask: mean(defined(found, "rewardOutcomeWithinTask")),
    advantageCorrelation: mean(defined(found, "advantageCorrelation")),
    numWithoutMismatch: found.filter((one) => one.estimatorMismatches === 0).length,
    numSplits: found.length,
  };
}

function deedsFor({ prior, rule }: HeldOutMethod): Deed[] {
  const scheme = tierScheme(prior.scheme);
  return rule === null ? scheme.tiers.map((tier): Deed => [tier]) : deedsOf(scheme, prior, rule);
}

function tableOf(method: HeldOutMethod, sums: ClusterSums, config: CalibrationConfig): RewardTable {
  const { prior, rule } = method;
  if (rule === null) return prior;
  const scheme = tierScheme(prior.scheme);
  const totals = sumRows(sums);
  const evidence = deedsFor(method).map(([tier], position) => ({
    tier,
    pooled: definedOrNull(pooledCorrelation(totals, position)),
    withinTask: { value: definedOrNull(withinTaskCorrelation(totals, position)), low: null, high: null },
    support: totals[tierOffset(position) + TIER.support] ?? 0,
  }));
  const bare = { ...config, rule, requireCertainty: false };
  return fitTable({ scheme, evidence, authorTable: prior, inForceTable: prior, config: bare, iteration: 0, bufferSha256: prior.sha256 })
    .table;
}

function measure(tasks: readonly TaskRollouts[], table: RewardTable, advantage: AdvantageConfig): Measured {
  const layout = { tiers: tierScheme(table.scheme).tiers, tables: [table] };
  const index = statisticsIndex(layout);
  const out = new Float64Array(index.length);
  createStatistics(layout, () => true)(sumRows(taskSums(tasks, layout, [turnAdvantages(tasks, table, advantage)])), out);
  return Object.fromEntries(MEASURED.map((name) => [name, out[index.table(0, name)] ?? Number.NaN])) as Measured;
}

function defined(found: readonly Measured[], name: keyof Measured): number[] {
  return found.map((one) => one[name]).filter((value) => !Number.isNaN(value));
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0) / values.length;
}

function standardError(values: readonly number[]): number | null {
  const centre = mean(values);
  if (centre === null || values.length < 2) return null;
  return Math.sqrt(values.reduce((total, value) => total + (value - centre) ** 2, 0) / (values.length - 1) / values.length);
}

function definedOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
