// turnwise testbed: how often the calibration gate is right, on buffers whose truth is known.
import type { Command } from "commander";
import { z } from "zod";
import type { TestbedCell, TestbedReport } from "#contracts/testbed-report.ts";
import { runTestbedCase, type TestbedCase } from "#core/calibration/testbed.ts";
import { CampaignError } from "#core/errors.ts";
import { wilsonInterval } from "#core/statistics/wilson.ts";
import { type Column, emit, formatInterval, type OutputOptions, renderTable, style } from "../output.ts";

const Options = z.object({
  seeds: z.coerce.number().int().positive(),
  sizes: z
    .string()
    .transform((text) => text.split(",").map(Number))
    .pipe(z.array(z.int().min(8)).min(1)),
  resamples: z.coerce.number().int().min(100),
  folds: z.coerce.number().int().min(1).max(50),
  seed: z.string(),
});

export function registerTestbed(program: Command): void {
  program
    .command("testbed")
    .option("--seeds <count>", "buffers of each kind", "500")
    .option("--sizes <counts>", "rollouts per buffer, comma-separated", "100,200,500,1000,2000,5000")
    .option("--resamples <count>", "bootstrap resamples of tasks", "500")
    .option("--folds <count>", "1: one split into fitting and judging tasks; more: cross-fitting", "1")
    .option("--seed <text>", "seed of everything", "0")
    .option("--json", "counts as JSON (TestbedReport)")
    .description("error rates of the calibration gate on simulated buffers with a useful, a harmful, a neutral and a confounded tier")
    .action(run);
}

function run(options: unknown): void {
  const parsed = Options.safeParse(options);
  if (!parsed.success) throw new CampaignError("config.invalid", z.prettifyError(parsed.error), { next: "turnwise testbed --help" });
  const { seeds, sizes, resamples, folds, seed } = parsed.data;
  const cases: TestbedCase[] = (["within-task", "algorithm-1"] as const).flatMap((rule) =>
    (["planted", "null"] as const).flatMap((world) => sizes.map((numRollouts) => ({ rule, world, numRollouts }))),
  );
  const cells = cases.map((one, index) =>
    runTestbedCase(one, { numSeeds: seeds, resamples, folds, seed }, (numDone) => showProgress(one, index, cases.length, numDone, seeds)),
  );
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  const report: TestbedReport = { schemaVersion: 1, seed, resamples, folds, cells };
  emit(report, options as OutputOptions, render);
}

function showProgress(one: TestbedCase, index: number, numCases: number, numDone: number, numSeeds: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(
    `\r\u001b[Kcase ${index + 1} of ${numCases}: ${one.rule}, ${one.world}, ${one.numRollouts} rollouts, ${numDone} of ${numSeeds} buffers`,
  );
}

function render({ cells }: TestbedReport): string {
  const share = (pick: (cell: TestbedCell) => number) => (cell: TestbedCell) =>
    formatInterval(wilsonInterval(pick(cell), cell.numSeeds, 0.95));
  const columns: Column<TestbedCell>[] = [
    { header: "rule", value: ({ rule }) => rule },
    { header: "rollouts", align: "right", value: ({ numRollouts }) => String(numRollouts) },
    { header: "accept, right", align: "right", value: share(({ acceptRight }) => acceptRight) },
    { header: "false accept", align: "right", value: share(({ acceptWrong }) => acceptWrong) },
    { header: "false reject", align: "right", value: share(({ rejectRight }) => rejectRight) },
    { header: "insufficient", align: "right", value: share((cell) => cell.insufficientRight + cell.insufficientWrong) },
    { header: "table wrong", align: "right", value: share((cell) => cell.acceptWrong + cell.rejectWrong + cell.insufficientWrong) },
  ];
  const table = (world: TestbedCell["world"]) =>
    renderTable(
      columns,
      cells.filter((cell) => cell.world === world),
    );
  return [
    style.bold("one tier helps, one hurts, one does nothing, one only marks hard tasks"),
    table("planted"),
    "",
    style.bold("no tier does anything: no table is right"),
    table("null"),
    "",
    style.dim("shares of buffers with 95 % Wilson intervals; groups of 8, one user per task"),
  ].join("\n");
}
