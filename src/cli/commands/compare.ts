// turnwise compare A B: two campaigns of the record beside each other.
import type { Command } from "commander";
import { type CampaignComparison, compareById } from "#application/campaign/compare.ts";
import type { PairedComparison } from "#application/campaign/compare-campaigns.ts";
import { type CampaignSummary, passHat1, usdOf } from "#application/campaign/summary.ts";
import { formatDifference, formatDuration, formatInterval, formatPercent, formatPValue, formatTime, formatUsd } from "#core/format.ts";
import { describeTasks } from "../campaign/print-result.ts";
import { type Column, emit, type OutputOptions, renderTable } from "../output.ts";
import { renderComparisons } from "../render-comparisons.ts";
import { describeGates } from "./history.ts";

export function registerCompare(program: Command): void {
  program.command("compare").argument("<a>", "a campaign").argument("<b>", "another one").option("--json").action(compare);
}

async function compare(idOfA: string, idOfB: string, options: OutputOptions): Promise<void> {
  emit(await compareById(idOfA, idOfB), options, renderComparison);
}

type Row = readonly [label: string, a: string, b: string];

function renderComparison({ a, b, settings, final }: CampaignComparison): string {
  const columns: Column<Row>[] = [
    { header: "", value: ([label]) => label },
    { header: a.campaignId, value: ([, value]) => value },
    { header: b.campaignId, value: ([, , value]) => value },
  ];
  const results = RESULTS.map(([label, value]): Row => [label, value(a), value(b)]);
  const differences = settings.map(({ path, a: one, b: other }): Row => [path, describeSetting(one), describeSetting(other)]);
  const settingLines =
    differences.length === 0 ? ["their settings are the same"] : ["settings that differ", renderTable(columns, differences)];
  return [renderTable(columns, results), "", ...settingLines, "", describePaired(a, b, final)].join("\n");
}

const RESULTS: readonly (readonly [label: string, value: (summary: CampaignSummary) => string])[] = [
  ["state", ({ state }) => state],
  ["created", ({ createdAt }) => formatTime(createdAt)],
  ["wall time", ({ seconds }) => formatDuration(seconds)],
  ["USD", (summary) => formatUsd(usdOf(summary))],
  ["code", ({ codeVersion }) => codeVersion],
  ["iterations", ({ iterations }) => String(iterations.filter(({ iteration, isComplete }) => isComplete && iteration > 0).length)],
  ["gate", ({ iterations }) => describeGates(iterations)],
  ["test", ({ test }) => (test === null ? "none" : describeTasks(test))],
  ["  doing nothing passes", ({ test }) => formatPercent(test?.doNothingFloor)],
  ["  base policy", ({ test }) => formatInterval(passHat1(test?.base))],
  ["  final policy", ({ test }) => formatInterval(passHat1(test?.final))],
  ["  final minus base", ({ test }) => formatDifference(test?.comparison?.difference)],
  ["  p", ({ test }) => formatPValue(test?.comparison?.pValue)],
  ["selection, which chose", ({ selection }) => (selection === null ? "none" : describeTasks(selection))],
  ["  base policy", ({ selectionBase }) => formatInterval(selectionBase)],
  ["  final policy", ({ selectionFinal }) => formatInterval(selectionFinal)],
];

function describeSetting(value: unknown): string {
  return value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);
}

function describePaired(a: CampaignSummary, b: CampaignSummary, final: PairedComparison): string {
  if (final.comparison === null) return `their final policies cannot be compared: ${final.reason}`;
  const figures = final.purpose === "test" ? "test figures" : "selection figures, which chose the policies: each is flattered by it";
  return [
    `final policy of ${b.campaignId} minus that of ${a.campaignId} (${figures})`,
    renderComparisons([final.comparison], final.doNothingFloor),
  ].join("\n");
}
