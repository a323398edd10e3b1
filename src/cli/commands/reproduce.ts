// turnwise reproduce FILE…: the tables that the calibration rests on, made anew from rollouts, e.g. the public gpt-4o ones.
import type { Command } from "commander";
import { type ReproduceRequest, reproduceTables } from "#application/testbeds/reproduce.ts";
import type { Finding, SplitStatistics } from "#contracts/calibration-report.ts";
import type { EstimatorRow, HeldOutRow, PaperTables } from "#contracts/paper-tables.ts";
import { formatDecimal, formatPercent } from "#core/format.ts";
import { describeReading } from "#core/reading/describe-reading.ts";
import { describeDoubt } from "#core/reward/label-rollout.ts";
import { NUM_BUFFERS, RESAMPLES, wholeNumberOption } from "../number-options.ts";
import { type Column, emit, type OutputOptions, renderPairs, renderTable } from "../output.ts";
import { clearProgress } from "../progress-line.ts";
import { style } from "../style.ts";
import { renderTestbed, showGateProgress } from "../testbed.ts";

export function registerReproduce(program: Command): void {
  program
    .command("reproduce")
    .argument("<file...>", "rollouts, e.g. historical_trajectories/gpt-4o-airline.json of tau-bench")
    .addOption(wholeNumberOption("--resamples <count>", "bootstrap resamples of tasks", { ...RESAMPLES, default: 10_000 }))
    .addOption(wholeNumberOption("--splits <count>", "random splits into fitting and judging tasks", { min: 2, max: 10_000, default: 200 }))
    .option("--seed <text>", "seed of resamples and splits", "0")
    .addOption(
      wholeNumberOption(
        "--testbed <count>",
        "also the gate's error rates over so many simulated buffers of each kind; 500: about half an hour",
        NUM_BUFFERS,
      ),
    )
    .option("--json", "as JSON (PaperTables)")
    .action(run);
}

async function run(paths: string[], options: ReproduceRequest & OutputOptions): Promise<void> {
  const tables = await reproduceTables(paths, options, showGateProgress);
  clearProgress();
  emit(tables, options, render);
}

function render({ reading, numDoubtfulCalls, paperTiers, finerTiers, estimators, handSet, heldOut, testbed }: PaperTables): string {
  const { numTasks, numRollouts, numTurns, numPasses, numPairs, numMixedTasks } = paperTiers;
  return [
    ...(reading === undefined ? [] : [renderPairs(describeReading(reading)), ""]),
    `${numRollouts} rollouts of ${numTasks} tasks, ${numTurns} turns, ${numPasses} passes, ${numPairs} pass/fail pairs in ${numMixedTasks} mixed tasks`,
    ...(numDoubtfulCalls === 0 ? [] : [describeDoubt(numDoubtfulCalls)]),
    style.bold("\nthe published tiers and the outcome"),
    tierTable(paperTiers),
    style.bold("\nfiner tiers and the outcome"),
    tierTable(finerTiers),
    style.bold("\nestimators"),
    renderTable<EstimatorRow>(
      [
        { header: "estimator", value: ({ name }) => name },
        { header: "rewards", value: ({ table }) => table },
        { header: "mismatched tiers", value: ({ mismatchedTiers }) => mismatchedTiers.join(", ") || "none" },
        { header: "corr(A, outcome)", align: "right", value: ({ advantageOutcome }) => number(advantageOutcome) },
        { header: "dead turns", align: "right", value: ({ deadTurns }) => formatPercent(deadTurns) },
        { header: "wrong-sign turns", align: "right", value: ({ turnMisalignment }) => formatPercent(turnMisalignment) },
      ],
      estimators,
    ),
    style.bold("\nhand-set tables, all pairs"),
    renderTable<PaperTables["handSet"][number]>(
      [
        { header: "table", value: ({ name }) => name },
        { header: "discriminative accuracy", align: "right", value: (row) => number(row.discriminativeAccuracy) },
        { header: "corr(reward, outcome) within task", align: "right", value: (row) => number(row.rewardOutcomeWithinTask) },
      ],
      handSet,
    ),
    style.bold(`\nheld-out tasks, means over ${heldOut[0]?.numSplits ?? 0} splits`),
    renderTable<HeldOutRow>(
      [
        { header: "table", value: ({ name }) => name },
        {
          header: "discriminative accuracy",
          align: "right",
          value: (row) => `${number(row.discriminativeAccuracy)} ± ${number(row.discriminativeAccuracyError ?? 0)}`,
        },
        { header: "corr(reward, outcome)", align: "right", value: (row) => number(row.rewardOutcomePooled) },
        { header: "within task", align: "right", value: (row) => number(row.rewardOutcomeWithinTask) },
        { header: "advantage correlation", align: "right", value: (row) => number(row.advantageCorrelation) },
        { header: "no mismatch", align: "right", value: (row) => `${row.numWithoutMismatch}/${row.numSplits}` },
      ],
      heldOut,
    ),
    ...testbed.flatMap((report) => [
      style.bold(`\nthe gate on simulated buffers, ${report.folds === 1 ? "one split" : `${report.folds} folds`}`),
      renderTestbed(report),
    ]),
  ].join("\n");
}

function tierTable({ tiers }: SplitStatistics): string {
  const columns: Column<SplitStatistics["tiers"][number]>[] = [
    { header: "tier", value: ({ tier }) => tier },
    { header: "turns", align: "right", value: ({ numTurns }) => String(numTurns) },
    { header: "rollouts", align: "right", value: ({ numRollouts }) => String(numRollouts) },
    { header: "P(pass | turn)", align: "right", value: ({ passRateGivenTurn }) => number(passRateGivenTurn) },
    { header: "pooled", align: "right", value: ({ pooled }) => finding(pooled) },
    { header: "within task", align: "right", value: ({ withinTask }) => finding(withinTask) },
    { header: "support", align: "right", value: ({ support }) => String(support) },
  ];
  return renderTable(
    columns,
    tiers.filter(({ numTurns }) => numTurns > 0),
  );
}

function finding({ value, low, high }: Finding): string {
  return value === null || low === null || high === null
    ? number(value)
    : `${number(value)} [${formatDecimal(low, 2)}, ${formatDecimal(high, 2)}]`;
}

function number(value: number | null): string {
  return formatDecimal(value, 3);
}
