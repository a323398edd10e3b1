// Where fronts get what the use-cases stand on: the settings of this process, and the record that they name.
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { openRecord as openRecordAt } from "#adapters/record/open-record.ts";
import type { Settings } from "#adapters/settings.ts";

export { REPOSITORY, readSettings, type Settings, shellVariables } from "#adapters/settings.ts";

export function openRecord({ recordRoot }: Pick<Settings, "recordRoot">): CampaignRecord {
  return openRecordAt(recordRoot).record;
}
