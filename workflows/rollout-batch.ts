// A sliding window over groups. One activity is one group: complete or absent. Continues as new after every page of groups.
import { condition, continueAsNew, setHandler } from "@temporalio/workflow";
import { type GroupSummary, PAGE_SIZE } from "#contracts/activities.ts";
import type { RolloutPurpose } from "#contracts/manifests.ts";
import type { Meters } from "#contracts/meters.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { reachedBudget } from "#core/campaign/budget.ts";
import { addMeters, NO_METERS } from "#core/campaign/meters.ts";
import { controlActivities, rolloutActivities } from "./activity-options.ts";
import { type Heard, heardSignal, progressQuery } from "./messages.ts";
import { RunningClock } from "./running-clock.ts";

export interface RolloutBatchInput {
  readonly campaignId: string;
  readonly iteration: number;
  readonly purpose: RolloutPurpose;
  readonly policy: PolicyRef;
  readonly concurrentGroups: number;
  /** By the campaign before these rollouts. */
  readonly spent: Meters;
  readonly runningSeconds: number;
  readonly heard: Heard;
  /** Of the pages before. */
  readonly summary?: GroupSummary;
}

export interface RolloutBatchResult {
  readonly summary: GroupSummary;
  /** What of the budget is used up; null when all groups are there. */
  readonly reached: string | null;
}

const NOTHING: GroupSummary = { numGroups: 0, numRollouts: 0, meters: NO_METERS };

/** Rolls out every planned task once as a group of G trials. Answers the sums over all groups; the groups themselves are in the record. */
export async function rolloutBatch(input: RolloutBatchInput): Promise<RolloutBatchResult> {
  const { campaignId, iteration, purpose, policy, concurrentGroups } = input;
  let { heard, summary = NOTHING } = input;
  let total = 0;
  const clock = new RunningClock(input.runningSeconds);
  clock.run(heard.pause === null);
  setHandler(heardSignal, (next) => {
    heard = next;
    clock.run(heard.pause === null);
  });
  setHandler(progressQuery, () => ({ done: summary.numGroups, total }));

  const page = await controlActivities.planTasks({ campaignId, iteration, purpose, offset: summary.numGroups, limit: PAGE_SIZE });
  total = page.total;
  const waiting = [...page.taskIds];
  const reached = () => reachedBudget(heard.budget, { meters: addMeters(input.spent, summary.meters), runningSeconds: clock.seconds() });

  const takeGroups = async (): Promise<void> => {
    for (;;) {
      await condition(() => heard.pause === null);
      if (waiting.length === 0 || reached() !== null) return;
      const taskId = waiting.shift() as string;
      const group = await rolloutActivities.rolloutGroup({ campaignId, iteration, purpose, taskId, policy });
      summary = add(summary, group);
    }
  };
  // A budget that is raised while the last groups end lets the rest go on.
  do await Promise.all(Array.from({ length: concurrentGroups }, takeGroups));
  while (waiting.length > 0 && reached() === null);
  if (waiting.length > 0) return { summary, reached: reached() };
  if (summary.numGroups >= total) return { summary, reached: null };
  return continueAsNew<typeof rolloutBatch>({ ...input, heard, summary, runningSeconds: clock.seconds() });
}

function add(left: GroupSummary, right: GroupSummary): GroupSummary {
  return {
    numGroups: left.numGroups + right.numGroups,
    numRollouts: left.numRollouts + right.numRollouts,
    meters: addMeters(left.meters, right.meters),
  };
}
