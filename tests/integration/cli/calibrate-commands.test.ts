import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeTrajectories } from "#adapters/record/trajectories.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { AdvantagesReport } from "#contracts/advantages-report.ts";
import { AdvantagesByPolicy, CalibrationsByPolicy } from "#contracts/by-policy.ts";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import type { GoldenTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { NO_USAGE } from "#core/rollout/usage.ts";
import { loadSyntheticAirline } from "#environments/synthetic-airline/airline.ts";
import { registerAdvantages } from "../../../src/cli/commands/advantages.ts";
import { registerCalibrate } from "../../../src/cli/commands/calibrate.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const calibrate = (...args: string[]) => runCommand(registerCalibrate, ["calibrate", "--resamples", "200", ...args], {});
const advantages = (...args: string[]) => runCommand(registerAdvantages, ["advantages", ...args], {});

/** A rollout that cancels the right reservation, or another one. */
function line(task: number, trial: number, isRight: boolean, farewell = "Done."): string {
  const id = isRight ? "GOOD" : "OTHER";
  return JSON.stringify({
    task_id: `task-${task}`,
    user_id: `user-${task}`,
    trial,
    outcome: isRight ? 1 : 0,
    golden_actions: [{ name: "cancel_reservation", arguments: { reservation_id: "GOOD", reason: "none" } }],
    messages: [
      { role: "user", content: "cancel" },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "c", function: { name: "cancel_reservation", arguments: JSON.stringify({ reservation_id: id, reason: "none" }) } },
        ],
      },
      { role: "tool", tool_call_id: "c", content: "cancelled" },
      { role: "assistant", content: farewell },
    ],
  });
}

/** Rollouts of two files differ in a word: else they would be the same ones. */
function writeRollouts(folder: string, name: string, trials: readonly number[], numTasks = 40): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    Array.from({ length: numTasks }, (_, task) => trials.map((trial) => line(task, trial, (task + trial) % 2 === 0, name)))
      .flat()
      .join("\n"),
  );
  return path;
}

describe("turnwise calibrate", () => {
  test("a tier scheme of one's own, from a file: its tiers are in the report, the prior's values are inherited", async () => {
    const tiers = join(REPOSITORY, "examples/tiers/cancels-apart.yaml"); // the one of docs/extending/tier-scheme.md
    const path = writeRollouts(temporaryFolder(), "mine.jsonl", [0, 1, 2, 3]);
    const report = CalibrationReport.parse(JSON.parse(await calibrate(path, "--tiers", tiers, "--json")));
    const found = Object.fromEntries(report.splits[0]?.tiers.map(({ tier, numTurns }) => [tier, numTurns]) ?? []);
    expect(found).toMatchObject({ gold_write: 80, wrong_cancel: 80, soft_write: 0 });
    expect(report.fittedTable.values["wrong_cancel"]).toBeCloseTo(-1, 9);
    expect(await calibrate(path, "--tiers", tiers)).toMatch(/tiers cancels-apart@[0-9a-f]{8}/);
  });

  test.each([
    ["nonsense", /unknown tier scheme/],
    ["absent.yaml", /cannot read/],
  ])("an unknown scheme %s is refused", async (tiers, message) => {
    const path = writeRollouts(temporaryFolder(), "mine.jsonl", [0, 1]);
    await expect(calibrate(path, "--tiers", tiers)).rejects.toThrow(message);
  });

  test("prints a report for people, and the contract with --json", async () => {
    const path = writeRollouts(temporaryFolder(), "mine.jsonl", [0, 1, 2, 3]);
    expect(await calibrate(path)).toContain("# Calibration");
    const report = CalibrationReport.parse(JSON.parse(await calibrate(path, "--json")));
    expect(report.splits[0]).toMatchObject({ numTasks: 40, numRollouts: 160, numPasses: 80 });
    expect(report.fittedTable.values["gold_write"]).toBeCloseTo(1, 9);
  });

  test("does not depend on the order of files, and numbers repeated trials anew", async () => {
    const folder = temporaryFolder();
    const files = [writeRollouts(folder, "a.jsonl", [0, 1]), writeRollouts(folder, "b.jsonl", [0, 1, 2])];
    const report = CalibrationReport.parse(JSON.parse(await calibrate(...files, "--json")));
    expect(report.splits[0]?.numRollouts).toBe(200);
    expect(JSON.parse(await calibrate(...files.reverse(), "--json"))).toEqual(report);
  });

  test.each([
    { name: "a missing file", file: null, args: [], message: /cannot read/ },
    { name: "a file of no known format", file: "hello", args: [], message: /none of the formats/ },
    { name: "a broken line", file: `${line(0, 0, true)}\n{"a" 1}`, args: [], message: /line 2: not valid JSON/ },
    {
      name: "an outcome that is no number",
      file: '{"task_id": "a", "messages": [{"role": "user", "content": "x"}], "outcome": NaN}',
      args: [],
      message: /no rollout with an outcome: 1 with NaN for an outcome/,
    },
    {
      name: "a line without outcome",
      file: JSON.stringify({ task_id: "a", messages: [{ role: "user", content: "x" }] }),
      args: [],
      message: /line 1|entry 0/,
    },
    {
      name: "no rollout with an outcome",
      file: JSON.stringify({ task_id: "a", messages: [{ role: "user", content: "x" }], outcome: null }),
      args: [],
      message: /no rollout with an outcome/,
    },
    { name: "a bad number", file: line(0, 0, true), args: ["--holdout", "2"], message: /holdout/ },
    { name: "a table of other tiers", file: line(0, 0, true), args: ["--rewards", "paper-irc"], message: /paper\/1/ },
  ])("$name is one clear error", async ({ file, args, message }) => {
    const path = join(temporaryFolder(), "input.jsonl");
    if (file !== null) writeFileSync(path, file);
    await expect(calibrate(path, ...args)).rejects.toThrowError(message);
  });
});

