// What the workflows send to the activities and get back: small data and refs, never bytes.
import { z } from "zod";
import { ArtifactRef, Sha256 } from "./artifact-ref.ts";
import { CampaignConfig } from "./campaign-config.ts";
import { CampaignEnd, CampaignId, IterationManifest, RolloutPurpose } from "./manifests.ts";
import { PolicyRef } from "./policy.ts";

/** Every activity of an iteration starts from this. */
export const IterationContext = z.strictObject({
  campaignId: CampaignId,
  config: CampaignConfig,
  iteration: z.int().nonnegative(),
});
export type IterationContext = z.infer<typeof IterationContext>;

export const TaskPlan = z.strictObject({ train: z.array(z.string()), evaluation: z.array(z.string()) });
export type TaskPlan = z.infer<typeof TaskPlan>;

export const OpenPolicyInput = IterationContext.extend({
  policy: PolicyRef,
  sampledIn: z
    .int()
    .nonnegative()
    .nullable()
    .describe("iteration whose evaluation rollouts this policy made, for the canary; null when there are none yet"),
});
export type OpenPolicyInput = z.infer<typeof OpenPolicyInput>;

/** How far the server's log-probabilities of stored turns are from those that the sampler or the trainer has stored. */
export const CanaryReport = z.strictObject({
  numTurns: z.int().nonnegative(),
  numTokens: z.int().nonnegative(),
  meanDifference: z.number().describe("of absolute differences, nats per token"),
  maxDifference: z.number().describe("nats"),
});
export type CanaryReport = z.infer<typeof CanaryReport>;

const Canary = CanaryReport.nullable().default(null).describe("what the check of the policy's server found; null where there was none");

export const RolloutGroupInput = IterationContext.extend({
  purpose: RolloutPurpose,
  taskId: z.string(),
  policy: PolicyRef,
});
export type RolloutGroupInput = z.infer<typeof RolloutGroupInput>;

export const GroupSummary = z.strictObject({
  numRollouts: z.int().nonnegative(),
  numPasses: z.int().nonnegative(),
  numTruncated: z.int().nonnegative(),
  numRetriedRollouts: z.int().nonnegative(),
  modelCalls: z.int().nonnegative(),
  promptTokens: z.int().nonnegative(),
  completionTokens: z.int().nonnegative(),
});
export type GroupSummary = z.infer<typeof GroupSummary>;

export const RolloutBatchInput = IterationContext.extend({
  purpose: RolloutPurpose,
  taskIds: z.array(z.string()),
  policy: PolicyRef,
  isPaused: z.boolean(),
});
export type RolloutBatchInput = z.infer<typeof RolloutBatchInput>;

export const CommitRolloutInput = IterationContext.extend({
  taskIds: z.array(z.string()),
  policy: PolicyRef,
  canary: Canary,
  startedAt: z.iso.datetime(),
});
export type CommitRolloutInput = z.infer<typeof CommitRolloutInput>;
export const CommitRolloutResult = z.strictObject({ passRate: z.number(), truncationRate: z.number() });
export type CommitRolloutResult = z.infer<typeof CommitRolloutResult>;

export const CalibrateInput = IterationContext.extend({ taskIds: z.array(z.string()), table: ArtifactRef, startedAt: z.iso.datetime() });
export type CalibrateInput = z.infer<typeof CalibrateInput>;
export const CalibrateResult = z.strictObject({
  report: ArtifactRef,
  decision: z.enum(["accept", "reject", "insufficient"]),
  fittedSha256: Sha256.describe("the fitted table by its own sha256: what a person approves, once"),
});
export type CalibrateResult = z.infer<typeof CalibrateResult>;

export const RedesignInput = IterationContext.extend({
  report: ArtifactRef,
  table: ArtifactRef,
  approval: z.enum(["approved", "rejected"]).nullable().describe("a person's word in mode approve; null in mode auto"),
  startedAt: z.iso.datetime(),
});
export type RedesignInput = z.infer<typeof RedesignInput>;
export const RedesignResult = z.strictObject({ table: ArtifactRef, changed: z.array(z.string()).describe("tiers whose value changed") });
export type RedesignResult = z.infer<typeof RedesignResult>;

export const BuildBatchInput = IterationContext.extend({ taskIds: z.array(z.string()), policy: PolicyRef, table: ArtifactRef });
export type BuildBatchInput = z.infer<typeof BuildBatchInput>;
export const BuildBatchResult = z.strictObject({
  batch: ArtifactRef,
  credit: ArtifactRef.describe("tier, reward and advantage of every turn (TurnCredit/1)"),
  numRows: z.int(),
  numActionTokens: z.int(),
  numLiveRows: z.int().describe("rows with a non-zero advantage"),
  deadTurnShare: z.number(),
});
export type BuildBatchResult = z.infer<typeof BuildBatchResult>;

export const TrainInput = IterationContext.extend({
  policy: PolicyRef,
  reference: PolicyRef,
  batch: ArtifactRef,
  credit: ArtifactRef,
  startedAt: z.iso.datetime(),
});
export type TrainInput = z.infer<typeof TrainInput>;
export const TrainResult = z.strictObject({ policy: PolicyRef });
export type TrainResult = z.infer<typeof TrainResult>;

export const EvaluateInput = IterationContext.extend({
  taskIds: z.array(z.string()),
  policy: PolicyRef.describe("the policy that was rolled out on the held-out tasks in this iteration"),
  promoted: z
    .strictObject({ policy: PolicyRef, iteration: z.int().nonnegative() })
    .nullable()
    .describe("where the promoted policy's evaluation is; null for the base evaluation"),
  canary: Canary,
  startedAt: z.iso.datetime(),
});
export type EvaluateInput = z.infer<typeof EvaluateInput>;
export const EvaluateResult = z.strictObject({ report: ArtifactRef, passRate: z.number(), promotion: z.enum(["promote", "keep", "none"]) });
export type EvaluateResult = z.infer<typeof EvaluateResult>;

export const ApplyRetentionInput = z.strictObject({ campaignId: CampaignId });
export type ApplyRetentionInput = z.infer<typeof ApplyRetentionInput>;
export const ApplyRetentionResult = z.strictObject({
  freedBytes: z.int().nonnegative(),
  problem: z.string().nullable().describe("why nothing could be freed; the campaign goes on"),
});
export type ApplyRetentionResult = z.infer<typeof ApplyRetentionResult>;

/** Manifests without what the activity adds: the version and the time. */
export const IterationDraft = IterationManifest.omit({ schemaVersion: true, finishedAt: true });
export type IterationDraft = z.infer<typeof IterationDraft>;
export const EndDraft = CampaignEnd.omit({ schemaVersion: true, finishedAt: true });
export type EndDraft = z.infer<typeof EndDraft>;
