// A campaign as a person reads it: per iteration what was measured and decided, then what it cost, who steered it, and its result.

import {
  type CampaignSummary,
  gateWord,
  type IterationSummary,
  type MeasuredTasks,
  type TierChange,
} from "#application/campaign/summary.ts";
import type { GateRow } from "#contracts/calibration-report.ts";
import { IterationStageName } from "#contracts/manifests.ts";
import type { TierValue } from "#contracts/reward-table.ts";
import { nameRoles } from "#core/calibration/table-roles.ts";
import { formatDifference, formatDuration, formatInterval, formatNumber, formatPercent, formatTime } from "#core/format.ts";
import { type Column, printLine, renderPairs, renderTable } from "../output.ts";
import { style } from "../style.ts";
import { printCost, printSteering } from "./print-cost.ts";
import { describeIntervals, describeTasks, printResult, trainedIn } from "./print-result.ts";

function columnsOf({ hasSelection, iterations, state }: CampaignSummary): Column<IterationSummary>[] {
  const selected: Column<IterationSummary>[] = [
    { header: "selection pass rate", value: ({ selectionPassRate }) => formatInterval(selectionPassRate) },
    { header: "against base", value: ({ selectionAgainstBase }) => formatDifference(selectionAgainstBase) },
    {
      header: iterations.some(({ incumbent }) => incumbent === "promoted") ? "against last promoted" : "against best",
      value: ({ selectionAgainstIncumbent }) => formatDifference(selectionAgainstIncumbent),
    },
  ];
  const inherited: Column<IterationSummary> = { header: "of", value: ({ isInherited }) => (isInherited ? "parent" : "own") };
  return [
    { header: "iteration", align: "right", value: nameIteration },
    { header: "train pass rate", align: "right", value: ({ trainPassRate }) => formatPercent(trainPassRate) },
    { header: "by doing nothing", align: "right", value: ({ trainDoNothingFloor }) => formatPercent(trainDoNothingFloor) },
    { header: "mixed groups", align: "right", value: ({ mixedGroupShare }) => formatPercent(mixedGroupShare) },
    ...(hasSelection ? selected : []),
    { header: "gate", value: (iteration) => gateWord(iteration) ?? "–" },
    { header: "policy", value: ({ promotion, isComplete, iteration }) => describePromotion(promotion, isComplete, iteration, state) },
    ...(iterations.some(({ isInherited }) => isInherited) ? [inherited] : []),
  ];
}

const nameIteration = ({ iteration }: IterationSummary) => (iteration === 0 ? "base" : String(iteration));

function describePromotion(
  promotion: IterationSummary["promotion"],
  isComplete: boolean,
  iteration: number,
  state: CampaignSummary["state"],
): string {
  if (!isComplete) return state === "open" ? "at work" : "unfinished";
  if (iteration === 0) return "–";
  return promotion === "none" ? "not trained" : (promotion ?? "–");
}

export function printSummary(summary: CampaignSummary): void {
  const { iterations, selection } = summary;
  printLine(`${style.bold(summary.campaignId)}  ${style.dim(summary.description)}`);
  printLine(renderPairs(headPairs(summary)));
  if (iterations.length === 0) return;
  printLine("");
  printLine(renderTable(columnsOf(summary), iterations));
  if (selection !== null) printLine(style.dim(selectionNote(selection)));
  printLine("");
  for (const iteration of iterations.filter(({ tableChanges }) => tableChanges.length > 0)) {
    printLine(`reward table after iteration ${iteration.iteration}: ${iteration.tableChanges.map(describeChange).join(", ")}`);
  }
  for (const { iteration, undecided } of iterations) {
    if (undecided === null) continue;
    printLine(
      `reward table fitted in iteration ${iteration}, accepted by the gate, not decided: ${undecided.changes.map(describeChange).join(", ")}`,
    );
  }
  if (iterations.every(({ tableChanges, undecided }) => tableChanges.length === 0 && undecided === null))
    printLine("reward table: unchanged (the author's stays while the gate does not accept a fitted one)");
  const calibrated = iterations.filter(({ judged }) => judged.length > 0);
  if (calibrated.length > 0) printCalibration(calibrated);
  printLine("");
  printLine("wall time by stage");
  printLine(renderStageTimes(iterations));
  printCost(summary);
  printSteering(summary);
  printResult(summary);
}

