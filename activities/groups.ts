// Reads the committed groups of an iteration back for the stages that follow the rollouts.
import type { IterationContext } from "#contracts/activities.ts";
import type { GroupManifest, RolloutPurpose } from "#contracts/manifests.ts";
import type { Task } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { canonicalJson, sha256Hex } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import type { GroupParties } from "#core/rollout/party-metrics.ts";
import { type OpenedCampaign, plannedTasks, tasksById } from "./campaign.ts";
import type { ActivityDependencies } from "./dependencies.ts";

export interface CommittedGroup {
  readonly task: Task;
  readonly manifest: GroupManifest;
  readonly trajectories: readonly Trajectory[];
}

/** The groups of these tasks, in the order given. Every one must be committed: a missing group throws store.missing. */
export async function readManifests(
  deps: ActivityDependencies,
  { campaignId, iteration }: IterationContext,
  purpose: RolloutPurpose,
  taskIds: readonly string[],
): Promise<GroupManifest[]> {
  return Promise.all(
    taskIds.map(async (taskId) => {
      const manifest = await deps.record.readGroup(campaignId, iteration, purpose, taskId);
      if (manifest === null)
        throw new CampaignError("store.missing", `${campaignId} iteration ${iteration} has no ${purpose} group of ${taskId}`);
      return manifest;
    }),
  );
}

/** The planned groups of an iteration with their trajectories. */
export async function readGroups(
  deps: ActivityDependencies,
  campaign: OpenedCampaign,
  { campaignId, iteration }: IterationContext,
  purpose: RolloutPurpose,
): Promise<CommittedGroup[]> {
  const tasks = tasksById(campaign, purpose);
  const groups: CommittedGroup[] = [];
  for (const manifest of await readManifests(deps, { campaignId, iteration }, purpose, plannedTasks(campaign, purpose, iteration))) {
    const task = tasks.get(manifest.taskId);
    if (task === undefined) throw new CampaignError("environment.data-missing", `the ${purpose} split has no task ${manifest.taskId}`);
    groups.push({ task, manifest, trajectories: await deps.record.readTrajectories(manifest.trajectories) });
  }
  return groups;
}

/** What a group says of its user and of the policy's reasoning. zod's optional keys may hold undefined; the core's may not. */
export function partiesOf({ outcomes, retriedByOutcome, numFlaggedStops, usage }: GroupManifest): GroupParties {
  const counts = Object.fromEntries(Object.entries(retriedByOutcome).filter(([, count]) => count !== undefined));
  return { numRollouts: outcomes.length, retriedByOutcome: counts, numFlaggedStops, usage };
}

/** Identity of a buffer of rollouts, whatever the order they are read in. */
export function bufferSha256(manifests: readonly GroupManifest[]): string {
  return sha256Hex(canonicalJson(manifests.map(({ trajectories }) => trajectories.sha256).sort()));
}
