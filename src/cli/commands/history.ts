// turnwise history [ID]: campaigns beside each other, or one campaign iteration by iteration. Reads the record only; needs no server.
import type { Command } from "commander";
import { summarizeAll, summarizeById, type UnreadableCampaign } from "#application/campaign/history.ts";
import { type CampaignSummary, gateWord, passHat1, usdOf } from "#application/campaign/summary.ts";
import { formatDifference, formatDuration, formatInterval, formatPercent, formatPValue, formatTime, formatUsd } from "#core/format.ts";
import { printSummary } from "../campaign/print-summary.ts";
import { type Column, emit, type OutputOptions, renderTable } from "../output.ts";
import { style } from "../style.ts";

export function registerHistory(program: Command): void {
  program.command("history").argument("[id]", "one campaign, iteration by iteration").option("--json").action(history);
}

async function history(id: string | undefined, options: OutputOptions): Promise<void> {
  if (id === undefined) return emit(await summarizeAll(), options, renderHistory);
  const summary = await summarizeById(id);
  if (options.json === true) emit(summary, options, String);
  else printSummary(summary);
}

const COLUMNS: readonly Column<CampaignSummary>[] = [
  { header: "campaign", value: ({ campaignId }) => campaignId },
  { header: "state", value: ({ state }) => state },
  {
    header: "iterations",
    align: "right",
    value: ({ iterations }) => String(iterations.filter(({ iteration, isComplete }) => isComplete && iteration > 0).length),
  },
  { header: "doing nothing", align: "right", value: ({ test }) => formatPercent(test?.doNothingFloor) },
  { header: "base, test", value: ({ test }) => formatInterval(passHat1(test?.base)) },
  { header: "final, test", value: ({ test }) => formatInterval(passHat1(test?.final)) },
  { header: "paired difference", value: ({ test }) => formatDifference(test?.comparison?.difference) },
  { header: "p", align: "right", value: ({ test }) => formatPValue(test?.comparison?.pValue) },
  { header: "USD", align: "right", value: (summary) => formatUsd(usdOf(summary)) },
  { header: "gate", value: ({ iterations }) => describeGates(iterations) },
  { header: "created", value: ({ createdAt }) => formatTime(createdAt) },
  { header: "wall time", align: "right", value: ({ state, seconds }) => formatDuration(state === "open" ? null : seconds) },
];

function renderHistory(campaigns: readonly (CampaignSummary | UnreadableCampaign)[]): string {
  if (campaigns.length === 0) return "no campaigns yet; start one: turnwise campaign start configs/campaigns/quickstart.yaml --watch";
  const readable = campaigns.flatMap((campaign) => ("problem" in campaign ? [] : [campaign]));
  const problems = campaigns.flatMap((campaign) =>
    "problem" in campaign ? [`${style.yellow(campaign.campaignId)} cannot be read: ${campaign.problem.message}`] : [],
  );
  return [
    renderTable(COLUMNS, readable),
    ...problems,
    ...untested(readable),
    style.dim(
      "pass rates on the test tasks, which nothing was decided by, with intervals over users; turnwise history ID, turnwise compare A B",
    ),
  ].join("\n");
}

/** Why campaigns have no result, one line for each reason. */
function untested(campaigns: readonly CampaignSummary[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { campaignId, noTestReason } of campaigns) {
    if (noTestReason !== null) byReason.set(noTestReason, [...(byReason.get(noTestReason) ?? []), campaignId]);
  }
  return [...byReason].map(([reason, ids]) => `no result of ${ids.join(", ")}: ${reason}`);
}

/** `2 accept, 1 reject`, in the order in which they first came. */
export function describeGates(iterations: CampaignSummary["iterations"]): string {
  const decisions = iterations.flatMap((iteration) => gateWord(iteration) ?? []);
  const counts = new Map<string, number>();
  for (const decision of decisions) counts.set(decision, (counts.get(decision) ?? 0) + 1);
  return counts.size === 0 ? "–" : [...counts].map(([decision, count]) => `${count} ${decision}`).join(", ");
}
