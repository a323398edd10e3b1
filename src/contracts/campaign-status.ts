// What the campaign workflow answers to `status`, and what the updates take and give.
import { z } from "zod";
import { StageName } from "./manifests.ts";

export const CampaignState = z.enum([
  "starting",
  "running",
  "pausing",
  "paused",
  "waiting-for-approval",
  "stopping",
  "stopped",
  "completed",
]);
export type CampaignState = z.infer<typeof CampaignState>;

export const CampaignStatus = z
  .strictObject({
    campaignId: z.string(),
    state: CampaignState,
    reason: z.strictObject({ code: z.string(), message: z.string(), next: z.string() }).nullable(),
    iteration: z.int().nonnegative(),
    maxIterations: z.int().positive(),
    stage: z.union([StageName, z.literal("base-evaluation")]).nullable(),
    progress: z.strictObject({ done: z.int(), total: z.int() }).nullable(),
    promotedPolicy: z.string(),
    evaluationPassRate: z.number().nullable(),
    basePassRate: z.number().nullable(),
    modelCalls: z.int().nonnegative(),
  })
  .meta({ id: "CampaignStatus" });
export type CampaignStatus = z.infer<typeof CampaignStatus>;
