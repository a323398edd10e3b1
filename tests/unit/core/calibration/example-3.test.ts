import { describe, expect, test } from "vitest";
import type { AdvantageConfig } from "#contracts/advantage-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { analyse, assessTable, describeSplit, findingOf } from "#core/calibration/assess.ts";
import { groupByTask } from "#core/calibration/buffer.ts";
import { fitTable } from "#core/calibration/fit-table.ts";
import { pooledCorrelation } from "#core/calibration/statistics.ts";
import { sumRows, taskSums } from "#core/calibration/task-sums.ts";
import { turnAdvantages } from "#core/calibration/turn-advantages.ts";
import { tierScheme } from "#core/reward/tiers.ts";
import { CONFIG, EXAMPLE_3, HYBRID, IRC, MT_GRPO, NAIVE } from "./example-3.ts";

const TASKS = groupByTask(EXAMPLE_3);
const TIERS = tierScheme("paper/1").tiers;
const OPTIONS = { resamples: 100, confidence: 0.95, seed: "example" };

function assess(table: RewardTable, advantage: AdvantageConfig) {
  const layout = { tiers: TIERS, tables: [table] };
  return assessTable(
    analyse("all", taskSums(TASKS, layout, [turnAdvantages(TASKS, table, advantage)]), layout, { minTurns: 1 }, OPTIONS),
    layout,
    0,
    ["author"],
  );
}
const meanOf = (assessment: ReturnType<typeof assess>, tier: string, kind: "immediate" | "proxy" | "summed" | "estimator") =>
  assessment.tiers.find((one) => one.tier === tier)?.[kind].value ?? Number.NaN;
const mismatched = (assessment: ReturnType<typeof assess>, kind: "isProxyMismatch" | "isEstimatorMismatch") =>
  assessment.tiers.filter((tier) => tier[kind]).map(({ tier }) => tier);

/** Algorithm 1 with alpha 1 and delta 0.05 on all eight rollouts. */
const sums = sumRows(taskSums(TASKS, { tiers: TIERS, tables: [] }));
const pooled = TIERS.map((_, tier) => pooledCorrelation(sums, tier));
const ALGORITHM_1 = fitTable({
  scheme: tierScheme("paper/1"),
  evidence: TIERS.map((tier, c) => ({
    tier,
    pooled: Number.isNaN(pooled[c]) ? null : (pooled[c] ?? null),
    withinTask: { value: null, low: null, high: null },
    support: 0,
  })),
  authorTable: NAIVE,
  inForceTable: NAIVE,
  config: { ...CONFIG, rule: "algorithm-1" },
  iteration: 1,
  bufferSha256: "0".repeat(64),
}).table;
const TABLES = { naive: NAIVE, fitted: ALGORITHM_1, irc: IRC };

