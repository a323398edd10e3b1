// What an open campaign has used beyond its committed stages: the groups of the stage that is at work. Budgets count them too.
import type { RecordedCampaign } from "#adapters/history/load.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import type { RolloutPurpose } from "#contracts/manifests.ts";
import type { Meters } from "#contracts/meters.ts";
import { NO_METERS, sumMeters } from "#core/campaign/meters.ts";

/** Reads every group of the unfinished stage: for one campaign that is looked at, not for lists of them. */
export async function pendingMeters(record: CampaignRecord, { id, campaign, end, iterations, test }: RecordedCampaign): Promise<Meters> {
  const last = iterations.at(-1);
  if (end !== null || last === undefined) return NO_METERS;
  const has = (stage: string) => last.manifest !== null || last.stages.some((one) => one.stage === stage);
  const waiting: [number, RolloutPurpose][] = [
    ...(has("rollout") ? [] : [[last.iteration, "train"] satisfies [number, RolloutPurpose]]),
    ...(has("selection") ? [] : [[last.iteration, "selection"] satisfies [number, RolloutPurpose]]),
    ...(campaign.config.test === null || test !== null
      ? []
      : iterations.map(({ iteration }): [number, RolloutPurpose] => [iteration, "test"])),
  ];
  const found = await Promise.all(waiting.map(([iteration, purpose]) => groupMeters(record, id, iteration, purpose)));
  return sumMeters(found.flat());
}

async function groupMeters(record: CampaignRecord, id: string, iteration: number, purpose: RolloutPurpose): Promise<Meters[]> {
  const tasks = await record.listGroups(id, iteration, purpose);
  const groups = await Promise.all(tasks.map((taskId) => record.readGroup(id, iteration, purpose, taskId)));
  return groups.flatMap((group) => (group === null ? [] : [group.meters]));
}
