// Histories stay below 4,096 events and payloads below 64 KiB, whatever the number of groups (10,000 by hand: docs/decisions/2026-11-30-words-before-effects.md).
import "../support/quiet-temporal.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PAGE_SIZE } from "#contracts/activities.ts";
import { CampaignWorld } from "./campaign-world.ts";
import { measureHistories } from "./measure-histories.ts";

let world: CampaignWorld;
beforeAll(async () => {
  world = await CampaignWorld.open();
});
afterAll(() => world?.close());

test("a stage of many groups is cut into runs of one page each, far below the server's limits", async () => {
  const numGroups = 5 * PAGE_SIZE + 20;
  const { byWorkflow, numBegun } = await measureHistories(world, numGroups);
  expect(numBegun).toBe(numGroups);
  const runs = byWorkflow.filter(({ workflowId }) => workflowId.endsWith("/rollout/train"));
  expect(runs).toHaveLength(6);
  for (const kind of ["/iteration/1", "/test", "/test/rollout/1"])
    expect(byWorkflow.filter(({ workflowId }) => workflowId.endsWith(kind)).length, kind).toBe(1);
  for (const { numEvents, longestPayload, workflowId } of byWorkflow) {
    expect(numEvents, workflowId).toBeLessThan(4096);
    expect(longestPayload, workflowId).toBeLessThan(64 * 1024);
  }
}, 180_000);