describe("turnwise advantages", () => {
  test("prints rewards, returns and advantages of every turn", async () => {
    const path = writeRollouts(temporaryFolder(), "mine.jsonl", [0, 1], 1);
    const report = AdvantagesReport.parse(JSON.parse(await advantages(path, "--json", "--set", "gamma=0.5")));
    expect(report.rollouts.map(({ trial, outcome }) => [trial, outcome])).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(report.rollouts[0]?.turns.map(({ tier, reward, return: value }) => [tier, reward, value])).toEqual([
      ["gold_write", 1, 1.25],
      ["message", 0, 0.5],
    ]);
    const sum = report.rollouts.reduce((total, { turns }) => total + (turns[0]?.advantage ?? 9), 0);
    expect(Math.abs(sum)).toBeLessThan(1e-9);
  });

  test.each(AdvantageConfig.options.map((option) => option.shape.type.value))(
    "%s: advantages and calibration take every estimator, and say which it was",
    async (estimator) => {
      const path = writeRollouts(temporaryFolder(), "mine.jsonl", [0, 1, 2, 3], 4);
      const report = AdvantagesReport.parse(JSON.parse(await advantages(path, "--json", "--estimator", estimator)));
      expect(report.diagnostics.estimator).toBe(estimator);
      expect(report.rollouts.some(({ turns }) => turns.some(({ advantage }) => advantage > 0))).toBe(true);
      const { advantage, fittedTable } = CalibrationReport.parse(JSON.parse(await calibrate(path, "--json", "--estimator", estimator)));
      expect(advantage).toEqual(AdvantageConfig.parse({ type: estimator }));
      expect(fittedTable.scheme).toBe("finer/1");
    },
  );

  test("reads trajectories of the record, with the tasks they were made on", async () => {
    const { environment, splits } = loadSyntheticAirline(1);
    const task = splits.train.find(({ goldenActions }) => goldenActions.some(({ name }) => environment.isWrite(name)));
    if (task === undefined) throw new Error("no task with a write");
    const path = join(temporaryFolder(), "trajectories");
    writeFileSync(
      path,
      await encodeTrajectories([
        goldenTrajectory(task, 0),
        {
          ...goldenTrajectory(task, 1),
          turns: [],
          outcome: { ...goldenTrajectory(task, 1).outcome, type: "task_failed", reward: 0, passed: false },
        },
      ]),
    );
    const report = AdvantagesReport.parse(JSON.parse(await advantages(path, "--task-set", "synthetic-airline", "--json")));
    expect(report.rollouts[0]?.turns.map(({ tier }) => tier)).toContain("gold_write");
    await expect(advantages(path)).rejects.toThrowError(/without their tasks/);
  });
});

function goldenTrajectory(task: GoldenTask, trial: number): Trajectory {
  const { environment } = loadSyntheticAirline(1);
  let state = environment.reset();
  const results = task.goldenActions.map((action) => {
    const step = environment.step(state, action);
    state = step.state;
    return step.observation;
  });
  return {
    schemaVersion: 2,
    taskId: task.id,
    trial,
    environment: "airline",
    policy: { name: "p", hash: "h", format: "native" },
    simulator: { id: "s", hash: "h" },
    seed: "s",
    firstUserMessage: "hello",
    turns: task.goldenActions.map((action, index) => ({
      index,
      content: null,
      userReply: null,
      finishReason: "tool_calls",
      stateHash: null,
      toolCalls: [{ id: `${index}`, ...action, result: results[index] ?? null, isError: false, isExecuted: true }],
    })),
    rows: [],
    outcome: { type: "ok", reward: 1, passed: true, parts: {}, stopReason: "user-stop", isDatabaseMatch: true, detail: null },
    usage: NO_USAGE,
  };
}

describe("--by policy", () => {
  test("gives each policy the report that its rollouts alone have, under an account of all", async () => {
    const folder = temporaryFolder();
    const [a, b] = [writeRollouts(folder, "a.jsonl", [0, 1, 2]), writeRollouts(folder, "b.jsonl", [0, 1])];
    const { reading, policies } = CalibrationsByPolicy.parse(JSON.parse(await calibrate(a, b, "--by", "policy", "--json")));
    expect(reading).toMatchObject({ files: 2, rollouts: 200, policies: { a: 120, b: 80 } });
    for (const [name, path] of Object.entries({ a, b })) {
      const alone = CalibrationReport.parse(JSON.parse(await calibrate(path, "--json")));
      expect(policies[name]?.splits).toEqual(alone.splits);
      expect(policies[name]?.fittedTable.values).toEqual(alone.fittedTable.values);
    }
    const advised = AdvantagesByPolicy.parse(JSON.parse(await advantages(a, b, "--by", "policy", "--json")));
    const alone = AdvantagesReport.parse(JSON.parse(await advantages(b, "--json")));
    expect(advised.policies["b"]?.rollouts).toEqual(alone.rollouts);
    expect(await calibrate(a, b, "--by", "policy")).toMatch(/120 a, 80 b[\s\S]*# Policy a[\s\S]*# Policy b/);
    await expect(calibrate(a, b, "--by", "policy", "--html", "x.html")).rejects.toThrowError(/--html/);
  });
});
