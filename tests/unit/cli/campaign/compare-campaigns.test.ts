import { expect, test } from "vitest";
import type { RecordedCampaign } from "#adapters/history/load.ts";
import { comparePromoted, differingSettings, flatten } from "../../../../src/cli/campaign/compare-campaigns.ts";
import { sampleConfig, samplePolicy } from "../../../fixtures/sample-record.ts";

const config = sampleConfig();

/** A campaign whose base policy passes `passes[i]` of 2 trials of task i. */
function campaign(
  id: string,
  passes: Readonly<Record<string, number>>,
  change: { dataSha256?: string; config?: typeof config; clusterOf?: (taskId: string) => string } = {},
): RecordedCampaign {
  const clusterOf = change.clusterOf ?? ((taskId: string) => `task ${taskId}`);
  const method = change.clusterOf === undefined ? "bootstrap-tasks/1" : "clusters/1";
  const perTask = Object.entries(passes).map(([taskId, numPasses]) => ({
    taskId,
    cluster: clusterOf(taskId),
    kind: "cancel",
    numPasses,
    trials: 2,
  }));
  const report = { policyHash: id, method, confidence: 0.95, doNothingFloor: 0.1, perTask };
  return {
    id,
    campaign: { config: change.config ?? config, dataSha256: change.dataSha256 ?? "d", basePolicy: samplePolicy("a") },
    end: null,
    iterations: [{ iteration: 0, manifest: null, stages: [], report, tableBefore: null, tableAfter: null }],
  } as unknown as RecordedCampaign;
}

test("the difference is B minus A over the tasks that both have", () => {
  const a = campaign("a", { t1: 0, t2: 1, t3: 2, onlyA: 2 });
  const b = campaign("b", { t1: 2, t2: 2, t3: 1, onlyB: 0 });
  const { comparison, doNothingFloor, reason } = comparePromoted(a, b);
  expect(comparison?.difference.value).toBeCloseTo((1 + 0.5 - 0.5) / 3, 12);
  expect(comparison).toMatchObject({ against: "a", policyHash: "a", numTasks: 3, numClusters: 3, numTasksBetter: 2, numTasksWorse: 1 });
  expect(comparison?.pHolm).toBe(comparison?.pValue);
  expect([doNothingFloor, reason]).toEqual([0.1, null]);
});

test("swapping the campaigns turns the sign", () => {
  const a = campaign("a", { t1: 0, t2: 1 });
  const b = campaign("b", { t1: 2, t2: 1 });
  expect(comparePromoted(a, b).comparison?.difference.value).toBe(-(comparePromoted(b, a).comparison?.difference.value ?? Number.NaN));
});

test("where one report knows the users of the tasks, both are compared over users", () => {
  const passes = { t1: 0, t2: 1, t3: 2 };
  const informed = campaign("a", passes, { clusterOf: (taskId) => (taskId === "t3" ? "user y" : "user x") });
  const old = campaign("b", { t1: 2, t2: 2, t3: 1 });
  expect(comparePromoted(informed, old).comparison?.numClusters).toBe(2);
  expect(comparePromoted(old, informed).comparison?.numClusters).toBe(2);
});

test.each([
  ["other data", campaign("b", { t1: 1 }, { dataSha256: "other" }), /different data/],
  ["no common task", campaign("b", { t9: 1 }), /in common/],
  ["no evaluation", { ...campaign("b", {}), iterations: [] }, /no evaluation/],
])("campaigns with %s are not compared", (_, b, reason) => {
  const comparison = comparePromoted(campaign("a", { t1: 1 }), b);
  expect(comparison.comparison).toBeNull();
  expect(comparison.reason).toMatch(reason);
});

test("settings that differ are named by their path, the campaign's name is none", () => {
  const other = {
    ...config,
    name: "x",
    seed: 8,
    rollout: { ...config.rollout, groupSize: 4 },
    stop: { maxIterations: 2, targetPassRate: 0.9 },
  };
  expect(differingSettings(campaign("a", {}), campaign("b", {}, { config: other }))).toEqual([
    { path: "rollout.groupSize", a: 2, b: 4 },
    { path: "seed", a: 7, b: 8 },
    { path: "stop.targetPassRate", a: undefined, b: 0.9 },
  ]);
});

test("flattening keeps arrays and null as values", () => {
  expect(Object.fromEntries(flatten({ a: { b: [1, 2], c: null }, d: 1 }))).toEqual({ "a.b": [1, 2], "a.c": null, d: 1 });
});
