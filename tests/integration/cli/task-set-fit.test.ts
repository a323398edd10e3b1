// Rollouts under a task set that is not theirs, and rollouts that do not tell all: refused with a reason, or said.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { afterEach, describe, expect, it } from "vitest";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import type { GoldenTask } from "#contracts/task.ts";
import { loadSyntheticAirline } from "#environments/synthetic-airline/airline.ts";
import { registerAdvantages } from "../../../src/cli/commands/advantages.ts";
import { registerCalibrate } from "../../../src/cli/commands/calibrate.ts";
import { registerRollouts } from "../../../src/cli/commands/rollouts.ts";
import { registerSimulator } from "../../../src/cli/commands/simulator.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPublicRollouts, PUBLIC_ROLLOUTS, TAU_BENCH, WHY_SKIPPED } from "../../support/public-rollouts.ts";

const run = (register: (program: Command) => void, args: readonly string[], data = "") =>
  runCommand(register, args, { TURNWISE_HOME: temporaryFolder(), TURNWISE_TAU_BENCH: data });
const grade = (args: readonly string[], data?: string) => run(registerRollouts, ["rollouts", "grade", ...args], data);
const calibrate = (args: readonly string[]) => run(registerCalibrate, ["calibrate", "--resamples", "100", ...args]);

afterEach(() => {
  process.exitCode = undefined; // `grade` sets it when a reward differs
});

type Message = Record<string, unknown>;
const say = (role: string, content: string): Message => ({ role, content });
const call = (id: string, name: string, args: string, result: string): Message[] => [
  { role: "assistant", content: null, tool_calls: [{ id, type: "function", function: { name, arguments: args } }] },
  { role: "tool", tool_call_id: id, content: result },
];

function write(name: string, lines: readonly object[]): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return path;
}

/** What an agent reads that does the golden actions of a task of the built-in airline. */
function goldenMessages(task: GoldenTask, change: (text: string) => string = (text) => text): Message[] {
  const { environment } = loadSyntheticAirline(1);
  let state = environment.reset();
  return task.goldenActions.flatMap(({ name, argumentsJson }, index) => {
    const step = environment.step(state, { name, argumentsJson });
    state = step.state;
    return call(String(index), name, argumentsJson, change(step.observation));
  });
}

const tasks = () =>
  loadSyntheticAirline(1)
    .splits.train.filter(({ difficulty }) => difficulty.numWrites > 0)
    .slice(0, 3);

function line(task: GoldenTask, messages: readonly Message[], more: object = {}) {
  const said = [say("user", "Hello"), ...messages, say("assistant", `Done. ${task.outputs.join(" ")}`), say("user", "###STOP###")];
  const golden_actions = task.goldenActions.map(({ name, argumentsJson }) => ({ name, arguments: argumentsJson }));
  return { task_id: task.id, user_id: task.userId, messages: said, outcome: 1, golden_actions, outputs: task.outputs, ...more };
}

const made = () =>
  write(
    "made-here.jsonl",
    tasks().map((task) => line(task, goldenMessages(task))),
  );

