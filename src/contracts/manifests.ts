// What the record holds under campaigns/<id>/: each manifest is written once, last, after the blobs it names.
import { z } from "zod";
import { ArtifactRef, Sha256 } from "./artifact-ref.ts";
import { CampaignConfig } from "./campaign-config.ts";
import { CampaignEstimate } from "./campaign-estimate.ts";
import { Meters } from "./meters.ts";
import { PolicyRef } from "./policy.ts";
import { FailedOutcomeType, OutcomeType, Reward, StopReason, Usage } from "./trajectory.ts";

export const CampaignId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,79}$/);
export type CampaignId = z.infer<typeof CampaignId>;

/** The campaign that another one was forked from: its iterations up to this one are the fork's own first ones. */
export const ParentLink = z.strictObject({
  campaignId: CampaignId,
  iteration: z.int().nonnegative(),
  iterationsSha256: Sha256.describe("of the parent's iteration manifests up to this one, as they were stored when the fork was made"),
});
export type ParentLink = z.infer<typeof ParentLink>;

/** campaigns/<id>/campaign.json */
export const CampaignManifest = z
  .strictObject({
    schemaVersion: z.literal(2),
    id: CampaignId,
    config: CampaignConfig,
    configSha256: Sha256,
    codeVersion: z.string().describe("package version and git commit, or 'unknown'"),
    dataSha256: Sha256.describe("hash of the environment's database and tasks"),
    basePolicy: PolicyRef,
    priorTable: ArtifactRef.describe("the author's table, the same through the whole campaign"),
    estimate: CampaignEstimate.nullable().describe("what the plan expected; null for campaigns of 0.1.0"),
    parent: ParentLink.nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "CampaignManifest" });
export type CampaignManifest = z.infer<typeof CampaignManifest>;

/**
 * Which rollouts: `train` feeds training; `selection` measures an iteration's new policy (iteration 0: the base policy) and decides;
 * `test` measures the base and the final policy once, when the campaign ends, under the iteration that made the policy.
 */
export const RolloutPurpose = z.enum(["train", "selection", "test"]);
export type RolloutPurpose = z.infer<typeof RolloutPurpose>;

/** campaigns/<id>/iterations/<nnnn>/groups/<purpose>/<task>.json, or campaigns/<id>/test/…: one committed group, complete or absent. */
export const GroupManifest = z
  .strictObject({
    schemaVersion: z.literal(3),
    campaignId: CampaignId,
    iteration: z.int().nonnegative(),
    purpose: RolloutPurpose,
    taskId: z.string(),
    policy: PolicyRef,
    trajectories: ArtifactRef.describe(
      "Parquet, one row per trajectory in order of trial (Trajectories/2; before version 3 of this manifest Trajectories/1)",
    ),
    outcomes: z.array(
      z.strictObject({ type: OutcomeType, reward: Reward, passed: z.boolean(), numTurns: z.int(), stopReason: StopReason }),
    ),
    usage: Usage,
    meters: Meters,
    seconds: z.number().nonnegative(),
    numRetriedRollouts: z.int().nonnegative().describe("rollouts that ended in env_error, sim_error or infra_error and were made again"),
    retriedByOutcome: z
      .partialRecord(FailedOutcomeType, z.int().positive())
      .describe("the same by how they ended; empty in records of 0.1.0"),
    numFlaggedStops: z.int().nonnegative().describe("rollouts whose user stopped before the last golden write; 0 in records of 0.1.0"),
    numResumedTurns: z.int().nonnegative().describe("turns taken from the journal of an earlier attempt"),
    passesIdle: z
      .boolean()
      .nullable()
      .optional()
      .describe(
        "whether an agent that does nothing passes the task, measured with the group; null: the environment could not say. Absent where it is computed, of a pure environment",
      ),
  })
  .meta({ id: "GroupManifest" });
export type GroupManifest = z.infer<typeof GroupManifest>;

export const StageName = z.enum(["rollout", "calibration", "redesign", "training", "selection", "test"]);
export type StageName = z.infer<typeof StageName>;
/** The stages that every iteration has; the test is the campaign's own. */
export const IterationStageName = StageName.exclude(["test"]);
export type IterationStageName = z.infer<typeof IterationStageName>;

/** campaigns/<id>/iterations/<nnnn>/<stage>.json, or campaigns/<id>/test/<setting>/test.json */
export const StageManifest = z
  .strictObject({
    schemaVersion: z.literal(2),
    campaignId: CampaignId,
    iteration: z.int().nonnegative().describe("of the test: the one that the final policy comes from"),
    stage: StageName,
    inputs: z.record(z.string(), z.string()).describe("name -> sha256 or literal"),
    outputs: z.record(z.string(), ArtifactRef),
    metrics: z.record(z.string(), z.number()).describe("finite scalars of docs/metrics.md"),
    meters: Meters,
    decision: z.string().nullable().describe("accept, reject, insufficient, promote, keep, …"),
    startedAt: z.iso.datetime(),
    seconds: z.number().nonnegative(),
    versions: z.record(z.string(), z.string()),
  })
  .meta({ id: "StageManifest" });
export type StageManifest = z.infer<typeof StageManifest>;

/** campaigns/<id>/iterations/<nnnn>/iteration.json: written when all stages are. What the next iteration starts from. */
export const IterationManifest = z
  .strictObject({
    schemaVersion: z.literal(2),
    campaignId: CampaignId,
    iteration: z.int().nonnegative(),
    policyBefore: PolicyRef,
    policyTrained: PolicyRef.nullable(),
    policyAfter: PolicyRef.describe("the promoted policy: the trained one, or the one before"),
    tableBefore: ArtifactRef,
    tableAfter: ArtifactRef,
    gateDecision: z.enum(["accept", "reject", "insufficient", "none"]),
    promotion: z.enum(["promote", "keep", "none"]),
    trainPassRate: z.number().nullable(),
    selectionPassRate: z
      .number()
      .nullable()
      .describe("of the trained policy, in iteration 0 of the base policy; null where nothing is selected"),
    trainTruncationRate: z.number().nullable(),
    meters: Meters.describe("of all stages of the iteration"),
    runningSeconds: z.number().nonnegative().describe("wall time without pauses; 0 in records of 0.1.0"),
    finishedAt: z.iso.datetime(),
  })
  .meta({ id: "IterationManifest" });
export type IterationManifest = z.infer<typeof IterationManifest>;

/** campaigns/<id>/end.json */
export const CampaignEnd = z
  .strictObject({
    schemaVersion: z.literal(2),
    campaignId: CampaignId,
    state: z.enum(["completed", "stopped"]),
    reason: z.string(),
    numIterations: z.int().nonnegative(),
    finalPolicy: PolicyRef,
    finalIteration: z
      .int()
      .nonnegative()
      .nullable()
      .describe("that the final policy comes from, 0 is the base policy; null in ends of 0.1.0, whose iterations say it"),
    test: z
      .strictObject({ base: ArtifactRef, final: ArtifactRef })
      .nullable()
      .describe("reports on the test tasks (EvaluationReport/2); null where there was no test"),
    noTestReason: z.string().nullable().describe("why there is none"),
    finishedAt: z.iso.datetime(),
  })
  .meta({ id: "CampaignEnd" });
export type CampaignEnd = z.infer<typeof CampaignEnd>;
