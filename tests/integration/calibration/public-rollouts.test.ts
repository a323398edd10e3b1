// 200 published rollouts of a real model on a real benchmark: every figure that is deterministic, to its printed digits.
import { describe, expect, test } from "vitest";
import { loadRewardTable } from "#adapters/campaign-file/load-reward-table.ts";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { analyse, assessTable, describeSplit } from "#core/calibration/assess.ts";
import { groupByTask } from "#core/calibration/buffer.ts";
import { calibrate } from "#core/calibration/calibrate.ts";
import { paperTables } from "#core/calibration/paper-tables.ts";
import { taskSums } from "#core/calibration/task-sums.ts";
import { turnAdvantages } from "#core/calibration/turn-advantages.ts";
import type { LabelledRollout } from "#core/reward/label-rollout.ts";
import { tierScheme } from "#core/reward/tiers.ts";
import { renderReport } from "#reports/calibration-markdown.ts";
import { renderPage } from "#reports/calibration-page/render-page.ts";
import { hasPublicRollouts, importPublicRollouts, labelPublicRollouts, WHY_SKIPPED } from "../../support/public-rollouts.ts";

const load = (name: string, scheme: RewardTable["scheme"]) =>
  loadRewardTable(`${import.meta.dirname}/../../../configs/rewards`, name, scheme);

function analysed(rollouts: LabelledRollout[], table: RewardTable, advantage: Record<string, unknown>) {
  const tasks = groupByTask(rollouts);
  const layout = { tiers: tierScheme(table.scheme).tiers, tables: [table] };
  const config = AdvantageConfig.parse({ degenerateGroups: "keep", ...advantage });
  const findings = analyse(
    "all",
    taskSums(tasks, layout, [turnAdvantages(tasks, table, config)]),
    layout,
    { minTurns: 1 },
    {
      resamples: 1000,
      confidence: 0.95,
      seed: "public",
    },
  );
  return { split: describeSplit(findings, layout), assessment: assessTable(findings, layout, 0, ["author"]) };
}

