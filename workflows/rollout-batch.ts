// A sliding window over groups. One activity is one group: complete or absent. Continues as new after every page of groups, and within a
// page whose history has grown long.
import { condition, continueAsNew, setHandler, workflowInfo } from "@temporalio/workflow";
import { type GroupSummary, PAGE_SIZE } from "#contracts/activities.ts";
import type { RolloutPurpose } from "#contracts/manifests.ts";
import type { Meters } from "#contracts/meters.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { reachedBudget } from "#core/campaign/budget.ts";
import { addSummaries, NO_GROUPS } from "#core/campaign/group-summary.ts";
import { addMeters } from "#core/campaign/meters.ts";
import { controlActivities, rolloutActivities } from "./activity-options.ts";
import { LONG_HISTORY } from "./long-history.ts";
import { type Heard, heardSignal, later, progressQuery } from "./messages.ts";
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
  /** Of the pages before this one; absent for the first. */
  readonly before?: { readonly offset: number; readonly total: number; readonly summary: GroupSummary };
}

export interface RolloutBatchResult {
  readonly summary: GroupSummary;
  /** What of the budget is used up; null when all groups are there. */
  readonly reached: string | null;
}

/** Rolls out every planned task once as a group of G trials. Answers the sums over all groups; the groups themselves are in the record. */
export async function rolloutBatch(input: RolloutBatchInput): Promise<RolloutBatchResult> {
  const { campaignId, iteration, purpose, policy, concurrentGroups } = input;
  const before = input.before ?? { offset: 0, total: 0, summary: NO_GROUPS };
  let { heard } = input;
  let { summary, total } = before;
  const clock = new RunningClock(input.runningSeconds);
  clock.run(heard.pause === null);
  setHandler(heardSignal, (told) => {
    heard = later(heard, told);
    clock.run(heard.pause === null);
  });
  setHandler(progressQuery, () => ({ done: summary.numGroups, total }));

  const page = await controlActivities.planTasks({ campaignId, iteration, purpose, offset: before.offset, limit: PAGE_SIZE });
  total = page.total;
  summary = addSummaries(before.summary, page.committed);
  const waiting = [...page.taskIds];
  const reached = () => reachedBudget(heard.budget, { meters: addMeters(input.spent, summary.meters), runningSeconds: clock.seconds() });
  const isLong = () => workflowInfo().historyLength > LONG_HISTORY;

  const takeGroups = async (): Promise<void> => {
    for (;;) {
      await condition(() => heard.pause === null);
      if (waiting.length === 0 || reached() !== null || isLong()) return;
      const taskId = waiting.shift() as string;
      const group = await rolloutActivities.rolloutGroup({ campaignId, iteration, purpose, taskId, policy });
      summary = addSummaries(summary, group);
    }
  };
  // A budget that is raised while the last groups end lets the rest go on.
  do await Promise.all(Array.from({ length: concurrentGroups }, takeGroups));
  while (waiting.length > 0 && reached() === null && !isLong());

  const isPageDone = waiting.length === 0;
  if (!isPageDone && reached() !== null) return { summary, reached: reached() };
  const offset = before.offset + PAGE_SIZE;
  if (isPageDone && offset >= total) return { summary, reached: null };
  // An unfinished page is planned anew, and finds in the record what it has done.
  const next = isPageDone ? { offset, total, summary } : { ...before, total };
  return continueAsNew<typeof rolloutBatch>({ ...input, heard, before: next, runningSeconds: clock.seconds() });
}
