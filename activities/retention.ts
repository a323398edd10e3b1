// What a campaign keeps no longer goes when an iteration is complete. Housekeeping: its failure is told, and stops no campaign.
import type { ApplyRetentionInput, ApplyRetentionResult } from "#contracts/activities.ts";
import { CampaignError } from "#core/errors.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { withHeartbeat } from "./heartbeat.ts";

export function createRetentionActivities(deps: ActivityDependencies) {
  return {
    async applyRetention({ campaignId }: ApplyRetentionInput): Promise<ApplyRetentionResult> {
      return await withHeartbeat(async () => {
        try {
          return { freedBytes: await deps.applyRetention(campaignId), problem: null };
        } catch (error) {
          if (!(error instanceof CampaignError)) throw error;
          return { freedBytes: 0, problem: `${error.code}: ${error.message}` };
        }
      });
    },
  };
}
