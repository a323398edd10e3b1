// Where a campaign is, from the record alone: the state that its workflow carries, over the iterations that are complete and every word
// that was said.
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { rebuildState, settingsOf } from "#core/campaign/state.ts";
import type { CampaignInput } from "../../../workflows/messages.ts";

/** What the campaign's workflow starts with. An iteration that has begun but is not complete is run again, on what it has committed. */
export async function rebuildInput(record: CampaignRecord, campaignId: string): Promise<CampaignInput> {
  const manifest = await record.requireCampaign(campaignId);
  const [iterations, words] = await Promise.all([record.readIterations(campaignId), record.readSteering(campaignId)]);
  return { campaignId, settings: settingsOf(manifest.config), state: rebuildState(manifest, iterations, words) };
}
