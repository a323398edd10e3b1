import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { PolicyComparison } from "#contracts/evaluation-report.ts";
import { renderComparisons } from "../../../src/cli/render-comparisons.ts";

const comparison: PolicyComparison = {
  against: "base",
  policyHash: "b",
  difference: { value: 0.045, low: -0.01, high: 0.098 },
  pValue: 0.0123,
  pHolm: 0.0246,
  detectableDifference: 0.071,
  numClusters: 53,
  numTasks: 115,
  numTasksBetter: 30,
  numTasksWorse: 19,
};

test("a comparison is never printed without its interval, p, Holm's p, what could have been seen, its clusters and the floor", () => {
  const text = stripVTControlCharacters(renderComparisons([comparison], 0.061));
  expect(text).toMatch(/base +\+4\.5 pp \[-1\.0, \+9\.8\] +0\.012 +0\.025 +7\.1 pp +115 +53 +30 \/ 19/);
  expect(text).toContain("doing nothing passes 6.1 % of these tasks");
});

test("what 0.1.0 did not compute is a dash, and a tiny p is only small", () => {
  const old = { ...comparison, pValue: null, pHolm: null, detectableDifference: null };
  expect(stripVTControlCharacters(renderComparisons([old], 0))).toMatch(/\+9\.8\] +– +– +– +115/);
  expect(stripVTControlCharacters(renderComparisons([{ ...comparison, pValue: 2 ** -20 }], 0))).toContain("< 0.001");
});
