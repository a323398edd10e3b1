// Rollouts that a use-case is to read: from files, or from a campaign of the record.
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { type ImportedRollouts, readingOf } from "#adapters/rollout-files/imported-rollouts.ts";
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import { RolloutPurpose } from "#contracts/manifests.ts";
import type { Environment } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { openRecord } from "../record.ts";
import { readSettings } from "../settings.ts";
import { openNamedTaskSet, readFittingRollouts } from "./labelled-files.ts";

/** Beside files: the rollouts of a campaign, or the task set that the files' rollouts were made in. */
export interface RolloutSourceRequest {
  readonly campaign?: string | undefined;
  /** Of this iteration alone; all unless given. */
  readonly iteration?: string | undefined;
  readonly purpose: string;
  readonly taskSet?: string | undefined;
  /** Folder with tau-bench's data. */
  readonly data?: string | undefined;
}

export interface RolloutSource extends ImportedRollouts {
  /** Null when no task set is named. */
  readonly environment: Environment | null;
}

/** Throws config.invalid unless either files or a campaign are named, and what reading them throws. */
export async function readRolloutSource(files: readonly string[], options: RolloutSourceRequest): Promise<RolloutSource> {
  if (files.length > 0 === (options.campaign !== undefined)) {
    throw new CampaignError("config.invalid", "name either files or a campaign", { next: "give FILE…, or --campaign ID" });
  }
  if (options.campaign !== undefined && options.taskSet !== undefined) {
    throw new CampaignError("config.invalid", "a campaign has a task set of its own", { next: "leave --task-set out" });
  }
  return options.campaign === undefined ? readFiles(files, options) : readCampaign(options.campaign, options);
}

async function readFiles(files: readonly string[], options: RolloutSourceRequest): Promise<RolloutSource> {
  return readFittingRollouts(files, createToolCatalog({}), await openNamedTaskSet(options));
}

async function readCampaign(campaignId: string, options: RolloutSourceRequest): Promise<RolloutSource> {
  const settings = readSettings();
  const record = openRecord(settings);
  const { config, dataSha256 } = await record.requireCampaign(campaignId);
  const purpose = RolloutPurpose.parse(options.purpose);
  const { world, environment, splits } = await openTaskSet(config.environment, settings, dataSha256);
  const tasks = new Map(Object.values(splits).flatMap((list) => list.map((task) => [task.id, task] as const)));
  const rollouts: ImportedRollouts["rollouts"][number][] = [];
  let numGroups = 0;
  for (const iteration of await chooseIterations(record, campaignId, options.iteration)) {
    for (const taskId of await record.listGroups(campaignId, iteration, purpose)) {
      const task = tasks.get(taskId);
      const group = await record.readGroup(campaignId, iteration, purpose, taskId);
      if (task === undefined || group === null) throw new CampaignError("store.missing", `${campaignId}: no task or no group of ${taskId}`);
      numGroups += 1;
      for (const trajectory of await record.readTrajectories(group.trajectories))
        rollouts.push({ task, trajectory, systemPrompt: world.systemPrompt, origin: null });
    }
  }
  if (rollouts.length === 0) {
    throw new CampaignError("config.invalid", `${campaignId} has no ${purpose} rollouts${iterationText(options.iteration)}`, {
      next: "choose --iteration and --purpose; turnwise campaign show lists what there is",
    });
  }
  const numbered = numberTrials(rollouts);
  return { rollouts: numbered, reading: readingOf(numbered, { files: numGroups }), environment };
}

const iterationText = (iteration: string | undefined) => (iteration === undefined ? "" : ` in iteration ${iteration}`);

async function chooseIterations(record: CampaignRecord, campaignId: string, wanted: string | undefined): Promise<number[]> {
  const all = await record.listIterations(campaignId);
  if (wanted === undefined) return all;
  const iteration = all.find((number) => String(number) === wanted);
  if (iteration === undefined)
    throw new CampaignError("config.invalid", `${campaignId} has no iteration ${wanted}`, { next: `choose one of ${all.join(", ")}` });
  return [iteration];
}

/** Trials of a task count on through the iterations, as a result file numbers them. */
function numberTrials(rollouts: ImportedRollouts["rollouts"]): ImportedRollouts["rollouts"] {
  const seen = new Map<string, number>();
  return rollouts.map((rollout) => {
    const trial = seen.get(rollout.task.id) ?? 0;
    seen.set(rollout.task.id, trial + 1);
    return { ...rollout, trajectory: { ...rollout.trajectory, trial } };
  });
}
