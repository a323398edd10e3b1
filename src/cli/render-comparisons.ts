// The one table of paired comparisons: what differs, how sure that is, and what could have been seen.
import type { PolicyComparison } from "#contracts/evaluation-report.ts";
import { formatDifference, formatPercent, formatPoints, formatPValue } from "#core/format.ts";
import { type Column, renderTable } from "./output.ts";
import { style } from "./style.ts";

const COLUMNS: readonly Column<PolicyComparison>[] = [
  { header: "against", value: ({ against }) => against },
  { header: "difference", align: "right", value: ({ difference }) => style.bold(formatDifference(difference)) },
  { header: "p", align: "right", value: ({ pValue }) => formatPValue(pValue) },
  { header: "p (Holm)", align: "right", value: ({ pHolm }) => formatPValue(pHolm) },
  { header: "seen with 80 % power", align: "right", value: ({ detectableDifference }) => formatPoints(detectableDifference) },
  { header: "tasks", align: "right", value: ({ numTasks }) => String(numTasks) },
  { header: "clusters", align: "right", value: ({ numClusters }) => String(numClusters) },
  { header: "better / worse", align: "right", value: ({ numTasksBetter, numTasksWorse }) => `${numTasksBetter} / ${numTasksWorse}` },
];

export function renderComparisons(comparisons: readonly PolicyComparison[], doNothingFloor: number | null): string {
  return [renderTable(COLUMNS, comparisons), style.dim(`doing nothing passes ${formatPercent(doNothingFloor)} of these tasks`)].join("\n");
}
