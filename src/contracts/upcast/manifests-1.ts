// The manifests as release 0.1.0 wrote them. Frozen: they read what 0.1.0 recorded, and nothing else.
import { z } from "zod";
import { ArtifactRef, Sha256 } from "../artifact-ref.ts";
import { PolicyRef } from "../policy.ts";
import { OutcomeType, StopReason, Usage } from "../trajectory.ts";
import { CampaignConfig1 } from "./campaign-config-1.ts";

const CampaignId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,79}$/);

/** campaigns/<id>/campaign.json */
export const CampaignManifest1 = z.strictObject({
  schemaVersion: z.literal(1),
  id: CampaignId,
  config: CampaignConfig1,
  configSha256: Sha256,
  codeVersion: z.string().describe("package version and git commit, or 'unknown'"),
  dataSha256: Sha256.describe("hash of the environment's database and tasks"),
  basePolicy: PolicyRef,
  priorTable: ArtifactRef,
  parent: z.strictObject({ campaignId: CampaignId, iteration: z.int().nonnegative() }).nullable(),
  createdAt: z.iso.datetime(),
});

/** Which rollouts of an iteration: `train` feeds training, `evaluation` measures the iteration's new policy (iteration 0: the base policy). */
const RolloutPurpose = z.enum(["train", "evaluation"]);

/** campaigns/<id>/iterations/<nnnn>/groups/<purpose>/<task>.json: one committed group, complete or absent. */
export const GroupManifest1 = z.strictObject({
  schemaVersion: z.literal(1),
  campaignId: CampaignId,
  iteration: z.int().nonnegative(),
  purpose: RolloutPurpose,
  taskId: z.string(),
  policy: PolicyRef,
  trajectories: ArtifactRef.describe("Parquet, one row per trajectory in order of trial (Trajectories/1)"),
  outcomes: z.array(
    z.strictObject({
      type: OutcomeType,
      reward: z.union([z.literal(0), z.literal(1)]),
      numTurns: z.int(),
      stopReason: StopReason.exclude(["agent-stop", "error-cap"]),
    }),
  ),
  usage: Usage,
  seconds: z.number().nonnegative(),
  numRetriedRollouts: z.int().nonnegative().describe("rollouts that ended in env_error, sim_error or infra_error and were made again"),
  numResumedTurns: z.int().nonnegative().describe("turns taken from the journal of an earlier attempt"),
});

const StageName = z.enum(["rollout", "calibration", "redesign", "training", "evaluation"]);

/** campaigns/<id>/iterations/<nnnn>/<stage>.json */
export const StageManifest1 = z.strictObject({
  schemaVersion: z.literal(1),
  campaignId: CampaignId,
  iteration: z.int().nonnegative(),
  stage: StageName,
  inputs: z.record(z.string(), z.string()).describe("name -> sha256 or literal"),
  outputs: z.record(z.string(), ArtifactRef),
  metrics: z.record(z.string(), z.number()).describe("finite scalars of docs/metrics.md"),
  decision: z.string().nullable().describe("accept, reject, insufficient, promote, keep, …"),
  startedAt: z.iso.datetime(),
  seconds: z.number().nonnegative(),
  versions: z.record(z.string(), z.string()),
});

/** campaigns/<id>/iterations/<nnnn>/iteration.json: written when all stages are. What the next iteration starts from. */
export const IterationManifest1 = z.strictObject({
  schemaVersion: z.literal(1),
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
  evaluationPassRate: z.number(),
  trainTruncationRate: z.number().nullable(),
  modelCalls: z.int().nonnegative().describe("policy calls of this iteration's rollouts, training and evaluation"),
  finishedAt: z.iso.datetime(),
});

/** campaigns/<id>/end.json */
export const CampaignEnd1 = z.strictObject({
  schemaVersion: z.literal(1),
  campaignId: CampaignId,
  state: z.enum(["completed", "stopped"]),
  reason: z.string(),
  numIterations: z.int().nonnegative(),
  finalPolicy: PolicyRef,
  finishedAt: z.iso.datetime(),
});
