// The author's table, the one in force and the fitted one, through several iterations of a campaign.
import { describe, expect, test } from "vitest";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { type CalibrationInput, calibrate } from "#core/calibration/calibrate.ts";
import { applyGate } from "#core/calibration/gate.ts";
import { calibrationMetrics } from "#core/calibration/metrics.ts";
import { redesign } from "#core/calibration/redesign.ts";
import { inRole } from "#core/calibration/table-roles.ts";
import type { LabelledRollout } from "#core/reward/label-rollout.ts";
import { createRewardTable, verifyRewardTable } from "#core/reward/reward-table.ts";
import { renderReport } from "#reports/calibration-markdown.ts";
import { renderPage } from "#reports/calibration-page/render-page.ts";
import { CONFIG, HYBRID, rollout } from "./example-3.ts";

const AUTHOR = createRewardTable({
  schemaVersion: 1,
  name: "author",
  scheme: "finer/1",
  values: { gold_write: 1, equiv_write: 1, state: -0.1 },
});

/** 60 tasks of 8 rollouts, 4 of which pass. `state` marks failures; gold_write is in so many of the 4 passing and of the 4 failing ones. */
function buffer(inPassing: number, inFailing: number): LabelledRollout[] {
  return Array.from({ length: 60 }, (_, task) =>
    Array.from({ length: 8 }, (_, trial) => {
      const passes = trial < 4;
      const k = (trial + task) % 4;
      return rollout(`task-${task}`, trial, passes ? 1 : 0, [
        ...(k < (passes ? 1 : 3) ? ["state"] : []),
        ...(k < (passes ? inPassing : inFailing) ? ["gold_write"] : []),
        ...((trial * 7 + task) % 3 === 0 ? ["read"] : []),
        "message",
      ]);
    }),
  ).flat();
}
const NEUTRAL = buffer(2, 2);
const HARMFUL = buffer(1, 3);
const HELPFUL = buffer(4, 1);

const run = (rollouts: readonly LabelledRollout[], iteration: number, change: Partial<CalibrationInput> = {}) =>
  calibrate({
    rollouts,
    scheme: "finer/1",
    authorTable: AUTHOR,
    inForceTable: AUTHOR,
    config: CONFIG,
    advantage: HYBRID,
    seed: `seed-${iteration}`,
    iteration,
    bufferSha256: "b".repeat(64),
    ...change,
  });

/** Calibration and redesign, iteration by iteration, as a campaign does it. `authorOf` says which table stands in the author's place. */
function campaign(
  buffers: readonly LabelledRollout[][],
  rule: CalibrationConfig["rule"] = "within-task",
  authorOf: (inForce: RewardTable) => RewardTable = () => AUTHOR,
): CalibrationReport[] {
  let inForceTable = AUTHOR;
  return buffers.map((rollouts, i) => {
    const report = run(rollouts, i + 1, { authorTable: authorOf(inForceTable), inForceTable, config: { ...CONFIG, rule } });
    inForceTable = redesign(report, inForceTable).table;
    return report;
  });
}
const valuesOf = (reports: readonly CalibrationReport[], tier: string) => reports.map(({ fittedTable }) => fittedTable.values[tier]);

describe("the author's table through a campaign", () => {
  test("with the last adopted table in the author's place, as 0.1.0 had it, a 0 erases the sign and a deed that is meant to pay is charged", () => {
    const reports = campaign([NEUTRAL, HARMFUL], "within-task/1", (inForce) => inForce);
    expect(reports.map(({ gate }) => gate.decision)).toEqual(["accept", "accept"]);
    expect(valuesOf(reports, "gold_write")).toEqual([0, -0.5]);
    expect(reports.map(({ conflicts }) => conflicts)).toEqual([[], []]);
    expect(valuesOf(reports, "equiv_write")).toEqual([1, 1]);
  });

  test.each(["within-task", "within-task/1"] as const)(
    "%s: what the author intends outlives a fitted 0, and data against it is a conflict",
    (rule) => {
      const reports = campaign([NEUTRAL, HARMFUL, HELPFUL], rule);
      expect(reports[0]?.gate.decision).toBe("accept");
      expect(reports.map(({ conflicts }) => conflicts.some(({ tier }) => tier === "gold_write"))).toEqual([false, true, false]);
      const [first, second, third] = valuesOf(reports, "gold_write");
      expect([first, second]).toEqual([0, 0]);
      expect(third).toBeGreaterThan(0.3);
    },
  );

  test("every report and every fitted table names the same author's table, and the one that it would replace", () => {
    const reports = campaign([NEUTRAL, HARMFUL, HELPFUL]);
    for (const report of reports) {
      expect(report.authorTable).toEqual(AUTHOR);
      expect(report.fittedTable.lineage).toMatchObject({ authorSha256: AUTHOR.sha256, parentSha256: report.inForceTable.sha256 });
      expect(verifyRewardTable(report.fittedTable)).toBe(report.fittedTable);
    }
    expect(reports[1]?.inForceTable).toEqual(reports[0]?.fittedTable);
  });

  test("what nothing is found out about stays as it is in force, not as the author had it", () => {
    const [first] = campaign([NEUTRAL]);
    const inForceTable = first?.fittedTable ?? AUTHOR;
    const report = run(NEUTRAL, 2, { inForceTable, config: { ...CONFIG, minSupport: 10_000 } });
    expect(report.fittedTable.values).toEqual(inForceTable.values);
    expect(report.fittedTable.values).not.toEqual(AUTHOR.values);
  });

  test("a model's table is held to the author's signs, whatever is in force", () => {
    const [first] = campaign([NEUTRAL]);
    const proposal = {
      model: "m",
      prompt: [],
      attempts: [{ answer: "", problem: null }],
      usage: { modelCalls: 1, promptTokens: 1, completionTokens: 1, usd: 0 },
      proposal: { rationale: "", splits: [], values: [{ tier: "gold_write", value: -0.4 }] },
    };
    const config = { ...CONFIG, rule: "llm-proposed" as const };
    const report = run(HARMFUL, 2, { inForceTable: first?.fittedTable ?? AUTHOR, config, proposal });
    expect(report.inForceTable.values["gold_write"]).toBe(0);
    expect(report.conflicts).toEqual([{ tier: "gold_write", intendedSign: 1, fittedValue: -0.4 }]);
    expect(report.gate.rows.find(({ criterion }) => criterion === "estimator-mismatches")?.verdict).toBe("reject");
  });
});