describe.skipIf(!hasPublicRollouts)(`the public gpt-4o rollouts${WHY_SKIPPED}`, () => {
  test("200 rollouts of 50 tasks: 84 passes, 88 pairs, 2,454 turns", async () => {
    const { split } = analysed(labelPublicRollouts("paper/1"), await load("paper-naive-dense", "paper/1"), { type: "grpo/1" });
    expect(split).toMatchObject({ numTasks: 50, numRollouts: 200, numPasses: 84, numPairs: 88, numTurns: 2454, numMixedTasks: 26 });
  });

  test("the seven tiers: counts, pooled and within-task correlations", async () => {
    const { split } = analysed(labelPublicRollouts("paper/1"), await load("paper-naive-dense", "paper/1"), { type: "grpo/1" });
    const rows = split.tiers.map((tier) => [
      tier.tier,
      tier.numTurns,
      tier.numRollouts,
      round(tier.passRateGivenTurn),
      round(tier.pooled.value),
      round(tier.withinTask.value),
    ]);
    expect(rows).toEqual([
      ["gold", 391, 113, 0.363, 0.072, 0.19],
      ["soft", 53, 47, 0.057, -0.4, -0.162],
      ["read", 540, 123, 0.283, -0.097, 0.034],
      ["state", 92, 85, 0.38, -0.014, -0.409],
      ["message", 1290, 200, 0.374, null, null],
      ["error", 73, 36, 0.178, -0.161, 0.036],
      ["duplicate", 15, 9, 0.067, -0.136, -0.021],
    ]);
  });

  test("the finer tiers, with intervals within the error of a bootstrap", async () => {
    const { split } = analysed(labelPublicRollouts("finer/1"), await load("finer-prior", "finer/1"), { type: "grpo/1" });
    const expected: Record<
      string,
      { turns: number; rollouts: number; pooled: number; within: readonly [value: number, low: number, high: number] }
    > = {
      gold_write: { turns: 88, rollouts: 57, pooled: 0.069, within: [0.444, 0.26, 0.6] },
      gold_read: { turns: 303, rollouts: 100, pooled: 0.061, within: [-0.02, -0.27, 0.23] },
      soft_write: { turns: 44, rollouts: 38, pooled: -0.386, within: [-0.16, -0.38, 0.07] },
      read: { turns: 540, rollouts: 123, pooled: -0.097, within: [0.034, -0.16, 0.23] },
      state: { turns: 44, rollouts: 40, pooled: -0.426, within: [-0.582, -0.73, -0.38] },
      transfer: { turns: 48, rollouts: 48, pooled: 0.352, within: [0.041, -0.12, 0.21] },
      error: { turns: 73, rollouts: 36, pooled: -0.161, within: [0.036, -0.1, 0.2] },
    };
    for (const [tier, want] of Object.entries(expected)) {
      const found = split.tiers.find((one) => one.tier === tier);
      expect(found, tier).toMatchObject({ numTurns: want.turns, numRollouts: want.rollouts });
      expect(found?.pooled.value, tier).toBeCloseTo(want.pooled, 2);
      expect(found?.withinTask.value, tier).toBeCloseTo(want.within[0], 3);
      expect(Math.abs((found?.withinTask.low ?? 9) - want.within[1]), `${tier} low`).toBeLessThan(0.03);
      expect(Math.abs((found?.withinTask.high ?? 9) - want.within[2]), `${tier} high`).toBeLessThan(0.03);
    }
  });

  test.each([
    {
      name: "GRPO, sparse",
      table: "paper-naive-dense",
      advantage: { type: "grpo/1" },
      mismatched: ["soft", "read"],
      expected: [0.685, 0.503, 0.754],
    },
    { name: "MT-GRPO, V5", table: "paper-naive-dense", advantage: { type: "mt-grpo/1" }, mismatched: [], expected: [0.249, 0.056, 0.417] },
    { name: "GTPO, V5", table: "paper-naive-dense", advantage: { type: "gtpo/1" }, mismatched: [], expected: [0.27, 0.078, 0.401] },
    {
      name: "hybrid, V5",
      table: "paper-naive-dense",
      advantage: { type: "gtpo-hybrid/1" },
      mismatched: [],
      expected: [0.385, 0.037, 0.403],
    },
    {
      name: "hybrid, calibrated",
      table: "paper-irc",
      advantage: { type: "gtpo-hybrid/1" },
      mismatched: [],
      expected: [0.428, 0.037, 0.343],
    },
    { name: "MT-GRPO, calibrated", table: "paper-irc", advantage: { type: "mt-grpo/1" }, mismatched: [], expected: [0.341, 0.086, 0.353] },
    {
      name: "hybrid, calibrated, scope group",
      table: "paper-irc",
      advantage: { type: "gtpo-hybrid/1", scope: "group" },
      mismatched: [],
      expected: [0.361, 0, 0.229],
    },
    {
      name: "hybrid, calibrated, lambda 0.5",
      table: "paper-irc",
      advantage: { type: "gtpo-hybrid/1", lambda: 0.5 },
      mismatched: [],
      expected: [0.479, 0.037, 0.349],
    },
    {
      name: "hybrid, calibrated, lambda 1",
      table: "paper-irc",
      advantage: { type: "gtpo-hybrid/1", lambda: 1 },
      mismatched: [],
      expected: [0.56, 0.037, 0.37],
    },
  ])("estimators: $name", async ({ table, advantage, mismatched, expected }) => {
    const { assessment } = analysed(labelPublicRollouts("paper/1"), await load(table, "paper/1"), advantage);
    expect(assessment.tiers.filter((tier) => tier.isEstimatorMismatch).map(({ tier }) => tier)).toEqual(mismatched);
    const found = [assessment.advantageOutcome.value, assessment.deadTurns.value, assessment.turnMisalignment.value];
    for (const [i, value] of found.entries()) expect(Math.abs((value ?? 9) - (expected[i] ?? 0)), `${i}: ${value}`).toBeLessThan(0.00051);
  });

  test.each([
    { name: "paper-naive-dense", scheme: "paper/1" as const, accuracy: null, withinTask: 0.105 },
    { name: "paper-irc", scheme: "paper/1" as const, accuracy: null, withinTask: 0.145 },
    { name: "finer-prior", scheme: "finer/1" as const, accuracy: 0.977, withinTask: 0.67 },
    { name: "finer-strict", scheme: "finer/1" as const, accuracy: 0.977, withinTask: 0.833 },
  ])("hand-set tables on all 88 pairs: $name", async ({ name, scheme, accuracy, withinTask }) => {
    const { assessment } = analysed(labelPublicRollouts(scheme), await load(name, scheme), { type: "gtpo-hybrid/1" });
    if (accuracy !== null) expect(round(assessment.discriminativeAccuracy.value)).toBe(accuracy);
    expect(round(assessment.rewardOutcomeWithinTask.value)).toBe(withinTask);
  });

  test("one whole report satisfies its contract, names the floor and what is confounded", async () => {
    const input = {
      rollouts: labelPublicRollouts("finer/1"),
      scheme: "finer/1" as const,
      authorTable: await load("finer-prior", "finer/1"),
      inForceTable: await load("finer-prior", "finer/1"),
      config: CalibrationConfig.parse({}),
      advantage: AdvantageConfig.parse({ type: "gtpo-hybrid/1" }),
      seed: "public",
      iteration: 0,
      bufferSha256: "0".repeat(64),
    };
    const report = calibrate(input);
    expect(CalibrationReport.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
    expect(report.doNothingFloor).toBe(0.38);
    expect(renderReport(report)).toContain("Doing nothing passes 38.0 % of the tasks.");
    expect(renderPage(report)).toContain("Doing nothing passes 38.0 % of the tasks.");
    expect(report.warnings.filter(({ code }) => code === "confounded-by-task").map(({ tier }) => tier)).toContain("transfer");
  });

  test("the fitted table: what the author spends on the two tiers that carry signal, in the shares of their published correlations", async () => {
    const author = await load("finer-prior", "finer/1");
    const { fittedTable, scale } = calibrate({
      rollouts: labelPublicRollouts("finer/1"),
      scheme: "finer/1",
      authorTable: author,
      inForceTable: author,
      config: CalibrationConfig.parse({ folds: 5, bootstrapResamples: 500 }),
      advantage: AdvantageConfig.parse({ type: "gtpo-hybrid/1" }),
      seed: "public",
      iteration: 0,
      bufferSha256: "0".repeat(64),
    });
    const [gold, state] = [0.444, -0.582];
    const rate = (1 + 0.1) / (gold - state);
    for (const [tier, expected] of Object.entries({ gold_write: rate * gold, equiv_write: rate * gold, state: rate * state, error: -0.1 }))
      expect(Math.abs(Number(fittedTable.values[tier]) - expected), tier).toBeLessThan(0.001);
    expect(Math.abs((scale ?? 0) - rate)).toBeLessThan(0.002);
  });

  test("the tables of the analysis: the turn alone, and rules compared on held-out tasks within the error of their random splits", async () => {
    const { heldOut, estimators } = paperTables({
      paperRollouts: labelPublicRollouts("paper/1"),
      finerRollouts: labelPublicRollouts("finer/1"),
      naive: await load("paper-naive-dense", "paper/1"),
      irc: await load("paper-irc", "paper/1"),
      finerPrior: await load("finer-prior", "finer/1"),
      finerStrict: await load("finer-strict", "finer/1"),
      bufferSha256: "0".repeat(64),
      resamples: 100,
      numSplits: 200,
      seed: "public",
    });
    const alone = estimators.find(({ name }) => name.startsWith("A^I + A^O"));
    expect([alone?.advantageOutcome, alone?.deadTurns, alone?.turnMisalignment].map((value) => round(value ?? null))).toEqual([
      0.478, 0.198, 0.38,
    ]);
    expect(alone?.mismatchedTiers).toEqual([]);
    /** Found on 200 other splits: their error is as large as ours. */
    const published = [0.663, 0.673, 0.542, 0.7, 0.756, 0.945];
    for (const [i, expected] of published.entries()) {
      const { name, discriminativeAccuracy, discriminativeAccuracyError } = heldOut[i] ?? {};
      const error = Math.SQRT2 * (discriminativeAccuracyError ?? 0);
      expect(Math.abs((discriminativeAccuracy ?? 0) - expected), `${name}: ${discriminativeAccuracy}`).toBeLessThan(3 * error);
    }
    expect(heldOut[6]?.discriminativeAccuracy).toBeGreaterThan(heldOut[5]?.discriminativeAccuracy ?? 1);
  });

  test("every rollout is imported with its calls, results and ending", () => {
    const rollouts = importPublicRollouts();
    const calls = rollouts.flatMap(({ trajectory }) => trajectory.turns.flatMap((turn) => turn.toolCalls));
    expect(calls).toHaveLength(1164);
    expect(calls.every((call) => call.isExecuted)).toBe(true);
    expect(calls.filter((call) => call.isError)).toHaveLength(73);
    const reasons = rollouts.map(({ trajectory }) => trajectory.outcome.stopReason);
    expect([reasons.filter((reason) => reason === "transfer").length, reasons.filter((reason) => reason === "turn-cap").length]).toEqual([
      48, 5,
    ]);
  });
});

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000;
}
