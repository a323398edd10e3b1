// Where use-cases get the record that the settings name.
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { openRecord as openRecordAt } from "#adapters/record/open-record.ts";
import type { Settings } from "#adapters/settings.ts";

export function openRecord({ recordRoot }: Pick<Settings, "recordRoot">): CampaignRecord {
  return openRecordAt(recordRoot).record;
}
