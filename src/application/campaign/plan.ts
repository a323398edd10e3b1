// The plan of a campaign before it runs: how many rollouts, model calls and optimizer steps, what they may cost, and which budget would end it.
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { CampaignEstimate } from "#contracts/campaign-estimate.ts";
import type { Task } from "#contracts/task.ts";
import { countRollouts, estimateCampaign, type RolloutCounts, type RolloutMeans, reachedLimits } from "#core/campaign/estimate.ts";
import { placeTraining, type TrainingPlace } from "#core/campaign/place-training.ts";
import { doNothingFloor } from "#core/environment/do-nothing-floor.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { requireGolden } from "#core/environment/told-task.ts";
import { rolloutMeans } from "./rollout-means.ts";

export interface CampaignPlan {
  readonly rollouts: RolloutCounts;
  readonly estimate: CampaignEstimate;
  /** Of all rollouts, prompt and completion; null where they are not known. */
  readonly policyTokens: RolloutMeans["policyTokens"];
  readonly userTokens: { readonly prompt: number; readonly completion: number };
  /** Limits that the estimate reaches, in words. */
  readonly reached: readonly string[];
  readonly optimizerSteps: number;
  /** Where training runs, and why it could not run on this machine. */
  readonly training: TrainingPlace;
}

interface SplitPlan {
  readonly tasks: number;
  /** Null where it is not known before rollouts are made. */
  readonly doNothingFloor: number | null;
}

/** The tasks that a campaign can draw from, and what an agent gets in each split by doing nothing. */
export type TaskPlan = Readonly<Record<"train" | "selection" | "test", SplitPlan>>;

export function describeTasks({ environment, splits }: TaskSet): TaskPlan {
  const floorOf = (tasks: readonly Task[]) => (environment === null ? null : doNothingFloor(environment, tasks.map(requireGolden)));
  const describe = (tasks: readonly Task[]) => ({ tasks: tasks.length, doNothingFloor: floorOf(tasks) });
  return { train: describe(splits.train), selection: describe(splits.selection), test: describe(splits.test) };
}

export async function planCampaign(record: CampaignRecord, config: CampaignConfig, numGpus: number): Promise<CampaignPlan> {
  const means = await rolloutMeans(record, config);
  const rollouts = countRollouts(config, null);
  const estimate = estimateCampaign(config, means, rollouts);
  const all = (perRollout: number) => Math.round(perRollout * estimate.rollouts);
  const { numMinibatches, epochs } = config.training.hyperparameters;
  return {
    rollouts,
    estimate,
    policyTokens:
      means.policyTokens === null ? null : { prompt: all(means.policyTokens.prompt), completion: all(means.policyTokens.completion) },
    userTokens: { prompt: all(means.userPromptTokens), completion: all(means.userCompletionTokens) },
    reached: reachedLimits(config, means, rollouts),
    optimizerSteps: rollouts.iterations * numMinibatches * epochs,
    training: placeTraining(config.training, numGpus),
  };
}

/** What is kept with a campaign when it is created. `sharedIteration`: the last one that a fork has of its parent. */
export async function estimateFor(
  record: CampaignRecord,
  config: CampaignConfig,
  sharedIteration: number | null,
): Promise<CampaignEstimate> {
  return estimateCampaign(config, await rolloutMeans(record, config), countRollouts(config, sharedIteration));
}