describe("rollouts of a known set", () => {
  it("are graded with their stored results, whatever tools the model made up on the way", async () => {
    const path = write(
      "made-here.jsonl",
      tasks().map((task) => line(task, [...call("x", "refund_everything", "{}", "Error: tool not found"), ...goldenMessages(task)])),
    );
    const report = JSON.parse(await grade([path, "--task-set", "synthetic-airline", "--json"]));
    expect(report).toMatchObject({ rollouts: 3, passRate: 1, storedPassRate: 1, doNothingFloor: 0, gradedByDatabase: 0, warnings: [] });
    expect(report.files).toMatchObject([{ file: path, rollouts: 3, storedPassRate: 1, passRate: 1 }]);
    expect(report.calls - report.sameResults).toBe(3); // the model's own tool is answered in other words
  });

  it("are refused when their results are others, by every command that takes --task-set", async () => {
    const path = write(
      "changed.jsonl",
      tasks().map((task) =>
        line(
          task,
          goldenMessages(task, () => "done"),
        ),
      ),
    );
    const commands: [(program: Command) => void, string[]][] = [
      [registerRollouts, ["rollouts", "grade", path]],
      [registerRollouts, ["rollouts", "export", path, "--format", "tau2", "--out", join(temporaryFolder(), "out.json")]],
      [registerCalibrate, ["calibrate", path]],
      [registerAdvantages, ["advantages", path]],
      [registerSimulator, ["simulator", "audit", path]],
    ];
    for (const [register, args] of commands) {
      await expect(run(register, [...args, "--task-set", "synthetic-airline"])).rejects.toMatchObject({
        code: "config.invalid",
        message: expect.stringMatching(
          /^changed\.jsonl: 0 of \d+ calls( and \d+ of \d+ golden actions and \d+ of \d+ tasks)? fit synthetic-airline \(\d+ give another result\)$/,
        ),
        next: expect.stringContaining("not known here; the sets of tau-bench were not tried"),
      });
    }
  });

  it("beside a file of another domain: the other file is refused by its name", async () => {
    const shop = write(
      "shop.jsonl",
      [0, 1].map((trial) => ({
        task_id: "0",
        trial,
        messages: [
          say("user", "Close it"),
          ...call("a", "close_ticket", '{"ticket_id": 7}', "ok"),
          say("assistant", "Done"),
          say("user", "###STOP###"),
        ],
        outcome: trial,
        golden_actions: [{ name: "close_ticket", arguments: '{"ticket_id": 7}' }],
      })),
    );
    await expect(grade([made(), shop, "--task-set", "synthetic-airline"])).rejects.toMatchObject({
      message: expect.stringMatching(
        /^shop\.jsonl: 0 of 2 calls fit synthetic-airline \(2 are of tools that are not there \(close_ticket\)\)/,
      ),
    });
  });

  it("and a campaign takes no other task set than its own", async () => {
    await expect(grade(["--campaign", "c", "--task-set", "synthetic-airline"])).rejects.toMatchObject({
      message: "a campaign has a task set of its own",
    });
  });
});

