import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { because, MISSING, TAU_BENCH } from "../environment/tau-bench-data.ts";

/** What would be started, from the campaign file of that name. */
function dryRun(name: string, data: string, ...args: readonly string[]) {
  const env = { TURNWISE_HOME: join(temporaryFolder(), "home"), TURNWISE_TAU_BENCH: data };
  const file = join(REPOSITORY, "configs", "campaigns", `${name}.yaml`);
  return execa(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), "campaign", "start", file, "--dry-run", ...args], {
    env,
    reject: false,
  });
}

/** Tasks of train, selection and test, and how many of them doing nothing passes. */
const BENCHMARKS = [
  ["tau-bench-airline", [30, 0, 20], [11, 0, 8]],
  ["tau-bench-retail", [349, 60, 115], [2, 1, 7]],
  ["tau2-airline", [20, 0, 20], [10, 0, 7]],
] as const;

describe.skipIf(MISSING !== null)(`a campaign on a benchmark${because}`, () => {
  it.each(BENCHMARKS)("%s shows the tasks of its splits and what doing nothing passes", async (name, sizes, passes) => {
    const { stdout } = await dryRun(name, TAU_BENCH, "--json");
    const split = (index: number) => {
      const tasks = sizes[index] ?? 0;
      return { tasks, doNothingFloor: tasks === 0 ? 0 : (passes[index] ?? 0) / tasks };
    };
    expect(JSON.parse(stdout).tasks).toEqual({ train: split(0), selection: split(1), test: split(2) });
  });

  it("says so in words too", async () => {
    const { stdout } = await dryRun("tau-bench-retail", TAU_BENCH);
    expect(stdout).toContain("349 to train on, 60 for selection, 115 for the test; no user is in two of them");
    expect(stdout).toContain("passes 0.6 %, 1.7 %, 6.1 % of them");
  });
});

describe("a campaign on a benchmark whose data is not there", () => {
  it.each(BENCHMARKS)("%s says what to do", async (name) => {
    const { stderr, exitCode } = await dryRun(name, "");
    expect(stderr).toContain(`${name} needs tau-bench's data`);
    expect(stderr).toContain("set TURNWISE_TAU_BENCH to a folder with");
    expect(exitCode).toBe(4);
  });
});
