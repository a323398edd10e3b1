import { expect, test } from "vitest";
import { rolloutWorkflows, stagesWorkflow } from "#application/campaign/stage-workflows.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";

const at = (stage: CampaignStatus["stage"], promotedIteration = 2) => ({ campaignId: "c", iteration: 3, stage, promotedIteration });

test.each([
  ["rollout", "campaign/c/iteration/3", ["campaign/c/iteration/3/rollout/train"]],
  ["training", "campaign/c/iteration/3", []],
  ["selection", "campaign/c/iteration/3", ["campaign/c/iteration/3/rollout/selection"]],
  ["test", "campaign/c/test", ["campaign/c/test/rollout/0", "campaign/c/test/rollout/2"]],
  [null, "campaign/c/iteration/3", []],
] as const)("in stage %s work is looked for where it is done", (stage, stages, rollouts) => {
  expect(stagesWorkflow(at(stage))).toBe(stages);
  expect(rolloutWorkflows(at(stage))).toEqual(rollouts);
});

test("a base policy that is final is rolled out once", () => {
  expect(rolloutWorkflows(at("test", 0))).toEqual(["campaign/c/test/rollout/0"]);
});
