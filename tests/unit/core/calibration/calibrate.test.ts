import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import { chooseFolds, chooseJudges, groupByTask } from "#core/calibration/buffer.ts";
import { type CalibrationInput, calibrate } from "#core/calibration/calibrate.ts";
import { calibrationMetrics } from "#core/calibration/metrics.ts";
import { redesign } from "#core/calibration/redesign.ts";
import type { LabelledRollout } from "#core/reward/label-rollout.ts";
import { createRewardTable } from "#core/reward/reward-table.ts";
import { wilsonInterval } from "#core/statistics/wilson.ts";
import { renderReport } from "#reports/calibration-markdown.ts";
import { CONFIG, EXAMPLE_3, HYBRID, IRC, NAIVE, rollout } from "./example-3.ts";

const run = (rollouts: readonly LabelledRollout[], change: Partial<CalibrationInput> = {}) =>
  calibrate({
    rollouts,
    scheme: "paper/1",
    authorTable: IRC,
    inForceTable: IRC,
    config: CONFIG,
    advantage: HYBRID,
    seed: "seed",
    iteration: 2,
    bufferSha256: "b".repeat(64),
    ...change,
  });

/** 40 tasks of 8 rollouts in which gold decides the outcome and reads are noise. */
const CLEAR = Array.from({ length: 40 }, (_, task) =>
  Array.from({ length: 8 }, (_, trial) => {
    const isGold = (task * 3 + trial * 5) % 8 < 4;
    return rollout(
      `task-${task}`,
      trial,
      isGold ? 1 : 0,
      [...((task + trial) % 3 === 0 ? ["read"] : []), isGold ? "gold" : "state", "message"],
      `user-${task % 20}`,
    );
  }),
).flat();

/**
 * Easy tasks pass 6 of 8 times, hard ones 2 of 8. Every rollout of a hard task has an error; of an easy one half of the passing and
 * half of the failing ones have. So errors go with failure over all rollouts and with nothing inside any task. Gold decides.
 */
const CONFOUNDED = Array.from({ length: 60 }, (_, task) =>
  Array.from({ length: 8 }, (_, trial) => {
    const isHard = task % 2 === 0;
    const passes = trial < (isHard ? 2 : 6);
    const hasError = isHard || [0, 1, 2, 6].includes(trial);
    return rollout(`task-${task}`, trial, passes ? 1 : 0, [passes ? "gold" : "state", ...(hasError ? ["error"] : []), "message"]);
  }),
).flat();