describe("example 3", () => {
  test("pooled correlations", () => {
    const expected: Record<string, number> = {
      gold: 1,
      soft: -0.066667,
      state: -0.29277,
      error: -0.29277,
      duplicate: -0.29277,
      message: 0.466667,
    };
    for (const [tier, value] of Object.entries(expected))
      expect(pooled[TIERS.indexOf(tier as (typeof TIERS)[number])]).toBeCloseTo(value, 6);
    expect(pooled[TIERS.indexOf("read")]).toBeNaN();
  });

  test("algorithm 1 weighs each tier by its pooled correlation and drops read", () => {
    const expected: Record<string, number> = {
      gold: 1,
      soft: -0.066667,
      read: 0,
      state: -0.29277,
      error: -0.29277,
      duplicate: -0.29277,
      message: 0.466667,
    };
    for (const [tier, value] of Object.entries(expected)) expect(ALGORITHM_1.values[tier]).toBeCloseTo(value, 6);
    expect(ALGORITHM_1.intendedSigns).toMatchObject({ gold: 1, soft: 1, read: 0, state: -1, error: -1, duplicate: -1 });
  });

  test.each([
    {
      statistic: "immediate advantage of read",
      expected: { naive: 0.09222, fitted: 0.122084, irc: -0.075657 },
      of: (t: RewardTable) => meanOf(assess(t, HYBRID), "read", "immediate"),
    },
    {
      statistic: "MT-GRPO advantage of read",
      expected: { naive: -0.070711, fitted: 0.029285, irc: -0.170713 },
      of: (t: RewardTable) => meanOf(assess(t, MT_GRPO), "read", "estimator"),
    },
    {
      statistic: "hybrid advantage of read",
      expected: { naive: -0.132987, fitted: -0.112591, irc: -0.17713 },
      of: (t: RewardTable) => meanOf(assess(t, HYBRID), "read", "estimator"),
    },
    {
      statistic: "hybrid advantage of gold",
      expected: { naive: 1.077972, fitted: 1.20185, irc: 1.088877 },
      of: (t: RewardTable) => meanOf(assess(t, HYBRID), "gold", "estimator"),
    },
    {
      statistic: "hybrid advantage of soft",
      expected: { naive: 0.058742, fitted: -0.225525, irc: 0.143736 },
      of: (t: RewardTable) => meanOf(assess(t, HYBRID), "soft", "estimator"),
    },
    {
      statistic: "hybrid advantage of state",
      expected: { naive: -1.112672, fitted: -1.269056, irc: -1.078588 },
      of: (t: RewardTable) => meanOf(assess(t, HYBRID), "state", "estimator"),
    },
    {
      statistic: "hybrid advantage of error",
      expected: { naive: -1.259995, fitted: -1.07853, irc: -1.177656 },
      of: (t: RewardTable) => meanOf(assess(t, HYBRID), "error", "estimator"),
    },
    {
      statistic: "hybrid advantage of duplicate",
      expected: { naive: -1.275296, fitted: -1.363761, irc: -1.275296 },
      of: (t: RewardTable) => meanOf(assess(t, HYBRID), "duplicate", "estimator"),
    },
    {
      statistic: "hybrid advantage of message",
      expected: { naive: 0.622565, fitted: 0.736094, irc: 0.635001 },
      of: (t: RewardTable) => meanOf(assess(t, HYBRID), "message", "estimator"),
    },
    {
      statistic: "pooled correlation of mean reward and outcome",
      expected: { naive: 0.57744, fitted: 0.961965, irc: 0.716264 },
      of: (t: RewardTable) => assess(t, HYBRID).rewardOutcomePooled.value,
    },
    {
      statistic: "discriminative accuracy over 7 pairs",
      expected: { naive: 6 / 7, fitted: 1, irc: 6 / 7 },
      of: (t: RewardTable) => assess(t, HYBRID).discriminativeAccuracy.value,
    },
    {
      statistic: "correlation of hybrid advantage and outcome",
      expected: { naive: 0.916676, fitted: 0.939376, irc: 0.917481 },
      of: (t: RewardTable) => assess(t, HYBRID).advantageOutcome.value,
    },
    {
      statistic: "correlation of MT-GRPO advantage and outcome",
      expected: { naive: 0.7726, fitted: 0.909938, irc: 0.864517 },
      of: (t: RewardTable) => assess(t, MT_GRPO).advantageOutcome.value,
    },
    {
      statistic: "turn misalignment, hybrid",
      expected: { naive: 9 / 19, fitted: 2 / 9, irc: 2 / 9 },
      of: (t: RewardTable) => assess(t, HYBRID).turnMisalignment.value,
    },
    {
      statistic: "turn misalignment, MT-GRPO",
      expected: { naive: 8 / 19, fitted: 2 / 9, irc: 1 / 9 },
      of: (t: RewardTable) => assess(t, MT_GRPO).turnMisalignment.value,
    },
    { statistic: "dead turns", expected: { naive: 0, fitted: 0, irc: 0 }, of: (t: RewardTable) => assess(t, HYBRID).deadTurns.value },
  ])("$statistic", ({ expected, of }) => {
    for (const name of ["naive", "fitted", "irc"] as const) {
      const value = of(TABLES[name]);
      expect(value, name).not.toBeNull();
      expect(Math.abs((value ?? Number.NaN) - expected[name]), `${name}: ${value}`).toBeLessThanOrEqual(1e-6);
    }
  });

  test("mismatched tiers: the paid read is suppressed, algorithm 1 turns soft around, the published values pass", () => {
    expect(mismatched(assess(NAIVE, MT_GRPO), "isEstimatorMismatch")).toEqual(["read"]);
    expect(mismatched(assess(NAIVE, HYBRID), "isEstimatorMismatch")).toEqual(["read"]);
    expect(mismatched(assess(NAIVE, HYBRID), "isProxyMismatch")).toEqual([]);
    for (const advantage of [MT_GRPO, HYBRID]) expect(mismatched(assess(ALGORITHM_1, advantage), "isEstimatorMismatch")).toEqual(["soft"]);
    expect(mismatched(assess(ALGORITHM_1, HYBRID), "isProxyMismatch")).toEqual(["soft"]);
    for (const advantage of [MT_GRPO, HYBRID]) expect(mismatched(assess(IRC, advantage), "isEstimatorMismatch")).toEqual([]);
  });

  test.each([
    { name: "naive" as const, expected: 0.911499 },
    { name: "fitted" as const, expected: 0.953224 },
    { name: "irc" as const, expected: 0.900011 },
  ])("correlation over tiers of pooled correlation and hybrid advantage: $name", ({ name, expected }) => {
    const assessment = assess(TABLES[name], HYBRID);
    const points = assessment.tiers.flatMap(({ numTurns, estimator }, c) =>
      Number.isNaN(pooled[c]) ? [] : [{ weight: numTurns, x: pooled[c] ?? 0, y: estimator.value ?? 0 }],
    );
    expect(points).toHaveLength(6);
    expect(weightedCorrelation(points)).toBeCloseTo(expected, 6);
  });

  test("the sizes of the buffer", () => {
    const layout = { tiers: TIERS, tables: [NAIVE] };
    const findings = analyse("all", taskSums(TASKS, layout, [turnAdvantages(TASKS, NAIVE, HYBRID)]), layout, { minTurns: 1 }, OPTIONS);
    expect(describeSplit(findings, layout)).toMatchObject({
      numTasks: 2,
      numRollouts: 8,
      numTurns: 22,
      numPasses: 3,
      numMixedTasks: 2,
      numPairs: 7,
    });
    expect(findingOf(findings, findings.index.tier(TIERS.indexOf("read"), "pooled"))).toEqual({ value: null, low: null, high: null });
  });
});

function weightedCorrelation(points: readonly { weight: number; x: number; y: number }[]): number {
  const total = points.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (pick: (point: (typeof points)[number]) => number) =>
    points.reduce((sum, point) => sum + point.weight * pick(point), 0) / total;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const covariance = mean((point) => (point.x - x) * (point.y - y));
  return covariance / Math.sqrt(mean((point) => (point.x - x) ** 2) * mean((point) => (point.y - y) ** 2));
}
