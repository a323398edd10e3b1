// Which workflows do the work of the stage that a campaign is in.
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { iterationWorkflowId, rolloutWorkflowId, testWorkflowId } from "#contracts/workflow-ids.ts";

type Place = Pick<CampaignStatus, "campaignId" | "iteration" | "stage" | "promotedIteration">;

/** The child that goes through the stages: an iteration, or the test. */
export function stagesWorkflow({ campaignId, iteration, stage }: Place): string {
  return stage === "test" ? testWorkflowId(campaignId) : iterationWorkflowId(campaignId, iteration);
}

/** The rollouts that the stage makes, in their order. The test rolls out the base policy, then the final one where it is another. */
export function rolloutWorkflows({ campaignId, iteration, stage, promotedIteration }: Place): string[] {
  switch (stage) {
    case "rollout":
      return [rolloutWorkflowId(campaignId, iteration, "train")];
    case "selection":
    case "base-selection":
      return [rolloutWorkflowId(campaignId, iteration, "selection")];
    case "test":
      return [...new Set([0, promotedIteration])].map((measured) => rolloutWorkflowId(campaignId, measured, "test"));
    default:
      return [];
  }
}
