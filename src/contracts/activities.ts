// What the workflows send to the activities and get back: small data and refs, never bytes. The config stays in the record: an activity
// reads it there by the campaign's id.
import { z } from "zod";
import { ArtifactRef, Sha256 } from "./artifact-ref.ts";
import { CampaignEnd, CampaignId, IterationManifest, RolloutPurpose } from "./manifests.ts";
import { Meters } from "./meters.ts";
import { PolicyRef } from "./policy.ts";

/** Every activity of an iteration starts from this. */
export const IterationContext = z.strictObject({ campaignId: CampaignId, iteration: z.int().nonnegative() });
export type IterationContext = z.infer<typeof IterationContext>;

/** Groups that a page of a rollout batch takes: with all their events it stays far below the longest history that is allowed. */
export const PAGE_SIZE = 256;

export const TaskPageInput = IterationContext.extend({
  purpose: RolloutPurpose,
  offset: z.int().nonnegative(),
  limit: z.int().positive().max(PAGE_SIZE),
});
export type TaskPageInput = z.infer<typeof TaskPageInput>;

export const OpenPolicyInput = IterationContext.extend({
  policy: PolicyRef,
  sampledIn: z
    .int()
    .nonnegative()
    .nullable()
    .describe("iteration whose selection rollouts this policy made, for the canary; null when there are none yet"),
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

const Canary = CanaryReport.nullable().describe("what the check of the policy's server found; null where there was none");

export const RolloutGroupInput = IterationContext.extend({ purpose: RolloutPurpose, taskId: z.string(), policy: PolicyRef });
export type RolloutGroupInput = z.infer<typeof RolloutGroupInput>;

/** Sums over groups. */
export const GroupSummary = z.strictObject({ numGroups: z.int().nonnegative(), numRollouts: z.int().nonnegative(), meters: Meters });
export type GroupSummary = z.infer<typeof GroupSummary>;

export const TaskPage = z.strictObject({
  taskIds: z.array(z.string()).describe("of the page's tasks, in order, those whose group is not committed"),
  committed: GroupSummary.describe("of the page's other tasks: what they cost counts before anything new begins"),
  total: z.int().nonnegative().describe("tasks of all pages"),
});
export type TaskPage = z.infer<typeof TaskPage>;

const startedAt = z.iso.datetime();

export const CommitRolloutInput = IterationContext.extend({ policy: PolicyRef, canary: Canary, startedAt });
export type CommitRolloutInput = z.infer<typeof CommitRolloutInput>;
export const CommitRolloutResult = z.strictObject({ passRate: z.number(), truncationRate: z.number(), userErrorRate: z.number() });
export type CommitRolloutResult = z.infer<typeof CommitRolloutResult>;

export const CalibrateInput = IterationContext.extend({ table: ArtifactRef.describe("in force"), startedAt });
export type CalibrateInput = z.infer<typeof CalibrateInput>;
export const CalibrateResult = z.strictObject({
  report: ArtifactRef,
  decision: z.enum(["accept", "reject", "insufficient"]),
  fittedSha256: Sha256.describe("what a person is asked about: an answer is given to this table and no other"),
  isRedesigned: z.boolean().describe("the redesign of this iteration is committed: nobody is asked again"),
  meters: Meters,
});
export type CalibrateResult = z.infer<typeof CalibrateResult>;

export const RedesignInput = IterationContext.extend({
  report: ArtifactRef,
  table: ArtifactRef,
  approval: z.enum(["approved", "rejected"]).nullable().describe("a person's word in mode approve; null in mode auto"),
  startedAt,
});
export type RedesignInput = z.infer<typeof RedesignInput>;
export const RedesignResult = z.strictObject({ table: ArtifactRef, changed: z.array(z.string()).describe("tiers whose value changed") });
export type RedesignResult = z.infer<typeof RedesignResult>;

export const BuildBatchInput = IterationContext.extend({ policy: PolicyRef, table: ArtifactRef });
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
  startedAt,
});
export type TrainInput = z.infer<typeof TrainInput>;
export const TrainResult = z.strictObject({
  policy: PolicyRef,
  gradientNorm: z.number().nonnegative().describe("the largest of the optimizer steps, before clipping"),
  meters: Meters,
});
export type TrainResult = z.infer<typeof TrainResult>;

export const SelectInput = IterationContext.extend({
  policy: PolicyRef.describe("the policy that was rolled out on the selection tasks in this iteration"),
  best: z
    .int()
    .nonnegative()
    .nullable()
    .describe("iteration that measured the best policy so far; null for the base policy's own selection"),
  promoted: z.int().nonnegative().describe("iteration that measured the policy promoted last: what the rules of 0.1.0 compare with"),
  canary: Canary,
  startedAt,
});
export type SelectInput = z.infer<typeof SelectInput>;
export const SelectResult = z.strictObject({ report: ArtifactRef, passRate: z.number(), promotion: z.enum(["promote", "keep", "none"]) });
export type SelectResult = z.infer<typeof SelectResult>;

export const TestInput = z.strictObject({
  campaignId: CampaignId,
  base: PolicyRef,
  final: PolicyRef,
  finalIteration: z.int().nonnegative().describe("that the final policy comes from; 0 when it is the base policy"),
  startedAt,
});
export type TestInput = z.infer<typeof TestInput>;
export const TestResult = z.strictObject({ base: ArtifactRef, final: ArtifactRef });
export type TestResult = z.infer<typeof TestResult>;

export const FreeSpace = z.strictObject({ freeGb: z.number().nonnegative().describe("of 10^9 bytes, of the record's disk") });
export type FreeSpace = z.infer<typeof FreeSpace>;

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
