// The testbed of the estimators, as the command prints it.
import type { EstimatorTestbedReport } from "#contracts/estimator-testbed-report.ts";
import { agreementTable, noiseTable, problemTable, summaryTable, type TextTable } from "#core/advantage/testbed/tables.ts";
import { renderTable } from "./output.ts";
import { style } from "./style.ts";

export function renderEstimatorTestbed(report: EstimatorTestbedReport): string {
  const largest = Math.max(...report.groupSizes);
  const tables = [
    problemTable(report),
    ...report.groupSizes.map((groupSize) => agreementTable(report, "return", groupSize)),
    agreementTable(report, "outcome", largest),
    agreementTable(report, "claimed", largest),
    noiseTable(report, largest),
    summaryTable(report),
  ];
  return [
    ...tables.map((table) => `${style.bold(table.title)}\n${renderText(table)}\n`),
    ...report.skipped.map(({ problem, groupSize, numGroups }) =>
      style.dim(`${problem} in groups of ${groupSize} left out: ${numGroups} groups to walk`),
    ),
    style.dim("exact: every group of a problem is walked with its probability. blind: no gradient where there is something to learn;"),
    style.dim("invents: a gradient where there is nothing. Groups of equal outcomes are kept unless said otherwise. docs/estimators.md"),
  ].join("\n");
}

function renderText({ header, rows }: TextTable): string {
  return renderTable(
    header.map((name, position) => ({
      header: name,
      value: (row: readonly string[]) => row[position] ?? "",
    })),
    rows,
  );
}
