// Campaigns as they stand now: what the record says, and what those that run say of themselves.
import { join } from "node:path";
import type { Settings } from "#adapters/settings.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { openRecord } from "../record.ts";
import { readSettings } from "../settings.ts";
import { type Answer, askCampaigns } from "./ask-campaigns.ts";
import { type CampaignSummary, summarizeCampaign } from "./summary.ts";

export interface ListedCampaign extends Answer {
  readonly summary: CampaignSummary;
}

/** All campaigns of the record. */
export async function listCampaigns(): Promise<ListedCampaign[]> {
  const record = openRecord(readSettings());
  const summaries: CampaignSummary[] = [];
  for (const id of await record.listCampaigns()) summaries.push(await summarizeCampaign(record, id));
  const open = summaries.filter(({ state }) => state === "open").map(({ campaignId }) => campaignId);
  const answers = await askCampaigns(readSettings(), open);
  return summaries.map((summary) => ({ summary, status: null, waiting: null, ...answers[open.indexOf(summary.campaignId)] }));
}

export interface ShownCampaign extends Answer {
  /** Whole: with everything that the record has of it. */
  readonly summary: CampaignSummary;
  /** Where the report lies that a person is asked about; null when there is no question. */
  readonly reportPath: string | null;
}

/** Throws campaign.unknown. */
export async function showCampaign(campaignId: string): Promise<ShownCampaign> {
  const settings = readSettings();
  const summary = await summarizeCampaign(openRecord(settings), campaignId, { isWhole: true });
  const [answer = { status: null, waiting: null }] = await askCampaigns(settings, summary.state === "open" ? [campaignId] : []);
  return { summary, ...answer, reportPath: reportPathOf(settings, summary, answer.status) };
}

/** Of the table that the campaign asks a person about. */
export function reportPathOf({ recordRoot }: Settings, { iterations }: CampaignSummary, status: CampaignStatus | null): string | null {
  if (status === null || status.question === null) return null;
  const undecided = iterations.findLast((iteration) => iteration.undecided !== null)?.undecided ?? null;
  return undecided === null ? null : join(recordRoot, undecided.reportUri);
}
