// The one file the workflow bundler reads.
export { campaign } from "./campaign.ts";
export { iteration } from "./iteration.ts";
export { rolloutBatch } from "./rollout-batch.ts";
