// The one file the workflow bundler reads.
export { campaign } from "./campaign.ts";
export { campaignTest } from "./campaign-test.ts";
export { iteration } from "./iteration.ts";
export { rolloutBatch } from "./rollout-batch.ts";
