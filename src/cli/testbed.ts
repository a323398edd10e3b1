// The testbed of the calibration gate as commands show it: progress while it works, a table at the end.
import type { GateProgress } from "#application/testbeds/gate.ts";
import type { TestbedCell, TestbedReport } from "#contracts/testbed-report.ts";
import { formatInterval } from "#core/format.ts";
import { wilsonInterval } from "#core/statistics/wilson.ts";
import { type Column, renderTable } from "./output.ts";
import { showProgress } from "./progress-line.ts";
import { style } from "./style.ts";

export function showGateProgress({ index, numCases, rule, world, numRollouts, numDone, numSeeds }: GateProgress): void {
  showProgress(`case ${index + 1} of ${numCases}: ${rule}, ${world}, ${numRollouts} rollouts, ${numDone} of ${numSeeds} buffers`);
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
