// Names that several processes must agree on: task queues and workflow ids.
import type { RolloutPurpose } from "./manifests.ts";

// A queue's name carries the version of what travels on it: workflows of 0.1.0 are not taken by workers that could not replay them.
export const CONTROL_QUEUE = "turnwise-control-2";
export const ROLLOUT_QUEUE = "turnwise-rollout-2";
export const TRAINING_QUEUE = "turnwise-training-2";

/** Whose queue it is: control, rollout or training. */
export const workerName = (queue: string): string => queue.replace(/^turnwise-|-\d+$/g, "");
/** The command that starts a worker of a queue by hand, in a checkout. */
export const startWorker = (queue: string): string => `node infra/setup/run.mjs workers/${workerName(queue)}.ts`;

export const campaignWorkflowId = (campaignId: string): string => `campaign/${campaignId}`;
export const iterationWorkflowId = (campaignId: string, iteration: number): string => `campaign/${campaignId}/iteration/${iteration}`;
export const testWorkflowId = (campaignId: string): string => `campaign/${campaignId}/test`;
export const rolloutWorkflowId = (campaignId: string, iteration: number, purpose: RolloutPurpose): string =>
  purpose === "test"
    ? `${testWorkflowId(campaignId)}/rollout/${iteration}`
    : `${iterationWorkflowId(campaignId, iteration)}/rollout/${purpose}`;
