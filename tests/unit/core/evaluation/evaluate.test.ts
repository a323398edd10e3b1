import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EvaluationReport } from "#contracts/evaluation-report.ts";
import { type EvaluationInput, evaluate } from "#core/evaluation/evaluate.ts";
import { passHatK } from "#core/evaluation/pass-hat-k.ts";
import type { TaskResult } from "#core/evaluation/task-result.ts";

const results = (...passes: readonly (readonly number[])[]): TaskResult[] =>
  passes.map((row, task) => ({
    taskId: `task-${task}`,
    cluster: `task ${task}`,
    kind: task % 2 === 0 ? "cancel" : "book",
    passes: row.map((pass) => pass === 1),
  }));
const run = (own: readonly TaskResult[], change: Partial<EvaluationInput> = {}) =>
  evaluate({
    purpose: "test",
    policyHash: "p",
    results: own,
    comparisons: [],
    confidence: 0.95,
    seed: "seed",
    doNothingFloor: 0.1,
    stopReasons: { transfer: 2 },
    ...change,
  });
const taskResults = fc
  .array(fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 20 })
  .map((list) => list.map((passes, task): TaskResult => ({ taskId: `task-${task}`, cluster: `user ${task % 4}`, kind: "k", passes })));

describe("pass^k", () => {
  test("is C(c, k) / C(n, k)", () => {
    expect(passHatK(3, 4, 1)).toBe(0.75);
    expect(passHatK(3, 4, 2)).toBe(0.5);
    expect(passHatK(3, 4, 3)).toBe(0.25);
    expect(passHatK(3, 4, 4)).toBe(0);
    expect(passHatK(4, 4, 4)).toBe(1);
  });

  test("of the published gpt-4o run is 0.420, 0.273, 0.220, 0.200", () => {
    const groups = [
      [0, 14],
      [1, 12],
      [2, 10],
      [3, 4],
      [4, 10],
    ] as const;
    const tasks = groups.flatMap(([passes, count]) =>
      Array.from({ length: count }, () => [0, 1, 2, 3].map((trial) => (trial < passes ? 1 : 0))),
    );
    const estimates = run(results(...tasks)).passHatK.map(({ estimate }) => Math.round(estimate.value * 1000) / 1000);
    expect(estimates).toEqual([0.42, 0.273, 0.22, 0.2]);
  });

  test("does not grow with k", () => {
    fc.assert(
      fc.property(taskResults, (list) => {
        const values = run(list).passHatK.map(({ estimate }) => estimate.value);
        expect(values).toEqual([...values].sort((a, b) => b - a));
      }),
      { numRuns: 30 },
    );
  });
});

describe("an evaluation report", () => {
  test("satisfies its contract and does not depend on the order of tasks", () => {
    fc.assert(
      fc.property(taskResults, (list) => {
        const report = run(list);
        expect(EvaluationReport.parse(report)).toEqual(report);
        expect(run([...list].reverse())).toEqual(report);
      }),
      { numRuns: 30 },
    );
  });

  test("an interval holds its value and is null for one task", () => {
    const [first] = run(results([1, 0], [1, 1], [0, 0], [1, 0])).passHatK;
    expect(first?.estimate.low).toBeLessThanOrEqual(first?.estimate.value ?? -1);
    expect(first?.estimate.high).toBeGreaterThanOrEqual(first?.estimate.value ?? 2);
    expect(run(results([1, 0])).passHatK[0]?.estimate).toEqual({ value: 0.5, low: null, high: null });
  });

  test("tasks that always pass leave room for those that would not", () => {
    const estimate = run(results(...Array.from({ length: 20 }, () => [1, 1]))).passHatK[0]?.estimate;
    expect(estimate).toMatchObject({ value: 1, high: 1 });
    expect(estimate?.low).toBeGreaterThan(0.7);
    expect(estimate?.low).toBeLessThan(0.9);
  });

  test("it knows how many clusters its tasks are", () => {
    const shared = results([1, 0], [1, 1], [0, 0]).map((result, i) => ({ ...result, cluster: i < 2 ? "user a" : "user b" }));
    const report = run(shared);
    expect([report.numTasks, report.numClusters]).toEqual([3, 2]);
    expect(report.perTask.map(({ cluster }) => cluster)).toEqual(["user a", "user a", "user b"]);
  });

  test("rates by kind, tasks and stop reasons are kept", () => {
    const report = run(results([1, 1], [0, 0], [1, 0]));
    expect(report.perKind).toEqual([
      { kind: "book", numTasks: 1, passRate: 0 },
      { kind: "cancel", numTasks: 2, passRate: 0.75 },
    ]);
    expect(report.perTask[2]).toEqual({ taskId: "task-2", cluster: "task 2", kind: "cancel", numPasses: 1, trials: 2 });
    expect(report.stopReasons).toEqual({ transfer: 2 });
  });

  test.each([
    { name: "no tasks", list: [] as TaskResult[], message: /no tasks/ },
    { name: "a task twice", list: [...results([1]), ...results([1])], message: /task-0 twice/ },
    { name: "a task without trials", list: results([]), message: /without trials/ },
  ])("refuses $name", ({ list, message }) => {
    expect(() => run(list)).toThrowError(message);
  });
});
