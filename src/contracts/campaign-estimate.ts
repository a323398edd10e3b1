// What a campaign is expected to take, said before it runs and kept beside what it took.
import { z } from "zod";

export const CampaignEstimate = z
  .strictObject({
    rollouts: z.int().nonnegative(),
    policyCalls: z.int().nonnegative(),
    userCalls: z.int().nonnegative(),
    usd: z.number().nonnegative().describe("of the user model, and of GPU time where a price and a measure of it are known"),
    basis: z.string().describe("what the means come from: the record's own rollouts of the same environment and user, or published ones"),
  })
  .meta({ id: "CampaignEstimate" });
export type CampaignEstimate = z.infer<typeof CampaignEstimate>;
