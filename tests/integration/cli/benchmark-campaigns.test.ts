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

const BENCHMARKS = [
  ["tau-bench-airline", 30, 11 / 30, 20, 8 / 20],
  ["tau-bench-retail", 409, 3 / 409, 115, 7 / 115],
  ["tau2-airline", 20, 0.5, 20, 7 / 20],
] as const;

describe.skipIf(MISSING !== null)(`a campaign on a benchmark${because}`, () => {
  it.each(BENCHMARKS)(
    "%s shows its tasks on both sides and what doing nothing passes",
    async (name, train, trainFloor, held, heldFloor) => {
      const { stdout } = await dryRun(name, TAU_BENCH, "--json");
      expect(JSON.parse(stdout).tasks).toEqual({
        train: { tasks: train, doNothingFloor: trainFloor },
        evaluation: { tasks: held, doNothingFloor: heldFloor },
      });
    },
  );

  it("says so in words too", async () => {
    const { stdout } = await dryRun("tau-bench-retail", TAU_BENCH);
    expect(stdout).toContain("409 to train on, 115 held out, no user in both");
    expect(stdout).toContain("passes 0.7 % of the training tasks, 6.1 % of those held out");
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
