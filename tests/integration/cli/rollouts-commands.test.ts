import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import { NO_METERS } from "#core/campaign/meters.ts";
import { loadSyntheticAirline } from "#environments/synthetic-airline/airline.ts";
import { present } from "../../fixtures/present.ts";
import { sampleConfig, samplePolicy, sampleTrajectory } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

function turnwise(...args: readonly string[]) {
  return turnwiseAt(join(temporaryFolder(), "home"), ...args);
}

function turnwiseAt(home: string, ...args: readonly string[]) {
  const env = { TURNWISE_HOME: home, TURNWISE_TAU_BENCH: "" };
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

/** A home whose record holds a campaign with one evaluated task: one rollout that does nothing and claims nothing, in each of two iterations. */
async function homeWithCampaign(): Promise<string> {
  const home = join(temporaryFolder(), "home");
  const record = new CampaignRecord(new LocalArtifactStore(join(home, "record")));
  const task = present(loadSyntheticAirline(1).splits.selection.find(({ difficulty }) => difficulty.numWrites > 0));
  const policy = samplePolicy("a");
  const config = sampleConfig();
  await record.putCampaign({
    schemaVersion: 2,
    id: "sample",
    config,
    configSha256: "d".repeat(64),
    codeVersion: "test",
    dataSha256: (await openTaskSet(config.environment, { home, tauBench: null })).dataSha256,
    basePolicy: policy,
    priorTable: { uri: "blob:x", sha256: "b".repeat(64), numBytes: 1, schema: "RewardTable/1" },
    estimate: null,
    parent: null,
    createdAt: "2026-01-02T03:04:05.000Z",
  });
  for (const iteration of [0, 1]) {
    const told = sampleTrajectory(task.id, 0, 0, policy);
    const trajectory = { ...told, turns: told.turns.map((turn) => ({ ...turn, toolCalls: [] })) };
    await record.putGroup({
      schemaVersion: 3,
      campaignId: "sample",
      iteration,
      purpose: "selection",
      taskId: task.id,
      policy,
      trajectories: await record.putTrajectories([trajectory]),
      outcomes: [{ type: "task_failed", reward: 0, passed: false, numTurns: 3, stopReason: "user-stop" }],
      usage: trajectory.usage,
      seconds: 1,
      meters: NO_METERS,
      numRetriedRollouts: 0,
      retriedByOutcome: {},
      numFlaggedStops: 0,
      numResumedTurns: 0,
    });
  }
  return home;
}

describe("rollouts of a campaign", () => {
  it("are graded and exported from the record alone; trials count on through the iterations", async () => {
    const home = await homeWithCampaign();
    const graded = await turnwiseAt(home, "grade", "--campaign", "sample");
    expect(graded.stdout).toContain("2 of 1 task in 2 files");
    expect(graded.exitCode).toBe(0);
    const out = join(home, "results.json");
    await turnwiseAt(home, "export", "--campaign", "sample", "--format", "tau-bench", "--out", out);
    const entries = JSON.parse(readFileSync(out, "utf8"));
    expect(entries.map(({ trial, reward }: { trial: number; reward: number }) => [trial, reward])).toEqual([
      [0, 0],
      [1, 0],
    ]);
    expect(entries[0].info.turnwise).toMatchObject({ policy: { name: samplePolicy("a").name }, simulator: { id: "scripted" } });
    expect(entries[0].info.reward_info.info.gt_data_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(entries[0].traj[0]).toMatchObject({ role: "system", content: expect.stringContaining("airline") });
  });

  it.each([
    [["--iteration", "7"], "sample has no iteration 7", "choose one of 0, 1"],
    [["--purpose", "train"], "sample has no train rollouts", "choose --iteration and --purpose"],
  ])("with %s are refused with what there is", async (args, message, next) => {
    const { stderr, exitCode } = await turnwiseAt(await homeWithCampaign(), "grade", "--campaign", "sample", ...args);
    expect(stderr).toContain(message);
    expect(stderr).toContain(next);
    expect(exitCode).toBe(2);
  });
});

describe("turnwise rollouts export", () => {
  it.each(["tau-bench", "tau2", "jsonl"])("writes a file of %s that is graded alike", async (format) => {
    const out = join(temporaryFolder(), "results.json");
    const { stdout } = await turnwise("export", rolloutFile(0), "--format", format, "--out", out);
    expect(stdout).toContain("2 of 1 task in 1 file");
    expect(stdout).toContain(`written to  ${out}`);
    const text = readFileSync(out, "utf8");
    expect((format === "jsonl" ? text.trim().split("\n") : [text]).map((part) => JSON.parse(part))).toHaveLength(
      format === "jsonl" ? 2 : 1,
    );
    const graded = await turnwise("grade", out, "--task-set", "synthetic-airline");
    expect(graded.stdout).toContain("2 of 2");
    expect(graded.exitCode).toBe(0);
  });

  it("says who read the conversations, and gives calls that stood in text a field of their own", async () => {
    const folder = temporaryFolder();
    const say = (name: string, args: object) => `Thought:\nNext.\nAction:\n${JSON.stringify({ name, arguments: args })}`;
    const messages = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: say("get_user_details", { user_id: "x" }) },
      { role: "user", content: "API output: Error: user not found" },
      { role: "assistant", content: say("respond", { content: "Nobody." }) },
      { role: "user", content: "###STOP###" },
    ];
    writeFileSync(join(folder, "react.jsonl"), `${JSON.stringify({ task_id: "t", outcome: 0, messages })}\n`);
    const { stdout } = await turnwise("export", join(folder, "react.jsonl"), "--format", "tau2", "--out", join(folder, "tau2.json"));
    expect(stdout).toMatch(/read as +1 react/);
    expect(stdout).toMatch(/take note +1 × results in user messages/);
    const [simulation] = JSON.parse(readFileSync(join(folder, "tau2.json"), "utf8")).simulations;
    const calls = simulation.messages.flatMap((message: { tool_calls?: object[] | null }) => message.tool_calls ?? []);
    expect(calls).toMatchObject([{ name: "get_user_details", arguments: { user_id: "x" } }]);
    const again = await turnwise("export", join(folder, "tau2.json"), "--format", "jsonl", "--out", join(folder, "again.jsonl"));
    expect(again.stdout).not.toMatch(/read as|results in user messages/);
  });

  it("refuses a format that it does not know, and a place that it cannot write to", async () => {
    expect((await turnwise("export", rolloutFile(0), "--format", "csv", "--out", "x")).exitCode).toBe(64);
    const { stderr, exitCode } = await turnwise("export", rolloutFile(0), "--format", "tau2", "--out", "/nowhere/x.json");
    expect(stderr).toContain("cannot write /nowhere/x.json");
    expect(exitCode).toBe(2);
  });
});
