// Where a campaign is, from the record alone: the fold that the workflow carries, over the iterations that are complete.

import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { advanceProgress, type CampaignProgress, initialProgress } from "#core/campaign/progress.ts";

/** An iteration that has begun but is not complete is run again; its committed groups and stages are found and reused. */
export async function rebuildProgress(record: CampaignRecord, campaignId: string): Promise<CampaignProgress> {
  let progress = initialProgress(await record.requireCampaign(campaignId));
  for (;;) {
    const manifest = await record.readIteration(campaignId, progress.nextIteration);
    if (manifest === null) return progress;
    progress = advanceProgress(progress, manifest);
  }
}
