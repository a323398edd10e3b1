// A sliding window over groups. One activity is one group: complete or absent.
import { condition, setHandler } from "@temporalio/workflow";
import type { GroupSummary, RolloutBatchInput } from "#contracts/activities.ts";
import { rolloutActivities } from "./activity-options.ts";
import { pausedSignal, progressQuery } from "./messages.ts";

const NOTHING: GroupSummary = {
  numRollouts: 0,
  numPasses: 0,
  numTruncated: 0,
  numRetriedRollouts: 0,
  modelCalls: 0,
  promptTokens: 0,
  completionTokens: 0,
};

/** Rolls out every task once as a group of G trials. Answers the sums over all groups; the groups themselves are in the record. */
export async function rolloutBatch(input: RolloutBatchInput): Promise<GroupSummary> {
  let { isPaused } = input;
  let total = NOTHING;
  let done = 0;
  const waiting = [...input.taskIds];
  setHandler(pausedSignal, (value) => {
    isPaused = value;
  });
  setHandler(progressQuery, () => ({ done, total: input.taskIds.length }));

  const { campaignId, config, iteration, purpose, policy } = input;
  const takeGroups = async (): Promise<void> => {
    for (;;) {
      await condition(() => !isPaused);
      const taskId = waiting.shift();
      if (taskId === undefined) return;
      const group = await rolloutActivities.rolloutGroup({ campaignId, config, iteration, purpose, taskId, policy });
      total = add(total, group);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: config.rollout.concurrentGroups }, takeGroups));
  return total;
}

function add(left: GroupSummary, right: GroupSummary): GroupSummary {
  return {
    numRollouts: left.numRollouts + right.numRollouts,
    numPasses: left.numPasses + right.numPasses,
    numTruncated: left.numTruncated + right.numTruncated,
    numRetriedRollouts: left.numRetriedRollouts + right.numRetriedRollouts,
    modelCalls: left.modelCalls + right.modelCalls,
    promptTokens: left.promptTokens + right.promptTokens,
    completionTokens: left.completionTokens + right.completionTokens,
  };
}
