// Two campaigns of the record beside each other.
import { loadCampaign, type RecordedCampaign } from "#adapters/history/load.ts";
import { openRecord } from "../record.ts";
import { readSettings } from "../settings.ts";
import { compareFinal, differingSettings, type PairedComparison } from "./compare-campaigns.ts";
import type { SettingDifference } from "./differing-settings.ts";
import { type CampaignSummary, summarizeCampaign } from "./summary.ts";

export interface CampaignComparison {
  readonly a: CampaignSummary;
  readonly b: CampaignSummary;
  readonly settings: readonly SettingDifference[];
  readonly final: PairedComparison;
}

/** Throws campaign.unknown. */
export async function compareById(idOfA: string, idOfB: string): Promise<CampaignComparison> {
  const record = openRecord(readSettings());
  const [a, b] = [await loadCampaign(record, idOfA), await loadCampaign(record, idOfB)];
  const [summaryOfA, summaryOfB] = [await summarizeCampaign(record, idOfA), await summarizeCampaign(record, idOfB)];
  return {
    a: summaryOfA,
    b: summaryOfB,
    settings: differingSettings(withBudget(a, summaryOfA), withBudget(b, summaryOfB)),
    final: compareFinal(a, b),
  };
}

/** With the limits in force: those of the last `campaign budget`, else of the file. */
function withBudget(recorded: RecordedCampaign, { budget }: CampaignSummary): RecordedCampaign {
  return { ...recorded, campaign: { ...recorded.campaign, config: { ...recorded.campaign.config, budget } } };
}
