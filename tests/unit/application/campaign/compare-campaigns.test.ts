import { describe, expect, test } from "vitest";
import type { RecordedCampaign } from "#adapters/history/load.ts";
import { compareFinal, differingSettings } from "#application/campaign/compare-campaigns.ts";
import { describeDifferences, flatten } from "#application/campaign/differing-settings.ts";
import { NO_TEST_IN_0_1_0 } from "#contracts/upcast/manifests.ts";
import { sampleConfig, samplePolicy } from "../../../fixtures/sample-record.ts";

const config = sampleConfig();

/** A tested campaign whose final policy passes `passes[i]` of 2 trials of task i. */
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
  const report = { policyHash: id, purpose: "test", method, confidence: 0.95, doNothingFloor: 0.1, perTask };
  return {
    id,
    campaign: { config: change.config ?? config, dataSha256: change.dataSha256 ?? "d", basePolicy: samplePolicy("a") },
    end: null,
    iterations: [],
    test: { base: report, final: report },
  } as unknown as RecordedCampaign;
}

test("the difference is B minus A over the tasks that both have", () => {
  const a = campaign("a", { t1: 0, t2: 1, t3: 2, onlyA: 2 });
  const b = campaign("b", { t1: 2, t2: 2, t3: 1, onlyB: 0 });
  const { comparison, doNothingFloor, reason } = compareFinal(a, b);
  expect(comparison?.difference.value).toBeCloseTo((1 + 0.5 - 0.5) / 3, 12);
  expect(comparison).toMatchObject({ against: "a", policyHash: "a", numTasks: 3, numClusters: 3, numTasksBetter: 2, numTasksWorse: 1 });
  expect(comparison?.pHolm).toBe(comparison?.pValue);
  expect([doNothingFloor, reason]).toEqual([0.1, null]);
});

test("swapping the campaigns turns the sign", () => {
  const a = campaign("a", { t1: 0, t2: 1 });
  const b = campaign("b", { t1: 2, t2: 1 });
  expect(compareFinal(a, b).comparison?.difference.value).toBe(-(compareFinal(b, a).comparison?.difference.value ?? Number.NaN));
});

test("where one report knows the users of the tasks, both are compared over users", () => {
  const passes = { t1: 0, t2: 1, t3: 2 };
  const informed = campaign("a", passes, { clusterOf: (taskId) => (taskId === "t3" ? "user y" : "user x") });
  const old = campaign("b", { t1: 2, t2: 2, t3: 1 });
  expect(compareFinal(informed, old).comparison?.numClusters).toBe(2);
  expect(compareFinal(old, informed).comparison?.numClusters).toBe(2);
});

test.each([
  ["other data", campaign("b", { t1: 1 }, { dataSha256: "other" }), /different data/],
  ["no common task", campaign("b", { t9: 1 }), /in common/],
  [
    "other draws",
    campaign("b", { t1: 1 }, { config: { ...config, evaluation: { ...config.evaluation, seed: 5 } } }),
    /evaluation.seed 1 and 5/,
  ],
  ["no test", { ...campaign("b", { t1: 1 }), test: null }, /^b has no test: the test is opened once, when the campaign ends$/],
  [
    "no test in their config",
    { ...campaign("b", { t1: 1 }, { config: { ...config, test: null } }), test: null },
    /^b has no test: its config has test: null$/,
  ],
])("campaigns with %s are not compared", (_, b, reason) => {
  const comparison = compareFinal(campaign("a", { t1: 1 }), b);
  expect(comparison.comparison).toBeNull();
  expect(comparison.reason).toMatch(reason);
});

describe("campaigns of 0.1.0", () => {
  const untested = (id: string, passes: Readonly<Record<string, number>>, seed = 0) => {
    const own = campaign(id, passes, { config: { ...config, evaluation: { ...config.evaluation, seed }, test: null } });
    const report = { ...own.test?.final, purpose: "selection" };
    return { ...own, test: null, iterations: [{ iteration: 0, manifest: null, report }] } as unknown as RecordedCampaign;
  };

  test("are compared by what chose their policies, and it is called so", () => {
    const { comparison, purpose } = compareFinal(untested("a", { t1: 0, t2: 1 }, 7), untested("b", { t1: 2, t2: 1 }, 8));
    expect(comparison?.difference.value).toBe(0.5);
    expect(purpose).toBe("selection");
  });

  test("are never compared with a test", () => {
    const { comparison, reason } = compareFinal(untested("old", { t1: 0 }), campaign("new", { t1: 1 }));
    expect(comparison).toBeNull();
    expect(reason).toBe(`old has no test: ${NO_TEST_IN_0_1_0}`);
  });
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

test("what differs is said in words, the first few of many", () => {
  const other = { ...config, seed: 9, selection: null };
  expect(describeDifferences(config, { ...config, seed: 9 })).toBe(`seed is ${config.seed} there and 9 here`);
  expect(describeDifferences({ ...config, name: "a" }, { ...config, name: "b" })).toBe('name is "a" there and "b" here');
  expect(describeDifferences(other, config)).toContain("selection is null there and not set here");
  expect(describeDifferences(config, {} as typeof config).split("; ")).toHaveLength(9);
  expect(describeDifferences(config, {} as typeof config)).toMatch(/; and \d+ more$/);
});
