// What the record says of campaigns, past and running. Needs no server.
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { CampaignError } from "#core/errors.ts";
import { openRecord } from "../record.ts";
import { readSettings } from "../settings.ts";
import { type CampaignSummary, summarizeCampaign } from "./summary.ts";

/** A campaign of the record that cannot be read: listed with its problem, so that it hides no other. */
export interface UnreadableCampaign {
  readonly campaignId: string;
  readonly problem: { readonly code: string; readonly message: string };
}

/** Of one campaign. Throws campaign.unknown. */
export async function summarizeById(campaignId: string): Promise<CampaignSummary> {
  return summarizeCampaign(openRecord(readSettings()), campaignId);
}

/** Of all campaigns, in the order that they were created in. */
export async function summarizeAll(): Promise<(CampaignSummary | UnreadableCampaign)[]> {
  const record = openRecord(readSettings());
  const campaigns = await Promise.all((await record.listCampaigns()).map((id) => summarizeOne(record, id)));
  const createdAt = (campaign: CampaignSummary | UnreadableCampaign) => ("problem" in campaign ? "" : campaign.createdAt);
  return campaigns.sort((a, b) => createdAt(a).localeCompare(createdAt(b)));
}

async function summarizeOne(record: CampaignRecord, campaignId: string): Promise<CampaignSummary | UnreadableCampaign> {
  try {
    return await summarizeCampaign(record, campaignId);
  } catch (error) {
    if (!(error instanceof CampaignError)) throw error;
    return { campaignId, problem: { code: error.code, message: error.message } };
  }
}
