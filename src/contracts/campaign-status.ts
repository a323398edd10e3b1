// What the campaign workflow carries through its whole life, and what it answers to `status`.
import { z } from "zod";
import { ArtifactRef, Sha256 } from "./artifact-ref.ts";
import { BudgetConfig, GuardConfig } from "./campaign-config.ts";
import { StageName } from "./manifests.ts";
import { Meters } from "./meters.ts";
import { PolicyRef } from "./policy.ts";

const MeasuredPolicy = z.strictObject({
  policy: PolicyRef,
  iteration: z.int().nonnegative().describe("that measured it; 0 is the base policy"),
  passRate: z.number().nullable().describe("on the selection tasks; null before it is measured, or where nothing is selected"),
});

/** What the committed iterations came to: a fold over their manifests. */
export const CampaignProgress = z.strictObject({
  nextIteration: z.int().nonnegative(),
  basePolicy: PolicyRef,
  basePassRate: z.number().nullable(),
  promoted: MeasuredPolicy.describe("what is rolled out and trained next"),
  best: MeasuredPolicy.describe("the promoted policy with the highest selection pass rate so far: what a new one is compared with"),
  table: ArtifactRef,
  consecutiveRejects: z.int().nonnegative(),
  trainTruncationRate: z.number().nullable(),
  bestTrainPassRate: z.number().nullable(),
  meters: Meters,
  runningSeconds: z.number().nonnegative().describe("wall time without pauses"),
});
export type CampaignProgress = z.infer<typeof CampaignProgress>;

export const PauseReason = z.strictObject({ code: z.string(), message: z.string(), next: z.string() });
export type PauseReason = z.infer<typeof PauseReason>;

/** What was said to the campaign and still holds: a fold over the words of its steering. */
export const Steering = z.strictObject({
  numWords: z.int().nonnegative(),
  pause: PauseReason.nullable(),
  stop: z.strictObject({ reason: z.string(), withTest: z.boolean() }).nullable(),
  budget: BudgetConfig,
  raisedGuards: z.array(z.string()).describe("codes of guards that paused it since somebody resumed"),
  acknowledged: z
    .array(z.strictObject({ code: z.string(), iteration: z.int().nonnegative() }))
    .describe("guards that a person has seen and resumed from; they stay silent for the rest of that iteration"),
  answers: z
    .record(Sha256, z.strictObject({ word: z.enum(["approve", "reject"]), who: z.string() }))
    .describe("by the hash of the fitted table that was asked about; the first answer stands"),
});
export type Steering = z.infer<typeof Steering>;

/** The whole mutable state of a campaign: what continue-as-new carries on, and what `campaign resume` rebuilds from the record. */
export const CampaignState = z
  .strictObject({
    progress: CampaignProgress,
    steering: Steering,
    runningSeconds: z.number().nonnegative().describe("wall time without pauses, of the unfinished iteration too"),
  })
  .meta({ id: "CampaignState" });
export type CampaignState = z.infer<typeof CampaignState>;

/** What the workflows decide by: a part of the config, small enough to travel. */
export const CampaignSettings = z.strictObject({
  maxIterations: z.int().positive(),
  targetPassRate: z.number().nullable(),
  concurrentGroups: z.int().positive(),
  isApproving: z.boolean(),
  hasSelection: z.boolean(),
  hasTest: z.boolean(),
  guards: GuardConfig,
});
export type CampaignSettings = z.infer<typeof CampaignSettings>;

export const StateName = z.enum(["running", "paused", "waiting-for-approval", "stopping", "stopped", "completed"]);
export type StateName = z.infer<typeof StateName>;

/** What a person is asked. */
export const Question = z.strictObject({ table: Sha256.describe("of the fitted reward table that waits for approval") });
export type Question = z.infer<typeof Question>;

export const CampaignStatus = z
  .strictObject({
    campaignId: z.string(),
    state: StateName,
    reason: PauseReason.nullable(),
    question: Question.nullable(),
    iteration: z.int().nonnegative(),
    maxIterations: z.int().positive(),
    stage: z.union([StageName, z.literal("base-selection")]).nullable(),
    progress: z.strictObject({ done: z.int(), total: z.int() }).nullable(),
    promotedPolicy: z.string(),
    promotedIteration: z.int().nonnegative().describe("that made it; 0 is the base policy"),
    selectionPassRate: z.number().nullable().describe("of the promoted policy on the tasks that chose it"),
    basePassRate: z.number().nullable().describe("of the base policy on the same tasks"),
    meters: Meters.describe("of the committed iterations"),
    budget: BudgetConfig,
    runningSeconds: z.number().nonnegative(),
  })
  .meta({ id: "CampaignStatus" });
export type CampaignStatus = z.infer<typeof CampaignStatus>;