describe("rollouts that do not tell all", () => {
  const untold = { golden_actions: undefined, outputs: undefined };

  it("have no do-nothing floor and are not graded: with others they are counted, alone they are refused", async () => {
    const [first, second, third] = tasks() as [GoldenTask, GoldenTask, GoldenTask];
    const lines = [
      line(first, goldenMessages(first)),
      line(second, goldenMessages(second), untold),
      line(third, goldenMessages(third), untold),
    ];
    const some = JSON.parse(await grade([write("some.jsonl", lines), "--task-set", "synthetic-airline", "--json"]));
    expect(some).toMatchObject({ rollouts: 1, tasks: 1, passRate: 1, ungraded: { "their golden actions are not told": 2 } });
    expect(await grade([write("some.jsonl", lines), "--task-set", "synthetic-airline"])).toContain(
      "not graded          2: their golden actions are not told",
    );
    await expect(grade([write("none.jsonl", lines.slice(1)), "--task-set", "synthetic-airline"])).rejects.toMatchObject({
      message: "no rollout can be graded: 2 rollouts: their golden actions are not told",
    });
    await expect(
      run(registerSimulator, ["simulator", "audit", write("none.jsonl", lines.slice(1)), "--task-set", "synthetic-airline"]),
    ).rejects.toMatchObject({
      message: expect.stringContaining("their golden actions are not told"),
    });
  });

  it("with golden actions and without outputs are graded by the database alone, and it is said", async () => {
    const path = write(
      "part.jsonl",
      tasks().map((task) => line(task, goldenMessages(task), { outputs: undefined })),
    );
    const text = await grade([path, "--task-set", "synthetic-airline"]);
    expect(text).toContain("database alone      grades 3: their required outputs are not told");
    expect(text).toContain("100.0 %; doing nothing passes 0.0 %");
  });

  it.each(["tau-bench", "tau2", "jsonl"])("stay so through a file of %s, and through the other one after it", async (format) => {
    const [task] = tasks() as [GoldenTask];
    const path = write("untold.jsonl", [line(task, goldenMessages(task), untold), line(task, [], { ...untold, outcome: 0 })]);
    const other = format === "tau2" ? "tau-bench" : "tau2";
    const [there, back] = [join(temporaryFolder(), "there.json"), join(temporaryFolder(), "back.json")];
    await run(registerRollouts, ["rollouts", "export", path, "--format", format, "--out", there]);
    await run(registerRollouts, ["rollouts", "export", there, "--format", other, "--out", back]);
    expect(readFileSync(there, "utf8")).toMatch(/"(golden_)?actions": null/);
    for (const file of [path, there, back]) {
      const report = CalibrationReport.parse(JSON.parse(await calibrate([file, "--json"])));
      expect(report.doNothingFloor).toBeNull();
      expect(report.reading?.notes).toMatchObject({ "rollouts without golden actions: no call of theirs can be gold": 2 });
      await expect(grade([file, "--task-set", "synthetic-airline"])).rejects.toMatchObject({
        message: expect.stringContaining("golden actions are not told"),
      });
    }
    expect(await calibrate([back])).toContain("What doing nothing passes is not known.");
  });

  it("as to which tools write have no floor either: the tools are named, and --write-tools settles it", async () => {
    const path = write(
      "desk.jsonl",
      [0, 1, 2, 3].map((index) => ({
        task_id: `t${index >> 1}`,
        messages: [
          say("user", "Close it"),
          ...call("a", "close_ticket", '{"ticket_id": 7}', "ok"),
          say("assistant", "Done"),
          say("user", "###STOP###"),
        ],
        outcome: index % 2,
        golden_actions: [{ name: "close_ticket", arguments: '{"ticket_id": 7}' }],
        outputs: [],
      })),
    );
    const report = CalibrationReport.parse(JSON.parse(await calibrate([path, "--json"])));
    expect(report.doNothingFloor).toBeNull();
    expect(Object.keys(report.reading?.notes ?? {}).join()).toContain(
      "not known to read or to write (close_ticket), and no other tool of the rollouts is known to write",
    );
    const told = CalibrationReport.parse(JSON.parse(await calibrate([path, "--json", "--write-tools", "close_ticket"])));
    expect([told.doNothingFloor, told.reading?.notes]).toEqual([0, {}]);
    const slip = CalibrationReport.parse(JSON.parse(await calibrate([path, "--json", "--write-tools", "clsoe_ticket"])));
    expect(slip.reading?.notes).toEqual({ "named tools that no rollout and no golden action calls (clsoe_ticket)": 1 });
    await expect(calibrate([path, "--write-tools", "close_ticket", "--task-set", "synthetic-airline"])).rejects.toMatchObject({
      message: "synthetic-airline knows which of its tools write and which end the conversation",
    });
  });
});

