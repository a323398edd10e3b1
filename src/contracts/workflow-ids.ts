// Names that several processes must agree on: task queues and workflow ids.
import type { RolloutPurpose } from "./manifests.ts";

export const CONTROL_QUEUE = "turnwise-control";
export const ROLLOUT_QUEUE = "turnwise-rollout";
export const TRAINING_QUEUE = "turnwise-training";

/** Whose queue it is: control, rollout or training. */
export const workerName = (queue: string): string => queue.replace("turnwise-", "");
/** The command that starts a worker of a queue by hand, in a checkout. */
export const startWorker = (queue: string): string => `node infra/setup/run.mjs workers/${workerName(queue)}.ts`;

export const campaignWorkflowId = (campaignId: string): string => `campaign/${campaignId}`;
export const iterationWorkflowId = (campaignId: string, iteration: number): string => `campaign/${campaignId}/iteration/${iteration}`;
export const rolloutWorkflowId = (campaignId: string, iteration: number, purpose: RolloutPurpose): string =>
  `campaign/${campaignId}/iteration/${iteration}/rollout/${purpose}`;
