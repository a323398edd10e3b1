// The workflow of a campaign that is in the record: started or joined from wherever the record says it is.
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import type { Settings } from "#adapters/settings.ts";
import { CampaignError } from "#core/errors.ts";
import { CampaignClient } from "./campaign-client.ts";
import { rebuildInput } from "./rebuild-state.ts";

/** Throws campaign.ended, and service.not-running when no server answers. */
export async function launch(settings: Settings, record: CampaignRecord, campaignId: string): Promise<void> {
  await requireOpen(record, campaignId);
  await withClient(settings, async (client) => client.start(await rebuildInput(record, campaignId)));
}

/** Throws campaign.ended with what ended it. */
export async function requireOpen(record: CampaignRecord, campaignId: string): Promise<void> {
  const end = await record.readEnd(campaignId);
  if (end === null) return;
  throw new CampaignError("campaign.ended", `campaign ${campaignId} is ${end.state}: ${end.reason}`, {
    next: `turnwise campaign show ${campaignId}; to go on from it: turnwise campaign fork ${campaignId} --set stop.maxIterations=…`,
  });
}

/** A connection for as long as `use` takes. */
export async function withClient<Result>(settings: Settings, use: (client: CampaignClient) => Promise<Result>): Promise<Result> {
  const client = await CampaignClient.connect(settings);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
