// turnwise advantages FILE…: turn rewards, returns and advantages of rollouts that are already there, for any trainer.
import type { Command } from "commander";
import { computeAdvantages, computeAdvantagesByPolicy } from "#application/rollouts/compute-advantages.ts";
import type { AdvantagesReport } from "#contracts/advantages-report.ts";
import { formatNumber, formatPercent } from "#core/format.ts";
import { describeReading } from "#core/reading/describe-reading.ts";
import { describeDoubt } from "#core/reward/label-rollout.ts";
import { emit, type OutputOptions, renderPairs, renderTable } from "../output.ts";
import { renderByPolicy } from "../render-by-policy.ts";
import { addRolloutFileOptions, type RolloutFileOptions } from "../rollout-file-options.ts";

export function registerAdvantages(program: Command): void {
  addRolloutFileOptions(program.command("advantages"))
    .option("--json", "every turn, as JSON (AdvantagesReport; with --by AdvantagesByPolicy)")
    .action(run);
}

async function run(paths: string[], options: RolloutFileOptions & OutputOptions): Promise<void> {
  if (options.by === undefined) emit(await computeAdvantages(paths, options), options, render);
  else {
    const report = await computeAdvantagesByPolicy(paths, options);
    emit(report, options, () => renderByPolicy(report, (one) => `${render(one)}\n`));
  }
}

function render(report: AdvantagesReport): string {
  const { diagnostics, rollouts } = report;
  const rows = [
    ...Map.groupBy(
      rollouts.flatMap(({ turns }) => turns),
      ({ tier }) => tier,
    ),
  ].sort(([, a], [, b]) => b.length - a.length);
  const mean = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;
  const table = renderTable(
    [
      { header: "tier", value: ([tier]: (typeof rows)[number]) => tier },
      { header: "turns", align: "right", value: ([, turns]) => String(turns.length) },
      { header: "mean reward", align: "right", value: ([, turns]) => formatNumber(mean(turns.map(({ reward }) => reward))) },
      { header: "mean advantage", align: "right", value: ([, turns]) => formatNumber(mean(turns.map(({ advantage }) => advantage))) },
      {
        header: "advantage > 0",
        align: "right",
        value: ([, turns]) => formatPercent(mean(turns.map(({ advantage }) => (advantage > 0 ? 1 : 0)))),
      },
    ],
    rows,
  );
  return [
    renderPairs([
      ["estimator", diagnostics.estimator],
      ["rewards", `${report.rewardTable.name} ${report.rewardTable.sha256.slice(0, 12)}`],
      ["groups", `${diagnostics.numGroups}, of these ${diagnostics.numDegenerateGroups} with equal outcomes`],
      ...(report.reading === undefined ? [] : describeReading(report.reading)),
      ["dead turns", `${diagnostics.numDeadTurns} of ${diagnostics.numTurns}`],
    ]),
    ...(report.numDoubtfulCalls === 0 ? [] : ["", describeDoubt(report.numDoubtfulCalls)]),
    "",
    table,
    "",
    "--json prints the reward, return and advantage of every turn",
  ].join("\n");
}