describe("the three tables in a report", () => {
  const [before, after] = campaign([NEUTRAL, HELPFUL]);

  test("are judged on the same tasks; a table with two roles is judged once and says both", () => {
    const roles = (report: CalibrationReport | undefined) =>
      report?.assessments.filter(({ split }) => split === "judge").map((assessment) => assessment.roles);
    expect(roles(before)).toEqual([["author", "in-force"], ["fitted"]]);
    expect(roles(after)).toEqual([["author"], ["in-force"], ["fitted"]]);
    const judge = after?.assessments.filter(({ split }) => split === "judge") ?? [];
    expect(inRole(judge, "author")?.tableSha256).toBe(AUTHOR.sha256);
    expect(inRole(judge, "in-force")?.tableSha256).toBe(before?.fittedTable.sha256);
    expect(new Set(judge.map(({ tiers }) => tiers.reduce((total, { numTurns }) => total + numTurns, 0))).size).toBe(1);
    expect(after?.profiles.map((profile) => profile.roles)).toEqual([["author"], ["in-force"], ["fitted"]]);
  });

  test("are the same with cross-fitting", () => {
    const report = run(HELPFUL, 2, { inForceTable: before?.fittedTable ?? AUTHOR, config: { ...CONFIG, folds: 4 } });
    const judge = report.assessments.filter(({ split }) => split === "judge");
    const whole = report.assessments.filter(({ split }) => split === "all");
    for (const role of ["author", "in-force"] as const)
      expect(inRole(judge, role)?.discriminativeAccuracy.value).toBe(inRole(whole, role)?.discriminativeAccuracy.value);
  });

  test("each has its metrics under its own name, from the first iteration on", () => {
    for (const report of [before, after]) {
      const names = Object.keys(report === undefined ? {} : calibrationMetrics(report));
      for (const table of ["author", "in_force", "fitted"]) expect(names).toContain(`calibration/${table}/discriminative_accuracy`);
    }
  });

  test("stand side by side in text and page, with the hash of the one that a person approves", () => {
    for (const text of after === undefined ? [] : [renderReport(after), renderPage(after)]) {
      for (const title of ["author&#39;s (author)|author's (author)", "in force (within-task-1)", "fitted (within-task-2)"])
        expect(
          title.split("|").some((one) => text.includes(one)),
          title,
        ).toBe(true);
      expect(text).toContain(after?.fittedTable.sha256.slice(0, 12));
    }
    expect(renderReport(before ?? run(NEUTRAL, 1))).toContain("| author's, in force (author) |");
  });

  test("survive their contract", () => {
    expect(CalibrationReport.parse(JSON.parse(JSON.stringify(after)))).toEqual(after);
  });
});

describe("not worse than what stands", () => {
  const evidenceOf = (gainOverAuthor: number, gainOverInForce: number | null) => {
    const report = run(HELPFUL, 1);
    const fitted = report.assessments.find(({ split, roles }) => split === "judge" && roles.includes("fitted"));
    if (fitted === undefined) throw new Error("no assessment of the fitted table");
    const certain = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });
    const none = { value: 0, low: 0, high: 0 };
    return {
      fitted: {
        ...fitted,
        rewardOutcomeWithinTask: certain(0.9),
        discriminativeAccuracy: certain(0.9),
        advantageCorrelation: certain(0.9),
      },
      proxyMismatches: none,
      estimatorMismatches: none,
      gainOverAuthor: certain(gainOverAuthor),
      gainOverInForce: gainOverInForce === null ? null : certain(gainOverInForce),
      numPairs: 100,
      revaluedTiers: ["state"],
      unjudgedTiers: [],
    };
  };
  const decide = (...gains: Parameters<typeof evidenceOf>) => applyGate(evidenceOf(...gains), CONFIG.gate).decision;

  test("a table must not be worse than the author's, nor than the one in force", () => {
    expect(decide(0, null)).toBe("accept");
    expect(decide(0, 0)).toBe("accept");
    expect(decide(0.2, -0.2)).toBe("reject");
    expect(decide(-0.2, 0.2)).toBe("reject");
  });

  test("small losses do not add up: each is within the margin of the table before, the last one is not within that of the author's", () => {
    expect([1, 2, 3].map((i) => decide(-0.03 * i, -0.03))).toEqual(["accept", "insufficient", "reject"]);
  });

  test("is asked about the table in force only when that is another one", () => {
    const criteria = (report: CalibrationReport | undefined) =>
      report?.gate.rows.map(({ criterion }) => criterion).filter((criterion) => criterion.startsWith("not-worse"));
    const reports = campaign([NEUTRAL, HELPFUL]);
    expect(reports.map(criteria)).toEqual([["not-worse-than-author"], ["not-worse-than-author", "not-worse-than-in-force"]]);
  });
});
