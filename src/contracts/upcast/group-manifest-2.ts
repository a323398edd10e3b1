// The group manifest as releases 0.2.0 and 0.3.0 wrote it. Frozen: it reads what they recorded, and nothing else.
import { z } from "zod";
import { ArtifactRef } from "../artifact-ref.ts";
import { CampaignId } from "../manifests.ts";
import { Meters } from "../meters.ts";
import { PolicyRef } from "../policy.ts";
import { FailedOutcomeType, OutcomeType, StopReason, Usage } from "../trajectory.ts";

export const GroupManifest2 = z.strictObject({
  schemaVersion: z.literal(2),
  campaignId: CampaignId,
  iteration: z.int().nonnegative(),
  purpose: z.enum(["train", "selection", "test"]),
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
  meters: Meters,
  seconds: z.number().nonnegative(),
  numRetriedRollouts: z.int().nonnegative(),
  retriedByOutcome: z.partialRecord(FailedOutcomeType, z.int().positive()),
  numFlaggedStops: z.int().nonnegative(),
  numResumedTurns: z.int().nonnegative(),
});
