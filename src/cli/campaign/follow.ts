// Follows a campaign for a person, and prints where it ended.
import { followCampaign } from "#application/campaign/follow-campaign.ts";
import type { ShownCampaign } from "#application/campaign/show-campaigns.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { CampaignError, ERROR_CODES } from "#core/errors.ts";
import { exitCodeOf } from "../failure.ts";
import { interruptSignal, onInterruptSay } from "../interrupt.ts";
import { type OutputOptions, printJson } from "../output.ts";
import { printSummary } from "./print-summary.ts";
import { describeStatus, nextStep, StatusLine } from "./watch.ts";

export async function follow(
  campaignId: string,
  options: OutputOptions,
  whenInterrupted = `campaign ${campaignId} goes on by itself; follow it with: turnwise campaign watch ${campaignId}`,
): Promise<void> {
  const line = new StatusLine();
  onInterruptSay(whenInterrupted);
  const followed = await followCampaign(campaignId, {
    isWhole: options.json !== true,
    signal: interruptSignal(),
    onEvent: (event) => line.update(event),
    onEnd: () => line.end(),
  });
  const { summary, status } = followed;
  process.exitCode = exitCodeOfPause(status) ?? process.exitCode;
  if (options.json === true) return printJson({ ...summary, status });
  printSummary(summary);
  printStatus(followed);
}

/** Where it is, and what it wants of whom. */
export function printStatus({ status, reportPath }: Pick<ShownCampaign, "status" | "reportPath">): void {
  if (status === null) return;
  console.log(describeStatus(status, null));
  if (reportPath !== null) console.log(`  the whole report: ${reportPath}`);
  const next = nextStep(status);
  if (next !== null) console.log(`  ${next}`);
}

/** Of the failure that paused a campaign; null for whatever else holds it. */
function exitCodeOfPause(status: CampaignStatus | null): number | null {
  const code = status?.state === "paused" ? ERROR_CODES.find((known) => known === status.reason?.code) : undefined;
  return code === undefined ? null : exitCodeOf(new CampaignError(code, status?.reason?.message ?? ""));
}
