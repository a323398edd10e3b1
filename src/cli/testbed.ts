// The testbed of the calibration gate, as commands run it: progress while it works, a table at the end.
import type { TestbedCell, TestbedReport } from "#contracts/testbed-report.ts";
import { runTestbedCase, type TestbedCase, type TestbedOptions } from "#core/calibration/testbed.ts";
import { wilsonInterval } from "#core/statistics/wilson.ts";
import { type Column, formatInterval, renderTable } from "./output.ts";
import { style } from "./style.ts";

/** Sizes of the published table: rollouts per buffer. */
export const TESTBED_SIZES = [100, 200, 500, 1000, 2000, 5000];

/** Both rules, with and without effects, over all sizes. */
export function runTestbed(sizes: readonly number[], options: TestbedOptions): TestbedReport {
  const cases: TestbedCase[] = (["within-task", "algorithm-1"] as const).flatMap((rule) =>
    (["planted", "null"] as const).flatMap((world) => sizes.map((numRollouts) => ({ rule, world, numRollouts }))),
  );
  const cells = cases.map((one, index) =>
    runTestbedCase(one, options, (numDone) => showProgress(one, index, cases.length, numDone, options.numSeeds)),
  );
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  const { seed, resamples, folds } = options;
  return { schemaVersion: 1, seed, resamples, folds, cells };
}

function showProgress(one: TestbedCase, index: number, numCases: number, numDone: number, numSeeds: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(
    `\r\u001b[Kcase ${index + 1} of ${numCases}: ${one.rule}, ${one.world}, ${one.numRollouts} rollouts, ${numDone} of ${numSeeds} buffers`,
  );
}

export function renderTestbed({ cells }: TestbedReport): string {
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
