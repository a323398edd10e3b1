// Queries, updates and signals; all that the CLI and the dashboard may import from the workflows by value.
import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import type { StageName } from "#contracts/manifests.ts";
import type { CampaignProgress } from "#core/campaign/progress.ts";

export interface CampaignInput {
  readonly campaignId: string;
  readonly config: CampaignConfig;
  readonly progress: CampaignProgress;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
}

export const statusQuery = defineQuery<CampaignStatus>("status");
export const progressQuery = defineQuery<Progress>("progress");

/** Stops new work at the next group or stage boundary. Answers with the state reached. */
export const pauseUpdate = defineUpdate<string, []>("pause");
/** Goes on after a pause, whoever or whatever paused it. */
export const resumeUpdate = defineUpdate<string, []>("resume");
/** Ends the campaign after cancelling the running stage; everything committed stays. */
export const stopUpdate = defineUpdate<string, [string]>("stop");
/** Answers a campaign in mode `approve` that waits for a person's word on the reward table. */
export const approveRewardUpdate = defineUpdate<string, []>("approve-reward");
export const rejectRewardUpdate = defineUpdate<string, []>("reject-reward");
export const setBudgetUpdate = defineUpdate<string, [{ maxModelCalls?: number; maxHours?: number }]>("set-budget");

/** Parent to child: pause or go on. */
export const pausedSignal = defineSignal<[boolean]>("paused");
/** Parent to iteration: the word of a person. */
export const approvalSignal = defineSignal<["approved" | "rejected"]>("approval");
/** Iteration to campaign: where it is. */
export const stageSignal = defineSignal<[{ iteration: number; stage: StageName; isWaitingForApproval: boolean }]>("stage");
