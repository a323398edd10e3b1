import { describe, expect, test } from "vitest";
import type { TestbedCell } from "#contracts/testbed-report.ts";
import { runTestbedCase, type TestbedCase } from "#core/calibration/testbed.ts";

const OPTIONS = { numSeeds: 6, resamples: 100, folds: 5, seed: "test" };
const CASE: TestbedCase = { rule: "within-task", world: "planted", numRollouts: 1000 };

function numDecided({ acceptRight, acceptWrong, rejectRight, rejectWrong, insufficientRight, insufficientWrong }: TestbedCell): number {
  return acceptRight + acceptWrong + rejectRight + rejectWrong + insufficientRight + insufficientWrong;
}

describe("the gate on buffers whose truth is known", () => {
  test.each(["planted", "null"] as const)("in the %s world every buffer gets one decision, and the same one again", (world) => {
    const one = runTestbedCase({ ...CASE, world }, OPTIONS);
    expect(numDecided(one)).toBe(OPTIONS.numSeeds);
    expect(runTestbedCase({ ...CASE, world }, OPTIONS)).toEqual(one);
  });

  test("where no tier has an effect no table is right", () => {
    const { acceptRight, rejectRight, insufficientRight } = runTestbedCase({ ...CASE, world: "null" }, OPTIONS);
    expect([acceptRight, rejectRight, insufficientRight]).toEqual([0, 0, 0]);
  });

  test("the rule within tasks finds the truth where the pooled rule pays for difficulty", () => {
    const within = runTestbedCase(CASE, OPTIONS);
    const pooled = runTestbedCase({ ...CASE, rule: "algorithm-1" }, OPTIONS);
    expect(within.acceptRight).toBeGreaterThan(pooled.acceptRight);
    expect(pooled.acceptWrong).toBeGreaterThan(within.acceptWrong);
  });

  test("a hundred rollouts are too few to accept anything", () => {
    const { acceptRight, acceptWrong } = runTestbedCase({ ...CASE, numRollouts: 100, rule: "within-task" }, { ...OPTIONS, folds: 1 });
    expect(acceptRight + acceptWrong).toBe(0);
  });
});
