// What is left of a page of rollouts, and what the rest has cost, of a real campaign that was interrupted in its first iteration.
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { readSettings } from "#adapters/settings.ts";
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import type { TaskPage, TaskPageInput } from "#contracts/activities.ts";
import { addSummaries, NO_GROUPS } from "#core/campaign/group-summary.ts";
import type { ActivityDependencies } from "../../../activities/dependencies.ts";
import { createRolloutActivities } from "../../../activities/rollout.ts";

const CAMPAIGN = "interrupted";
const record = new CampaignRecord(new LocalArtifactStore(fileURLToPath(new URL("../../fixtures/records/0.1.0", import.meta.url))));
const used = {
  record,
  openTaskSet: (config: Parameters<ActivityDependencies["openTaskSet"]>[0]) => openTaskSet(config, readSettings()),
};
const { planTasks } = createRolloutActivities(used as unknown as ActivityDependencies);
const plan = (offset: number, limit: number, purpose: TaskPageInput["purpose"] = "train") =>
  planTasks({ campaignId: CAMPAIGN, iteration: 1, purpose, offset, limit });

let whole: TaskPage;
let committed: string[];
beforeAll(async () => {
  whole = await plan(0, 256);
  committed = await record.listGroups(CAMPAIGN, 1, "train");
});

test("committed groups are summed up, the others are planned", async () => {
  expect(committed).toHaveLength(29);
  expect(whole.committed.numGroups).toBe(29);
  expect(whole.taskIds).toHaveLength(whole.total - 29);
  expect(whole.taskIds.filter((id) => committed.includes(id))).toEqual([]);
  const groups = await Promise.all(committed.map((taskId) => record.readGroup(CAMPAIGN, 1, "train", taskId)));
  expect(whole.committed.numRollouts).toBe(groups.reduce((sum, group) => sum + (group?.outcomes.length ?? 0), 0));
  expect(whole.committed.meters.policy.calls).toBe(groups.reduce((sum, group) => sum + (group?.meters.policy.calls ?? 0), 0));
  expect(whole.committed.meters.policy.calls).toBeGreaterThan(0);
});

test("pages together are the whole, in its order", async () => {
  const limit = 7;
  const pages: TaskPage[] = [];
  for (let offset = 0; offset < whole.total; offset += limit) pages.push(await plan(offset, limit));
  expect(pages.flatMap(({ taskIds }) => taskIds)).toEqual(whole.taskIds);
  expect(pages.map((page) => page.committed).reduce(addSummaries, NO_GROUPS)).toEqual(whole.committed);
  for (const page of pages) expect(page.total).toBe(whole.total);
});

test("where nothing is committed everything is planned", async () => {
  const { taskIds, committed: none, total } = await plan(0, 256, "selection");
  expect(none).toEqual(NO_GROUPS);
  expect(taskIds).toHaveLength(total);
});
