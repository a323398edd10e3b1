// The guards at their edges: what is exactly at a limit, what says too little, what is switched off.
import { describe, expect, test } from "vitest";
import { GuardConfig } from "#contracts/campaign-config.ts";
import { reachedBudget } from "#core/campaign/budget.ts";
import { guardDisk, guardGradient, guardRejects, guardRollouts } from "#core/campaign/guards.ts";
import { NO_METERS, NOTHING_METERED } from "#core/campaign/meters.ts";

const guards = GuardConfig.parse({});
const off = GuardConfig.parse(Object.fromEntries(Object.keys(guards).map((name) => [name, null])));
const codes = (raised: readonly { code: string }[]) => raised.map(({ code }) => code);

const calm = { passRate: 0.5, truncationRate: 0, userErrorRate: 0 };
const before = { trainTruncationRate: 0.1, bestTrainPassRate: 0.5 };

describe("rollouts", () => {
  test.each([
    ["twice the rate before", { truncationRate: 0.2 }, before, ["guard.truncation"]],
    ["just below twice", { truncationRate: 0.199 }, before, []],
    ["more than twice, but at 5 % only", { truncationRate: 0.05 }, { ...before, trainTruncationRate: 0.01 }, []],
    ["above 5 % after none at all", { truncationRate: 0.051 }, { ...before, trainTruncationRate: 0 }, ["guard.truncation"]],
    ["no rate before", { truncationRate: 1 }, { ...before, trainTruncationRate: null }, []],
    ["a share of user errors at the limit", { userErrorRate: 0.2 }, before, []],
    ["a share of user errors above it", { userErrorRate: 0.201 }, before, ["guard.user-errors"]],
    ["half the best pass rate", { passRate: 0.25 }, before, []],
    ["less than half of it", { passRate: 0.249 }, before, ["guard.pass-rate-collapse"]],
    [
      "less than half of a best rate that was 10 %",
      { passRate: 0.04 },
      { ...before, bestTrainPassRate: 0.1 },
      ["guard.pass-rate-collapse"],
    ],
    ["less than half of a best rate below 10 %", { passRate: 0 }, { ...before, bestTrainPassRate: 0.099 }, []],
    ["no pass rate before", { passRate: 0 }, { ...before, bestTrainPassRate: null }, []],
    [
      "all at once",
      { passRate: 0, truncationRate: 1, userErrorRate: 1 },
      before,
      ["guard.truncation", "guard.user-errors", "guard.pass-rate-collapse"],
    ],
  ])("%s", (_name, now, earlier, expected) => {
    expect(codes(guardRollouts(guards, earlier, { ...calm, ...now }))).toEqual(expected);
    expect(guardRollouts(off, earlier, { ...calm, ...now })).toEqual([]);
  });
});

test.each([
  [0, "reject", []],
  [1, "reject", ["guard.gate-rejects"]],
  [1, "insufficient", []],
  [5, "accept", []],
])("after %d rejections in a row, %s: %j", (consecutiveRejects, decision, expected) => {
  expect(codes(guardRejects(guards, { consecutiveRejects }, decision))).toEqual(expected);
  expect(guardRejects(off, { consecutiveRejects }, decision)).toEqual([]);
});

test.each([
  [10, []],
  [10.01, ["guard.gradient-norm"]],
  [Number.POSITIVE_INFINITY, ["guard.gradient-norm"]],
])("a gradient norm of %d: %j", (norm, expected) => {
  expect(codes(guardGradient(guards, norm))).toEqual(expected);
  expect(guardGradient(off, norm)).toEqual([]);
});

test.each([
  [2, []],
  [1.99, ["guard.disk"]],
  [0, ["guard.disk"]],
])("%d GB of free space: %j", (freeGb, expected) => {
  expect(codes(guardDisk(guards, freeGb))).toEqual(expected);
  expect(guardDisk(off, freeGb)).toEqual([]);
});

describe("the budget", () => {
  const spent = {
    meters: {
      ...NO_METERS,
      policy: { ...NOTHING_METERED, calls: 60, usd: 1 },
      user: { ...NOTHING_METERED, calls: 39, usd: 1.5 },
      proposer: { ...NOTHING_METERED, calls: 1, usd: 0.25 },
      trainer: { ...NOTHING_METERED, gpuSeconds: 3600, usd: 2.25 },
    },
    runningSeconds: 7200,
  };
  test.each([
    [{}, null],
    [{ maxModelCalls: 101, maxUsd: 5.01, maxHours: 2.01 }, null],
    [{ maxModelCalls: 100 }, "100 model calls reached the budget of 100"],
    [{ maxUsd: 5 }, "5.00 USD reached the budget of 5"],
    [{ maxHours: 2 }, "2 hours of running reached the budget of 2"],
  ])("%j of all parties' work: %s", (budget, expected) => {
    expect(reachedBudget(budget, spent)).toBe(expected);
  });
});
