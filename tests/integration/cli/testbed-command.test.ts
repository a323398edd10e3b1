import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { EstimatorTestbedReport } from "#contracts/estimator-testbed-report.ts";
import { SelectionTestbedReport } from "#contracts/selection-testbed-report.ts";
import { TestbedReport } from "#contracts/testbed-report.ts";
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
    expect(text).toMatch(/^mt-grpo\/2 +2 +15 of 15 +0 +0 +0 +0 +1\.00/m);
    expect(text).toContain("one-decision-paid");
  });

  test.each(["1", "two", ""])("a group size of '%s' is refused", async (sizes) => {
    await expect(testbed("--estimators", "--group-sizes", sizes)).rejects.toThrowError(/group-sizes|groupSizes/);
  });
});

describe("turnwise testbed --selection", () => {
  test("prints every rule in every world at the sizes of a campaign file, as its contract says", async () => {
    const file = join(REPOSITORY, "configs/campaigns/quickstart.yaml");
    const text = await testbed("--selection", "--campaigns", "10", "--files", file, "--margin", "0.125", "--json");
    const { cells } = SelectionTestbedReport.parse(JSON.parse(text));
    expect(new Set(cells.map(({ world, rule }) => `${world} ${rule}`)).size).toBe(15);
    for (const { size, numCampaigns } of cells) {
      expect(size).toMatchObject({ name: "quickstart", margin: 0.125 });
      expect(numCampaigns).toBe(10);
    }
  });

  test("prints tables for people, of all shipped campaigns and a small benchmark", async () => {
    const text = await testbed("--selection", "--campaigns", "2");
    for (const name of ["20 policies, 20 tasks", "quickstart", "tau-bench-retail", "tau2-airline"]) expect(text).toContain(name);
    for (const column of ["reported - true", "excludes 0", "holds the truth", "best chosen"]) expect(text).toContain(column);
  });

  test("one campaign is too few", async () => {
    await expect(testbed("--selection", "--campaigns", "1")).rejects.toThrowError(/campaigns/);
  });
});

test("without either it is the testbed of the gate", async () => {
  const text = await testbed("--seeds", "1", "--sizes", "64", "--resamples", "100", "--json");
  expect(TestbedReport.parse(JSON.parse(text)).cells).toHaveLength(4);
});

test.each([
  [["--selection", "--folds", "5"], /--folds has no effect on the testbed of selection/],
  [["--tasks-per-user", "1"], /--tasks-per-user has no effect on the testbed of the gate/],
  [["--estimators", "--seed", "1"], /--seed has no effect on the testbed of estimators/],
  [["--estimators", "--selection"], /two testbeds/],
])("what would have no effect is refused: %j", async (args, message) => {
  await expect(testbed(...args)).rejects.toThrowError(message);
});
