import { describe, expect, test } from "vitest";
import { EstimatorTestbedReport } from "#contracts/estimator-testbed-report.ts";
import { registerTestbed } from "../../../src/cli/commands/testbed.ts";
import { runCommand } from "../../fixtures/run-command.ts";

const testbed = (...args: string[]) => runCommand(registerTestbed, ["testbed", ...args], {});

describe("turnwise testbed --estimators", () => {
  test("prints the report as JSON, the same one again", async () => {
    const text = await testbed("--estimators", "--group-sizes", "2", "--json");
    const report = EstimatorTestbedReport.parse(JSON.parse(text));
    expect(report.groupSizes).toEqual([2]);
    expect(report.cells).toHaveLength(report.problems.length * report.estimators.length);
    expect(await testbed("--estimators", "--group-sizes", "2", "--json")).toBe(text);
  });

  test("prints tables, with every problem and every estimator in them", async () => {
    const text = await testbed("--estimators", "--group-sizes", "2");
    expect(text).toMatch(/^mt-grpo\/1 +blind +blind +-1\.00/m);
    expect(text).toMatch(/^mt-grpo\/2 +2 +15 of 15 +0 +0 +0 +1\.00/m);
    expect(text).toContain("one-decision-paid");
  });

  test.each(["1", "two", ""])("a group size of '%s' is refused", async (sizes) => {
    await expect(testbed("--estimators", "--group-sizes", sizes)).rejects.toThrowError(/group-sizes|groupSizes/);
  });
});