describe.skipIf(!hasPublicRollouts)(`the benchmarks' own data${WHY_SKIPPED}`, () => {
  it.each([
    ["tau-bench-retail", /236 of 1091 calls fit tau-bench-retail \(735 are of tools that are not there/],
    ["tau2-airline", /272 of 1091 calls fit tau2-airline \(727 give another result/],
    ["synthetic-airline", /265 of 1091 calls fit synthetic-airline \(674 fail and worked where they were made/],
  ])("the public airline rollouts are not those of %s, and the set that is theirs is named", async (set, message) => {
    await expect(grade([PUBLIC_ROLLOUTS, "--task-set", set], TAU_BENCH)).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringMatching(message),
      next: "--task-set tau-bench-airline",
    });
  });

  it("are those of tau-bench-airline, with the calls that the data has changed since", async () => {
    const report = JSON.parse(await grade([PUBLIC_ROLLOUTS, "--task-set", "tau-bench-airline", "--json"], TAU_BENCH));
    expect(report).toMatchObject({
      rollouts: 200,
      sameReward: 200,
      sameResults: 1044,
      calls: 1164,
      doNothingFloor: 0.38,
      warnings: [],
      ungraded: {},
    });
    expect(report.reading.notes).toEqual({ "calls that in tau-bench-airline give another result": 120 });
  });

  const RETAIL = join(TAU_BENCH, "tau2/golden/tau2-retail/replay.jsonl");

  it.skipIf(!existsSync(RETAIL))("calls of tau2's retail fit no known set, tau-bench's retail neither", async () => {
    const cases = readFileSync(RETAIL, "utf8")
      .split("\n")
      .filter((text) => text !== "")
      .map((text) => JSON.parse(text));
    const lines = cases.slice(0, 40).map((one: { task_id: string; calls: { name: string; kwargs: object; observation: string }[] }) => ({
      task_id: one.task_id,
      messages: [
        say("user", "Hello"),
        ...one.calls.flatMap(({ name, kwargs, observation }, index) => call(String(index), name, JSON.stringify(kwargs), observation)),
        say("assistant", "Done"),
        say("user", "###STOP###"),
      ],
      outcome: 1,
    }));
    await expect(grade([write("tau2-retail.jsonl", lines), "--task-set", "tau-bench-retail"], TAU_BENCH)).rejects.toMatchObject({
      message: expect.stringMatching(/calls fit tau-bench-retail/),
      next: "none of the known sets fits (tried: synthetic-airline, tau-bench-airline, tau2-airline), so the rollouts' own set is not known here",
    });
    await expect(run(registerSimulator, ["simulator", "audit", write("tau2-retail.jsonl", lines)], TAU_BENCH)).rejects.toMatchObject({
      message: expect.stringContaining("the rollouts' environment is not known"),
    });
  });

  it("arguments written as Python literals are the reason, and it is told", async () => {
    const entries = JSON.parse(readFileSync(PUBLIC_ROLLOUTS, "utf8")).slice(0, 20);
    for (const { traj } of entries)
      for (const message of traj)
        for (const { function: called } of message.tool_calls ?? [])
          called.arguments = `call with ${called.arguments.replaceAll('"', "'")}`;
    const path = join(temporaryFolder(), "literals.json");
    writeFileSync(path, JSON.stringify(entries));
    await expect(grade([path, "--task-set", "tau-bench-airline"], TAU_BENCH)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^literals\.json: 0 of (\d+) calls fit tau-bench-airline \(\1 have arguments that are no JSON object\)/,
      ),
    });
  });

  it("rewards of rollouts whose calls nobody ran are said to be that", async () => {
    const entries = JSON.parse(readFileSync(PUBLIC_ROLLOUTS, "utf8")).slice(0, 10);
    for (const entry of entries) {
      entry.reward = 1 - entry.reward;
      entry.traj = entry.traj.filter((message: { role: string; tool_calls?: unknown }) => message.role !== "tool" && !message.tool_calls);
    }
    const path = join(temporaryFolder(), "idle.json");
    writeFileSync(path, JSON.stringify(entries));
    const text = await grade([path, "--task-set", "tau-bench-airline"], TAU_BENCH);
    expect(text).toMatch(/idle\.json: \d+ rollouts earn another reward and have no call that was run/);
    expect(text).not.toContain("though every call gives");
  });

  it("rewards that no result explains are said", async () => {
    const entries = JSON.parse(readFileSync(PUBLIC_ROLLOUTS, "utf8")).slice(0, 40);
    for (const entry of entries) entry.reward = 1 - entry.reward;
    const path = join(temporaryFolder(), "turned.json");
    writeFileSync(path, JSON.stringify(entries));
    const text = await grade([path, "--task-set", "tau-bench-airline"], TAU_BENCH);
    expect(text).toMatch(/turned\.json: \d+ rollouts earn another reward though every call gives its stored result/);
    expect(process.exitCode).toBe(1);
  });
});
