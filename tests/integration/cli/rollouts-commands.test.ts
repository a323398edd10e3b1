import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { loadSyntheticAirline } from "#adapters/task-data/synthetic.ts";
import { present } from "../../fixtures/present.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

function turnwise(...args: readonly string[]) {
  const env = { TURNWISE_HOME: join(temporaryFolder(), "home"), TURNWISE_TAU_BENCH: "" };
  return execa(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), "rollouts", ...args], { env, reject: false });
}

/** Two rollouts of a task of the built-in airline as JSONL: one plays the golden actions, the other says that it did. */
function rolloutFile(claimed: 0 | 1): string {
  const { environment, splits } = loadSyntheticAirline(1);
  const task = present(splits.train.find(({ difficulty }) => difficulty.numWrites > 0));
  let state = environment.reset();
  const calls = task.goldenActions.map((action, index) => {
    const step = environment.step(state, action);
    state = step.state;
    return [
      { role: "assistant", content: null, tool_calls: [{ id: String(index), name: action.name, arguments: action.argumentsJson }] },
      { role: "tool", tool_call_id: String(index), content: step.observation },
    ];
  });
  const ending = [
    { role: "assistant", content: `Done. ${task.outputs.join(" ")}` },
    { role: "user", content: "###STOP###" },
  ];
  const line = (actions: readonly object[], outcome: 0 | 1, trial: number) =>
    JSON.stringify({
      task_id: task.id,
      trial,
      messages: [{ role: "user", content: "Hello" }, ...actions, ...ending],
      outcome,
      golden_actions: task.goldenActions.map(({ name, argumentsJson }) => ({ name, arguments: argumentsJson })),
    });
  const path = join(temporaryFolder(), "rollouts.jsonl");
  writeFileSync(path, `${line(calls.flat(), 1, 0)}\n${line([], claimed, 1)}\n`);
  return path;
}

describe("turnwise rollouts grade", () => {
  it("finds the stored rewards again, and shows the do-nothing floor beside the pass rate", async () => {
    const { stdout, exitCode } = await turnwise("grade", rolloutFile(0), "--task-set", "synthetic-airline");
    expect(stdout).toContain("50.0 %; doing nothing passes 0.0 %");
    expect(stdout).toContain("2 of 2");
    expect(exitCode).toBe(0);
  });

  it("names a rollout whose stored reward is not what its calls earn, says why, and exits 1", async () => {
    const { stdout, exitCode } = await turnwise("grade", rolloutFile(1), "--task-set", "synthetic-airline");
    expect(stdout).toContain("trial 1: stored 1, replayed 0: the final database is not the golden one");
    expect(exitCode).toBe(1);
  });

  it("gives all of it as JSON", async () => {
    const { stdout } = await turnwise("grade", rolloutFile(1), "--task-set", "synthetic-airline", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ rollouts: 2, sameReward: 1, storedPassRate: 1, passRate: 0.5, differences: [{ trial: 1 }] });
  });

  it.each([
    ["no source", () => [], "name either files or a campaign"],
    ["files whose environment is not named", () => [rolloutFile(0)], "--task-set"],
    ["a file that is not there", () => ["/nowhere.json", "--task-set", "synthetic-airline"], "config.file-missing"],
    ["a campaign that is not there", () => ["--campaign", "nope"], "campaign.unknown"],
    ["a task set that is not there", () => [rolloutFile(0), "--task-set", "nope"], "choose one of synthetic-airline"],
  ])("refuses %s with one clear error", async (_, args, message) => {
    const { stderr, exitCode } = await turnwise("grade", ...args());
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("bug in Turnwise");
    expect(exitCode).toBe(2);
  });
});

describe("turnwise rollouts export", () => {
  it.each(["tau-bench", "tau2"])("writes a result file of %s that is graded alike", async (format) => {
    const out = join(temporaryFolder(), "results.json");
    const { stdout } = await turnwise("export", rolloutFile(0), "--format", format, "--out", out);
    expect(stdout).toBe(`2 rollouts of 1 tasks written to ${out}`);
    expect(JSON.parse(readFileSync(out, "utf8"))).toBeTruthy();
    const graded = await turnwise("grade", out, "--task-set", "synthetic-airline");
    expect(graded.stdout).toContain("2 of 2");
    expect(graded.exitCode).toBe(0);
  });

  it("refuses a format that it does not know, and a place that it cannot write to", async () => {
    expect((await turnwise("export", rolloutFile(0), "--format", "csv", "--out", "x")).exitCode).toBe(64);
    const { stderr, exitCode } = await turnwise("export", rolloutFile(0), "--format", "tau2", "--out", "/nowhere/x.json");
    expect(stderr).toContain("cannot write /nowhere/x.json");
    expect(exitCode).toBe(2);
  });
});
