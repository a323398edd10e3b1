import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PolicyComparison } from "#contracts/evaluation-report.ts";
import { comparePolicies } from "#core/evaluation/compare-policies.ts";
import type { TaskResult } from "#core/evaluation/task-result.ts";
import { detectableDifference, totalsByCluster } from "#core/statistics/cluster-mean.ts";

const OPTIONS = { confidence: 0.95, seed: "seed" };
const results = (rows: readonly (readonly number[])[], clusterOf = (task: number) => `task ${task}`): TaskResult[] =>
  rows.map((row, task) => ({ taskId: `t${task}`, cluster: clusterOf(task), kind: "k", passes: row.map((pass) => pass === 1) }));
const compare = (own: readonly TaskResult[], other: readonly TaskResult[]) =>
  comparePolicies(own, [{ against: "base", policyHash: "b", results: other }], OPTIONS)[0] as PolicyComparison;

const rows = (numTasks: number) =>
  fc.array(fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 4 }), { minLength: numTasks, maxLength: numTasks });
const twoPolicies = fc.integer({ min: 1, max: 12 }).chain((numTasks) => fc.tuple(rows(numTasks), rows(numTasks)));
const userOf = (task: number) => `user ${task % 3}`;

describe("a comparison", () => {
  test("satisfies its contract, in any order of tasks; swapped, its difference changes sign and its p-value stays", () => {
    fc.assert(
      fc.property(twoPolicies, ([a, b]) => {
        const [own, other] = [results(a, userOf), results(b, userOf)];
        const forward = compare(own, other);
        expect(PolicyComparison.parse(forward)).toEqual(forward);
        expect(compare([...own].reverse(), other)).toEqual(forward);
        const backward = compare(other, own);
        expect(backward.difference.value + forward.difference.value).toBeCloseTo(0, 12);
        expect(backward.pValue).toBe(forward.pValue);
        expect([backward.numTasksBetter, backward.numTasksWorse]).toEqual([forward.numTasksWorse, forward.numTasksBetter]);
      }),
    );
  });

  test("is paired by task: equal results differ by 0 with p = 1, and the interval still has a width", () => {
    const own = results([
      [1, 0],
      [1, 1],
      [0, 0],
      [1, 0],
    ]);
    const { difference, pValue, detectableDifference: detectable } = compare(own, [...own].reverse());
    expect([difference.value, pValue]).toEqual([0, 1]);
    expect(difference.low).toBeLessThan(0);
    expect(difference.high).toBe(-(difference.low ?? 0));
    expect(detectable).toBeGreaterThan(0);
  });

  test("uses the tasks that both have", () => {
    expect(
      compare(
        results([
          [1, 1],
          [0, 0],
          [1, 0],
        ]),
        results([
          [0, 0],
          [1, 1],
        ]),
      ),
    ).toMatchObject({
      difference: { value: 0 },
      numTasks: 2,
      numTasksBetter: 1,
      numTasksWorse: 1,
    });
    expect(() => compare(results([[1]]), [{ ...(results([[1]])[0] as TaskResult), taskId: "other" }])).toThrowError(/no task in common/);
  });

  test("tasks of one user count once: the same differences over fewer clusters are less certain", () => {
    const own = Array.from({ length: 12 }, () => [1, 1]);
    const other = Array.from({ length: 12 }, (_, task) => (task % 3 === 0 ? [1, 1] : [0, 0]));
    const byTask = compare(results(own), results(other));
    const byUser = compare(results(own, userOf), results(other, userOf));
    expect(byTask.numClusters).toBe(12);
    expect(byUser.numClusters).toBe(3);
    expect(byUser.pValue).toBeGreaterThan(byTask.pValue ?? 1);
    expect(byUser.detectableDifference).toBeGreaterThan(byTask.detectableDifference ?? 1);
  });

  test("a task of two clusters is refused", () => {
    expect(() =>
      compare(
        results([[1]]),
        results([[1]], () => "user x"),
      ),
    ).toThrowError(/two clusters/);
  });

  test("p-values of one table are Holm's over all of it", () => {
    const own = results(Array.from({ length: 10 }, () => [1]));
    const far = { policyHash: "far", results: results(Array.from({ length: 10 }, () => [0])) };
    const near = { policyHash: "near", results: results(Array.from({ length: 10 }, (_, task) => [task < 8 ? 1 : 0])) };
    const [base, best] = comparePolicies(
      own,
      [
        { against: "base", ...far },
        { against: "best", ...near },
      ],
      OPTIONS,
    );
    expect(base).toMatchObject({ pValue: 2 ** -9, pHolm: 2 ** -8 });
    expect(best).toMatchObject({ pValue: 0.5, pHolm: 0.5 });
  });
});

test("the detectable difference is what the test finds in 80 % of studies of that size", () => {
  const spread = 0.3;
  const numClusters = 20;
  // A sample whose standard deviation is exactly `spread`, then studies from a normal population with that spread (seeded by a lattice).
  const sample = Array.from({ length: numClusters }, (_, i) => ({ cluster: String(i), value: i % 2 === 0 ? spread : -spread }));
  const scale = Math.sqrt((numClusters - 1) / numClusters);
  const detectable = detectableDifference(totalsByCluster(sample.map((one) => ({ ...one, value: one.value * scale }))), 0, 0.95, 0.8);
  // t(0.975, 19) + t(0.8, 19) = 2.0930 + 0.8610; standard error 0.3 / sqrt(20).
  expect(detectable).toBeCloseTo(((2.093024 + 0.860951) * spread) / Math.sqrt(20), 5);
});
