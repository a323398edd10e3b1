// turnwise compare A B: two campaigns of the record beside each other.
import type { Command } from "commander";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { loadCampaign } from "#adapters/history/load.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { readSettings } from "#adapters/settings.ts";
import { comparePromoted, differingSettings, type PairedComparison, type SettingDifference } from "../campaign/compare-campaigns.ts";
import { type CampaignSummary, summarizeCampaign } from "../campaign/summary.ts";
import {
  type Column,
  emit,
  formatDifference,
  formatDuration,
  formatInterval,
  formatPercent,
  formatTime,
  type OutputOptions,
  renderTable,
} from "../output.ts";
import { renderComparisons } from "../render-comparisons.ts";
import { describeGates } from "./history.ts";

interface Comparison {
  readonly a: CampaignSummary;
  readonly b: CampaignSummary;
  readonly settings: readonly SettingDifference[];
  readonly promoted: PairedComparison;
}

export function registerCompare(program: Command): void {
  program
    .command("compare")
    .argument("<a>", "a campaign")
    .argument("<b>", "another one")
    .option("--json")
    .description("two campaigns beside each other: settings that differ, results, paired difference on common held-out tasks")
    .action(compare);
}

async function compare(idOfA: string, idOfB: string, options: OutputOptions): Promise<void> {
  const record = new CampaignRecord(new LocalArtifactStore(readSettings().recordRoot));
  const [a, b] = [await loadCampaign(record, idOfA), await loadCampaign(record, idOfB)];
  const comparison: Comparison = {
    a: await summarizeCampaign(record, idOfA),
    b: await summarizeCampaign(record, idOfB),
    settings: differingSettings(a, b),
    promoted: comparePromoted(a, b),
  };
  emit(comparison, options, renderComparison);
}

type Row = readonly [label: string, a: string, b: string];

function renderComparison({ a, b, settings, promoted }: Comparison): string {
  const columns: Column<Row>[] = [
    { header: "", value: ([label]) => label },
    { header: a.campaignId, value: ([, value]) => value },
    { header: b.campaignId, value: ([, , value]) => value },
  ];
  const results = RESULTS.map(([label, value]): Row => [label, value(a), value(b)]);
  const differences = settings.map(({ path, a: one, b: other }): Row => [path, describeSetting(one), describeSetting(other)]);
  const settingLines =
    differences.length === 0 ? ["their settings are the same"] : ["settings that differ", renderTable(columns, differences)];
  return [renderTable(columns, results), "", ...settingLines, "", describePaired(a, b, promoted)].join("\n");
}

const RESULTS: readonly (readonly [label: string, value: (summary: CampaignSummary) => string])[] = [
  ["state", ({ state }) => state],
  ["created", ({ createdAt }) => formatTime(createdAt)],
  ["wall time", ({ seconds }) => formatDuration(seconds)],
  ["code", ({ codeVersion }) => codeVersion],
  ["iterations", ({ iterations }) => String(iterations.filter(({ iteration, isComplete }) => isComplete && iteration > 0).length)],
  ["doing nothing passes", ({ doNothingFloor }) => formatPercent(doNothingFloor)],
  ["base policy", ({ basePassRate }) => formatInterval(basePassRate)],
  ["promoted policy", ({ finalPassRate }) => formatInterval(finalPassRate)],
  ["difference to base", ({ differenceToBase }) => formatDifference(differenceToBase)],
  ["gate", ({ iterations }) => describeGates(iterations.flatMap(({ gate }) => gate ?? []))],
];

function describeSetting(value: unknown): string {
  return value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);
}

function describePaired(a: CampaignSummary, b: CampaignSummary, { comparison, doNothingFloor, reason }: PairedComparison): string {
  if (comparison === null) return `their promoted policies cannot be compared: ${reason}`;
  return [`promoted policy of ${b.campaignId} minus that of ${a.campaignId}`, renderComparisons([comparison], doNothingFloor)].join("\n");
}
