// What a rollout takes, from the record's own: the newest committed groups of the same environment and user.
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import type { CampaignConfig, SimulatorConfig } from "#contracts/campaign-config.ts";
import type { CampaignManifest, GroupManifest, IterationManifest } from "#contracts/manifests.ts";
import { publishedMeans, type RolloutMeans, recordedMeans } from "#core/campaign/estimate.ts";
import { CampaignError } from "#core/errors.ts";

/** Enough for a mean, few enough to be read while a person waits. */
const MAX_GROUPS = 256;

interface Found {
  readonly campaign: CampaignManifest;
  readonly groups: GroupManifest[];
  readonly iterations: IterationManifest[];
}

/** Published means where the record has no such groups. */
export async function rolloutMeans(record: CampaignRecord, config: CampaignConfig): Promise<RolloutMeans> {
  const found: Found[] = [];
  let room = MAX_GROUPS;
  for (const campaign of await alikeCampaigns(record, config)) {
    const groups = await newestGroups(record, campaign.id, room);
    if (groups.length > 0) found.push({ campaign, groups, iterations: await record.readIterations(campaign.id) });
    room -= groups.length;
    if (room <= 0) break;
  }
  const groups = found.flatMap((one) => one.groups);
  if (groups.length === 0) return publishedMeans(config.simulator);
  const numRollouts = groups.reduce((sum, { outcomes }) => sum + outcomes.length, 0);
  const names = found.map(({ campaign }) => campaign.id).join(", ");
  const basis = `${numRollouts} rollouts of ${names}, in the same environment with the same user`;
  return recordedMeans(groups, gpuSeconds(found, config), basis);
}

/** Campaigns of the same environment and user that can be read, the newest first. */
async function alikeCampaigns(record: CampaignRecord, { environment, simulator }: CampaignConfig): Promise<CampaignManifest[]> {
  const all = await Promise.all((await record.listCampaigns()).map((id) => orNone(async () => [await record.requireCampaign(id)])));
  return all
    .flat()
    .filter(({ config }) => config.environment.type === environment.type && isSameUser(config.simulator, simulator))
    .sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt) || (a.id < b.id ? -1 : 1));
}

function isSameUser(one: SimulatorConfig, other: SimulatorConfig): boolean {
  if (one.type === "scripted" || other.type === "scripted") return one.type === other.type;
  return one.model === other.model && one.strategy === other.strategy;
}

/** Of its own iterations: those of its parent are found with the parent. */
async function newestGroups(record: CampaignRecord, campaignId: string, limit: number): Promise<GroupManifest[]> {
  const groups: GroupManifest[] = [];
  for (const iteration of (await record.listIterations(campaignId)).reverse()) {
    if ((await record.ownerOf(campaignId, iteration)) !== campaignId) continue;
    for (const purpose of ["train", "selection"] as const) {
      const tasks = (await record.listGroups(campaignId, iteration, purpose)).slice(0, limit - groups.length);
      groups.push(
        ...(await Promise.all(tasks.map((task) => orNone(() => readGroup(record, campaignId, iteration, purpose, task))))).flat(),
      );
    }
  }
  return groups;
}

async function readGroup(record: CampaignRecord, id: string, iteration: number, purpose: "train" | "selection", taskId: string) {
  const group = await record.readGroup(id, iteration, purpose, taskId);
  return group === null ? [] : [group];
}

/** What cannot be read is left out: an estimate stops no campaign. */
async function orNone<Item>(read: () => Promise<Item[]>): Promise<Item[]> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CampaignError)) throw error;
    return [];
  }
}

/** Of the same policy only: another model takes another time. Null where none was metered. */
function gpuSeconds(
  found: readonly Found[],
  { policy, training }: CampaignConfig,
): Pick<RolloutMeans, "policyGpuSeconds" | "trainerGpuSeconds"> {
  const same = found.filter(
    ({ campaign: { config } }) => config.policy.type === policy.type && config.policy.checkpoint === policy.checkpoint,
  );
  const served = same
    .flatMap(({ groups }) => groups)
    .map(({ meters, outcomes }) => ({ seconds: meters.policy.gpuSeconds, rollouts: outcomes.length }));
  const trained = same
    .filter(({ campaign: { config } }) => engineOf(config) === engineOf({ training }))
    .flatMap(({ campaign: { id, config }, iterations }) =>
      iterations
        .filter(({ campaignId, policyTrained }) => campaignId === id && policyTrained !== null)
        .map(({ meters }) => ({
          seconds: meters.trainer.gpuSeconds,
          rollouts: config.rollout.tasksPerIteration * config.rollout.groupSize,
        })),
    );
  return { policyGpuSeconds: secondsPerRollout(served), trainerGpuSeconds: secondsPerRollout(trained) };
}

/** 0 seconds: on a CPU, or not metered. */
function secondsPerRollout(all: readonly { readonly seconds: number; readonly rollouts: number }[]): number | null {
  const metered = all.filter(({ seconds }) => seconds > 0);
  if (metered.length === 0) return null;
  return metered.reduce((sum, { seconds }) => sum + seconds, 0) / metered.reduce((sum, { rollouts }) => sum + rollouts, 0);
}

/** What trains: a back-end of ours, or a program. */
function engineOf({ training: { backend, command } }: Pick<CampaignConfig, "training">): string {
  return JSON.stringify([backend, command]);
}