function headPairs(summary: CampaignSummary): [string, string][] {
  const { parent } = summary;
  return [
    ["state", summary.reason === null ? summary.state : `${summary.state}: ${summary.reason}`],
    [
      "created",
      `${formatTime(summary.createdAt)}${summary.state === "open" ? "" : `, ${formatDuration(summary.seconds)} of wall time`}, code ${summary.codeVersion}`,
    ],
    ...(parent === null ? [] : [["forked from", `${parent.campaignId} after iteration ${parent.iteration}`] satisfies [string, string]]),
    [summary.state === "open" ? "policy now" : "final policy", `${summary.finalPolicy} (${trainedIn(summary)})`],
  ];
}

function selectionNote(selection: MeasuredTasks): string {
  return `selection: ${describeTasks(selection)}, the same tasks and seeds for every policy; doing nothing passes ${formatPercent(selection.doNothingFloor)}; ${describeIntervals(selection)}`;
}

/** The fitted table beside the author's and the one in force, on tasks that took no part in fitting, and what kept the gate from accepting. */
function printCalibration(iterations: readonly IterationSummary[]): void {
  const rows = iterations.flatMap(({ iteration, judged }) => judged.map((table) => ({ iteration, ...table })));
  const columns: Column<(typeof rows)[number]>[] = [
    { header: "iteration", align: "right", value: ({ iteration }) => String(iteration) },
    { header: "table", value: ({ roles }) => nameRoles(roles) },
    { header: "tells pass from fail", align: "right", value: ({ discriminativeAccuracy }) => formatPercent(discriminativeAccuracy) },
    {
      header: "reward-outcome correlation",
      align: "right",
      value: ({ rewardOutcomeWithinTask }) => formatNumber(rewardOutcomeWithinTask, 3),
    },
    { header: "turns pushed the wrong way", align: "right", value: ({ turnMisalignment }) => formatPercent(turnMisalignment) },
  ];
  printLine("");
  printLine("reward tables on the tasks that only judge");
  printLine(renderTable(columns, rows));
  for (const { iteration, gate, gateDoubts } of iterations) {
    if (gateDoubts.length > 0)
      printLine(style.dim(`gate of iteration ${iteration}: ${gate}, for ${gateDoubts.map(describeDoubt).join("; ")}`));
  }
}

function describeDoubt({ criterion, value, interval, relation, threshold, note }: GateRow): string {
  const range = interval === null ? "" : ` [${formatNumber(interval.low, 3)}, ${formatNumber(interval.high, 3)}]`;
  const wanted = interval === null || relation === "==" ? "wanted" : "wanted the whole interval";
  return `${criterion} ${formatNumber(value, 3)}${range}, ${wanted} ${relation} ${threshold}${note === null ? "" : ` (${note})`}`;
}

function describeChange({ tier, before, after }: TierChange): string {
  return `${tier} ${describeValue(before)} -> ${describeValue(after)}`;
}

function describeValue(value: TierValue | null): string {
  return value === null ? "none" : typeof value === "number" ? formatNumber(value, 3) : value;
}

function renderStageTimes(iterations: readonly IterationSummary[]): string {
  const stages = IterationStageName.options.filter((stage) => iterations.some(({ stageSeconds }) => stageSeconds[stage] !== undefined));
  const columns: Column<IterationSummary>[] = [
    { header: "iteration", align: "right", value: nameIteration },
    ...stages.map(
      (stage): Column<IterationSummary> => ({
        header: stage,
        align: "right",
        value: ({ stageSeconds }) => formatDuration(stageSeconds[stage]),
      }),
    ),
  ];
  return renderTable(columns, iterations);
}