describe("a calibration report", () => {
  test("does not depend on the order of rollouts", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(EXAMPLE_3, { minLength: EXAMPLE_3.length }), (shuffled) => {
        expect(run(shuffled)).toEqual(run(EXAMPLE_3));
      }),
      { numRuns: 10 },
    );
  });

  test("gives rates with Wilson intervals, over the rollouts in which a tier occurs", () => {
    const all = run(CLEAR).splits.find(({ split }) => split === "all");
    const gold = all?.tiers.find(({ tier }) => tier === "gold");
    expect(all?.passRate).toEqual(wilsonInterval(all?.numPasses ?? 0, all?.numRollouts ?? 0, CONFIG.confidence));
    expect(gold?.passRate).toEqual(wilsonInterval(gold?.numRollouts ?? 0, gold?.numRollouts ?? 0, CONFIG.confidence));
    expect(all?.tiers.find(({ tier }) => tier === "state")?.passRate.value).toBe(0);
    expect(all?.tiers.find(({ tier }) => tier === "duplicate")?.passRate).toEqual({ value: null, low: null, high: null });
  });

  test("satisfies its contract, with null and never NaN, on any buffer", () => {
    const tier = fc.constantFrom("gold", "soft", "read", "state", "message", "error", "duplicate");
    const one = fc.record({
      outcome: fc.constantFrom<0 | 1>(0, 1),
      tiers: fc.array(tier, { maxLength: 4 }),
      task: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 12 }), (list) => {
        const report = run(
          list.map(({ outcome, tiers, task }, trial) => rollout(`task-${task}`, trial, outcome, tiers)),
          { config: { ...CONFIG, bootstrapResamples: 100 } },
        );
        expect(CalibrationReport.safeParse(JSON.parse(JSON.stringify(report))).error).toBeUndefined();
        expect(JSON.parse(JSON.stringify(report))).toEqual(report);
        expect(renderReport(report)).not.toMatch(/NaN|undefined|Infinity/);
        expect(Object.values(calibrationMetrics(report)).every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("accepts a table whose evidence is clear, with its lineage", () => {
    const report = run(CLEAR);
    expect(report.gate.rows.map((row) => [row.criterion, row.verdict])).toEqual(report.gate.rows.map((row) => [row.criterion, "accept"]));
    expect(report.gate.decision).toBe("accept");
    const { decision, table } = redesign(report, IRC);
    expect(decision).toBe("accept");
    /** Both correlations are 1, so what the author spends on the two, 1 and 0.1, is shared alike. */
    expect([table.values["gold"], table.values["state"]].map((value) => Number(value).toFixed(6))).toEqual(["0.550000", "-0.550000"]);
    expect(table.lineage).toEqual({
      parentSha256: IRC.sha256,
      authorSha256: IRC.sha256,
      bufferSha256: "b".repeat(64),
      rule: "within-task/2",
      iteration: 2,
    });
  });

  test.each([
    { name: "one task", rollouts: CLEAR.filter(({ taskId }) => taskId === "task-1"), code: "one-task" },
    { name: "one user", rollouts: CLEAR.map((one) => ({ ...one, userId: "same" })), code: "one-user" },
    { name: "all pass", rollouts: CLEAR.map((one) => ({ ...one, outcome: 1 as const })), code: "no-variation" },
    { name: "all fail", rollouts: CLEAR.map((one) => ({ ...one, outcome: 0 as const })), code: "no-variation" },
    { name: "one rollout per task", rollouts: CLEAR.filter(({ trial }) => trial === 0), code: "no-pairs" },
    { name: "rollouts without turns", rollouts: CLEAR.map((one) => ({ ...one, turns: [] })), code: null },
  ])("never accepts without evidence: $name", ({ rollouts, code }) => {
    const report = run(rollouts);
    expect(report.gate.decision).not.toBe("accept");
    expect(redesign(report, IRC).table).toBe(IRC);
    if (code !== null) expect(report.warnings.map((warning) => warning.code)).toContain(code);
  });

  test("a tier that marks hard tasks and does nothing inside a task is worth nothing, and is named", () => {
    const report = run(CONFOUNDED);
    const error = report.splits[0]?.tiers.find(({ tier }) => tier === "error");
    expect(error?.pooled.value).toBeLessThan(-0.1);
    expect(Math.abs(error?.withinTask.value ?? 1)).toBeLessThan(1e-9);
    expect(report.fittedTable.values["error"]).toBe(0);
    expect(report.warnings).toContainEqual(expect.objectContaining({ code: "confounded-by-task", tier: "error" }));
    expect(run(CONFOUNDED, { config: { ...CONFIG, rule: "algorithm-1" } }).fittedTable.values["error"]).toBeLessThan(-0.1);
  });

  test("a tier whose effect contradicts the author's sign becomes neutral", () => {
    const wrongPrior = createRewardTable({ schemaVersion: 1, name: "wrong", scheme: "paper/1", values: { gold: -1 } });
    const report = run(CLEAR, { authorTable: wrongPrior, inForceTable: wrongPrior });
    expect(report.conflicts).toMatchObject([{ tier: "gold", intendedSign: -1 }]);
    expect(report.fittedTable.values["gold"]).toBe(0);
  });

  test("a tier whose advantages do not follow its value on the fitting tasks becomes neutral, with the round that found it", () => {
    const helps = (task: number, trial: number) => (task + trial) % 8 < 4;
    const rollouts = Array.from({ length: 60 }, (_, task) =>
      Array.from({ length: 8 }, (_, trial) =>
        rollout(
          `task-${task}`,
          trial,
          helps(task, trial) ? 1 : 0,
          helps(task, trial) ? ["gold", "read"] : (trial + task) % 2 === 0 ? ["state", "read", "read", "read", "read", "read"] : ["state"],
        ),
      ),
    ).flat();
    const fitted = run(rollouts, { config: { ...CONFIG, maxRounds: 1 } });
    const refined = run(rollouts);
    expect(fitted.fittedTable.values["read"]).toBeGreaterThan(0.3);
    expect(fitted.neutralized).toEqual([]);
    expect(refined.neutralized).toEqual([{ tier: "read", round: 1 }]);
    expect(refined.fittedTable.values["read"]).toBe(0);
  });

  test("tiers without support keep the value in force", () => {
    const report = run(EXAMPLE_3);
    expect(report.kept).toContain("soft");
    expect(report.fittedTable.values["soft"]).toBe("soft");
  });

  test("refuses an empty buffer, tables of other tiers, and a trial given twice", () => {
    expect(() => run([])).toThrowError(/no rollouts/);
    expect(() => run(CLEAR, { scheme: "finer/1" })).toThrowError(/paper-irc is of paper\/1/);
    expect(() => run([...CLEAR, ...CLEAR.slice(0, 1)])).toThrowError(/trial 0 twice/);
  });

  test("redesign refuses a report about another table in force", () => {
    expect(() => redesign(run(CLEAR), NAIVE)).toThrowError(/judges against paper-irc/);
  });

  test("1,000 rollouts of 10 turns with 2,000 resamples take well under two CPU seconds", () => {
    const large = Array.from({ length: 125 }, (_, task) =>
      Array.from({ length: 8 }, (_, trial) =>
        rollout(`t${task}`, trial, (task + trial) % 2 === 0 ? 1 : 0, [
          "read",
          "gold",
          "message",
          "state",
          "read",
          "message",
          "error",
          "read",
          "message",
          "gold",
        ]),
      ),
    ).flat();
    const start = process.cpuUsage();
    run(large, { config: { ...CONFIG, bootstrapResamples: 2000 } });
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(2000);
  });
});

describe("the split into fitting and judging tasks", () => {
  test("no task and no user stands on both sides, and both sides are served", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 40 }),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        fc.string(),
        (users, share, seed) => {
          const tasks = groupByTask(users.map((user, task) => rollout(`task-${task}`, 0, 1, ["read"], `user-${user}`)));
          const isJudge = chooseJudges(tasks, share, seed);
          const sides = new Map<string, Set<boolean>>();
          for (const [i, task] of tasks.entries()) sides.set(task.userId, (sides.get(task.userId) ?? new Set()).add(isJudge[i] === true));
          expect([...sides.values()].every((side) => side.size === 1)).toBe(true);
          if (sides.size > 1) expect(new Set(isJudge).size).toBe(2);
        },
      ),
    );
  });

  test("depends on the seed and on nothing else", () => {
    const tasks = groupByTask(CLEAR);
    expect(chooseJudges(tasks, 0.2, "a")).toEqual(chooseJudges(tasks, 0.2, "a"));
    expect(chooseJudges(tasks, 0.2, "a")).not.toEqual(chooseJudges(tasks, 0.2, "b"));
    expect(chooseJudges(tasks, 0.2, "a").filter(Boolean)).toHaveLength(8);
  });
});

