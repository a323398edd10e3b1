// Queries, updates and signals; all that the command line and the page may import from the workflows by value.
import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { BudgetConfig } from "#contracts/campaign-config.ts";
import type { CampaignSettings, CampaignState, CampaignStatus, Question, StateName, Steering } from "#contracts/campaign-status.ts";
import type { StageName } from "#contracts/manifests.ts";

export interface CampaignInput {
  readonly campaignId: string;
  readonly settings: CampaignSettings;
  readonly state: CampaignState;
  /** Iterations after which the workflow continues as new. Absent: when the server suggests it. */
  readonly iterationsPerRun?: number;
}

/** Who says something and why; kept in the record with the word. */
export interface Speaker {
  readonly who: string;
  readonly why: string;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
}

export const statusQuery = defineQuery<CampaignStatus>("status");
export const progressQuery = defineQuery<Progress>("progress");

/** Nothing new begins after it; what is in flight ends. Answers, like all updates, with the state that was reached. */
export const pauseUpdate = defineUpdate<StateName, [Speaker]>("pause");
/** Goes on after a pause, whoever or whatever paused it. */
export const resumeUpdate = defineUpdate<StateName, [Speaker]>("resume");
/** Ends the campaign after cancelling the running stage; everything committed stays. With the test: it is opened first. */
export const stopUpdate = defineUpdate<StateName, [Speaker & { readonly withTest: boolean }]>("stop");
/** Answers a campaign in mode `approve` that waits for a person's word on the fitted table. The first answer to a table stands. */
export const approveRewardUpdate = defineUpdate<StateName, [Speaker]>("approve-reward");
export const rejectRewardUpdate = defineUpdate<StateName, [Speaker]>("reject-reward");
/** New limits; those that are not named stay. */
export const setBudgetUpdate = defineUpdate<StateName, [Speaker & { readonly budget: BudgetConfig }]>("set-budget");

/** What a child must know of what was said: always the whole, and of how many words, since signals may overtake one another. */
export type Heard = Pick<Steering, "numWords" | "pause" | "budget" | "answers">;
/** The one that knows more. */
export const later = (known: Heard, told: Heard): Heard => (told.numWords < known.numWords ? known : told);
/** Parent to child. */
export const heardSignal = defineSignal<[Heard]>("heard");
/** Child to campaign: where it is, and what it asks a person. */
export const stageSignal =
  defineSignal<[{ readonly iteration: number; readonly stage: StageName; readonly question: Question | null }]>("stage");
