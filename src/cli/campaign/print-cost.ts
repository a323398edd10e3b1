// What a campaign took, by party, beside what was planned and allowed; and who steered it.

import type { CampaignSummary, CostFigures } from "#application/campaign/summary.ts";
import type { BudgetConfig } from "#contracts/campaign-config.ts";
import { type Meter, Party } from "#contracts/meters.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { addMeters, totalMeter } from "#core/campaign/meters.ts";
import { formatDuration, formatNumber, formatTime, formatUsd } from "#core/format.ts";
import { plainText } from "#core/text.ts";
import { type Column, printLine, renderPairs, renderTable } from "../output.ts";
import { style } from "../style.ts";

type Row = { readonly name: string; readonly meter: Meter };

const COLUMNS: readonly Column<Row>[] = [
  { header: "cost", value: ({ name }) => name },
  { header: "calls", align: "right", value: ({ meter }) => formatNumber(meter.calls) },
  { header: "prompt tokens", align: "right", value: ({ meter }) => formatNumber(meter.promptTokens) },
  { header: "completion tokens", align: "right", value: ({ meter }) => formatNumber(meter.completionTokens) },
  { header: "USD", align: "right", value: ({ meter }) => formatUsd(meter.usd) },
  { header: "GPU time", align: "right", value: ({ meter }) => formatDuration(meter.gpuSeconds) },
];

/** Meters by party, then time, budget and estimate. */
export function printCost(summary: CampaignSummary): void {
  const { inheritedMeters, pendingMeters } = summary;
  const isAtWork = pendingMeters !== null && isBusy(totalMeter(pendingMeters));
  const meters = usedMeters(summary);
  const busy = Party.options.filter((party) => isBusy(meters[party]));
  const rows: Row[] = [
    ...busy.map((name) => ({ name, meter: meters[name] })),
    { name: "all", meter: totalMeter(meters) },
    ...(inheritedMeters === null ? [] : [{ name: "inherited", meter: totalMeter(inheritedMeters) }]),
  ];
  printLine("");
  printLine(renderTable(COLUMNS, rows));
  if (isAtWork) printLine(style.dim(`${totalMeter(pendingMeters).calls} calls of it in the stage that is at work`));
  if (summary.isOfRelease010) printLine(style.dim("release 0.1.0 counted the calls of the policy alone, and knew no prices"));
  const pairs = [...runningPairs(summary), ...budgetPairs(summary), ...estimatePairs(summary)];
  if (pairs.length > 0) printLine(renderPairs(pairs));
}

/** Committed, and of the stage at work where that was looked at: what a budget counts. */
const usedMeters = ({ meters, pendingMeters }: CampaignSummary) => (pendingMeters === null ? meters : addMeters(meters, pendingMeters));

const isBusy = (meter: Meter) => Object.values(meter).some((amount) => amount !== 0);

function runningPairs({ runningSeconds }: CampaignSummary): [string, string][] {
  return runningSeconds === null ? [] : [["running time", `${formatDuration(runningSeconds)} in committed iterations, pauses left out`]];
}

/** What is used of each limit; what a fork inherits its parent has paid for. */
function budgetPairs(summary: CampaignSummary): [string, string][] {
  const { budget, runningSeconds } = summary;
  const { calls, usd } = totalMeter(usedMeters(summary));
  const used = limitTexts(budget, { calls, usd, hours: (runningSeconds ?? 0) / 3600 });
  return used.length === 0 ? [] : [["budget", used.join(", ")]];
}

function limitTexts({ maxModelCalls, maxUsd, maxHours }: BudgetConfig, used: { calls: number; usd: number; hours: number }): string[] {
  return [
    ...(maxUsd === undefined ? [] : [`${formatUsd(used.usd)} of ${formatUsd(maxUsd)} USD`]),
    ...(maxModelCalls === undefined ? [] : [`${used.calls} of ${maxModelCalls} calls`]),
    ...(maxHours === undefined ? [] : [`${formatNumber(used.hours, 3)} of ${maxHours} hours`]),
  ];
}

function estimatePairs({ estimate, actual }: CampaignSummary): [string, string][] {
  if (estimate === null) return [];
  return [
    ["planned", `${describeCost(estimate)}, from ${estimate.basis}`],
    ["taken", describeCost(actual)],
  ];
}

function describeCost({ rollouts, policyCalls, userCalls, usd }: CostFigures): string {
  return `${rollouts} rollouts, ${policyCalls} policy calls, ${userCalls} user calls, ${formatUsd(usd)} USD`;
}

const LAST_WORDS = 6;

/** The last words that steered the campaign. */
export function printSteering({ steering, campaignId }: CampaignSummary): void {
  if (steering.length === 0) return;
  const columns: Column<SteeringWord>[] = [
    { header: "steering", value: ({ at }) => formatTime(at) },
    { header: "iteration", align: "right", value: ({ iteration }) => String(iteration) },
    { header: "word", value: describeWord },
    { header: "by", value: ({ by, who }) => (by === "person" ? plainText(who) : `${by} ${plainText(who)}`) },
    { header: "why", value: ({ why }) => (why === "" ? "–" : plainText(why)) },
  ];
  printLine("");
  printLine(renderTable(columns, steering.slice(-LAST_WORDS)));
  if (steering.length > LAST_WORDS)
    printLine(
      style.dim(
        `${steering.length - LAST_WORDS} earlier words: turnwise query "SELECT * FROM steering WHERE campaign_id = '${campaignId}'"`,
      ),
    );
}

function describeWord(said: SteeringWord): string {
  switch (said.word) {
    case "stop":
      return said.withTest ? "stop, with its test" : "stop";
    case "budget":
      return `budget ${Object.entries(said.budget)
        .map(([name, value]) => `${name} ${value}`)
        .join(", ")}`;
    case "approve":
    case "reject":
      return `${said.word} table ${said.table.slice(0, 12)}`;
    default:
      return said.word;
  }
}
