// What an activity reads of its campaign before it works: the config, and the tasks that are meant.
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { CampaignManifest, RolloutPurpose } from "#contracts/manifests.ts";
import type { Task } from "#contracts/task.ts";
import { planSelectionTasks, planTestTasks, planTrainTasks } from "#core/campaign/plan-tasks.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { CampaignError } from "#core/errors.ts";
import type { ActivityDependencies } from "./dependencies.ts";

export interface OpenedCampaign extends TaskSet {
  readonly manifest: CampaignManifest;
  readonly config: CampaignConfig;
}

/** The campaign and its task set. Throws campaign.unknown, or environment.* when the data is not what the campaign was started with. */
export async function openCampaign(deps: ActivityDependencies, campaignId: string): Promise<OpenedCampaign> {
  const manifest = await deps.record.requireCampaign(campaignId);
  const taskSet = await deps.openTaskSet(manifest.config.environment, manifest.dataSha256);
  return { ...taskSet, manifest, config: manifest.config };
}

/** Ids of the tasks that an iteration rolls out for a purpose, in their order: decided by the config alone. */
export function plannedTasks({ config, splits }: OpenedCampaign, purpose: RolloutPurpose, iteration: number): string[] {
  const ids = (tasks: readonly Task[]) => tasks.map(({ id }) => id);
  if (purpose === "train") return planTrainTasks(ids(splits.train), config.rollout.tasksPerIteration, config.seed, iteration);
  const { tasks } = measuring(config, purpose);
  return purpose === "selection"
    ? planSelectionTasks(ids(splits.selection), tasks, config)
    : planTestTasks(ids(splits.test), tasks, config);
}

/** How many trials a group has. */
export function groupSizeOf(config: CampaignConfig, purpose: RolloutPurpose): number {
  return purpose === "train" ? config.rollout.groupSize : measuring(config, purpose).trials;
}

function measuring(config: CampaignConfig, purpose: "selection" | "test") {
  const found = config[purpose];
  if (found === null) throw new CampaignError("contract.invalid", `the campaign's config has ${purpose}: null, so it has no such rollouts`);
  return found;
}

/** Tasks by id, of one split. */
export function tasksById(taskSet: TaskSet, purpose: RolloutPurpose): Map<string, Task> {
  return new Map(taskSet.splits[purpose].map((task) => [task.id, task]));
}

export function requireTask(taskSet: TaskSet, { purpose, taskId }: { readonly purpose: RolloutPurpose; readonly taskId: string }): Task {
  const task = taskSet.splits[purpose].find(({ id }) => id === taskId);
  if (task === undefined) throw new CampaignError("environment.data-missing", `the ${purpose} split has no task ${taskId}`);
  return task;
}