describe("cross-fitting", () => {
  const crossFitted = (rollouts: readonly LabelledRollout[], folds: number) => run(rollouts, { config: { ...CONFIG, folds } });

  test("lets every task judge", () => {
    const report = crossFitted(CLEAR, 4);
    const [all, fit, judge] = report.splits;
    expect([fit?.numPairs, judge?.numPairs]).toEqual([all?.numPairs, all?.numPairs]);
    expect(report.gate.decision).toBe("accept");
  });

  test("judges a task by a table that did not see it", () => {
    /** Gold helps in all tasks but those of user-0, where it hurts: out of their fold, those tasks stand against the table. */
    const odd = CLEAR.map((one) => (one.userId === "user-0" ? { ...one, outcome: one.outcome === 1 ? (0 as const) : (1 as const) } : one));
    const accuracy = (report: ReturnType<typeof run>) =>
      report.assessments.find(({ split, roles }) => split === "judge" && roles.includes("fitted"))?.discriminativeAccuracy.value;
    expect(accuracy(crossFitted(odd, 20))).toBeCloseTo(0.95, 2);
    expect(accuracy(crossFitted(CLEAR, 20))).toBe(1);
  });

  test("does not depend on the order of rollouts, and a single user leaves nothing to judge", () => {
    expect(crossFitted([...CLEAR].reverse(), 3)).toEqual(crossFitted(CLEAR, 3));
    const lone = crossFitted(
      CLEAR.map((one) => ({ ...one, userId: "same" })),
      3,
    );
    expect(lone.gate.decision).not.toBe("accept");
    expect(lone.splits[2]?.numTasks).toBe(0);
  });

  test("folds are of about equal size, and keep users together", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 19 }), { minLength: 2, maxLength: 60 }),
        fc.integer({ min: 2, max: 6 }),
        (users, numFolds) => {
          const tasks = groupByTask(users.map((user, task) => rollout(`task-${task}`, 0, 1, ["read"], `user-${user}`)));
          const folds = chooseFolds(tasks, numFolds, "seed");
          const byUser = Map.groupBy(tasks.keys(), (position) => tasks[position]?.userId);
          expect([...byUser.values()].every((positions) => new Set(positions.map((position) => folds[position])).size === 1)).toBe(true);
          expect(new Set(folds).size).toBe(Math.min(numFolds, byUser.size));
        },
      ),
    );
  });
});

const crossFittedReport = (rollouts: readonly LabelledRollout[]) => run(rollouts, { config: { ...CONFIG, folds: 4 } });

describe("what the gate is asked", () => {
  test("a fit that revalues nothing is not accepted", () => {
    const report = run(CLEAR, { config: { ...CONFIG, minSupport: 10_000 } });
    expect(report.fittedTable.values).toEqual(IRC.values);
    expect(report.gate.decision).toBe("insufficient");
    expect(report.gate.rows[0]?.note).toBe("the fit revalues no tier");
  });

  test("a doubtful tier that keeps its value is not in question", () => {
    const errors = rollout("x", 0, 1, ["error", "error", "error", "error", "error"]).turns;
    const hasErrors = ({ taskId, trial }: LabelledRollout) => ["task-1", "task-2"].includes(taskId) && trial % 2 === 0;
    const withErrors = CLEAR.map((one) => (hasErrors(one) ? { ...one, turns: [...one.turns, ...errors] } : one));
    const report = crossFittedReport(withErrors);
    expect(report.kept).toContain("error");
    expect(report.gate.rows.slice(0, 2).map(({ verdict }) => verdict)).toEqual(["accept", "accept"]);
  });
});
