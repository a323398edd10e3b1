// The test: base and final policy on tasks that nothing was decided by. Opened once, when the campaign ends.
import type { TestResult } from "#contracts/activities.ts";
import type { CampaignProgress, CampaignSettings } from "#contracts/campaign-status.ts";
import { controlActivities } from "./activity-options.ts";
import type { Heard } from "./messages.ts";
import { StageRun, timestamp } from "./stage-run.ts";

export interface CampaignTestInput {
  readonly campaignId: string;
  readonly settings: CampaignSettings;
  readonly progress: CampaignProgress;
  readonly heard: Heard;
  readonly runningSeconds: number;
  readonly acknowledged: readonly string[];
}

export async function campaignTest(input: CampaignTestInput): Promise<TestResult> {
  const { campaignId, settings } = input;
  const { basePolicy: base, promoted, meters, nextIteration } = input.progress;
  const run = new StageRun({ ...input, iteration: nextIteration, meters });
  const startedAt = timestamp();
  await run.enter("test");
  const sampledIn = (iteration: number) => (settings.hasSelection ? iteration : null);
  await run.rollOut("test", 0, base, sampledIn(0));
  if (promoted.iteration !== 0) await run.rollOut("test", promoted.iteration, promoted.policy, sampledIn(promoted.iteration));
  return controlActivities.test({ campaignId, base, final: promoted.policy, finalIteration: promoted.iteration, startedAt });
}
