// Whatever is wrong with the input: one error with code, cause and next command, an exit code, and nothing written.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const QUICKSTART = "configs/campaigns/quickstart.yaml";
const CHECKPOINT = "configs/models/embedded-airline";

interface Failure {
  readonly exitCode: number | undefined;
  readonly code: string;
  readonly message: string;
  readonly next: string | null;
}

/** Runs the command line in a home of its own and expects it to fail without a trace in that home. */
async function fail(args: readonly string[], environment: Record<string, string> = {}): Promise<Failure> {
  const home = join(temporaryFolder(), "home");
  const env = { TURNWISE_HOME: home, TURNWISE_TAU_BENCH: "", ...environment };
  const { exitCode, stderr } = await execa(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), ...args, "--json"], {
    cwd: REPOSITORY,
    env,
    reject: false,
  });
  expect(existsSync(join(home, "record")) ? readdirSync(join(home, "record")) : []).toEqual([]);
  const line = stderr.split("\n").findLast((text) => text.startsWith("{")) ?? stderr;
  return { exitCode, ...(JSON.parse(line) as { error: Omit<Failure, "exitCode"> }).error };
}

const start = (...args: string[]) => ["campaign", "start", ...args];

describe("campaign start refuses", () => {
  test("an unknown key and a wrong value of the file, naming their lines", async () => {
    const file = join(temporaryFolder(), "campaign.yaml");
    const text = readFileSync(join(REPOSITORY, QUICKSTART), "utf8").replace("groupSize: 8", "groupsize: 4\n  groupSize: many");
    writeFileSync(file, text);
    const line = text.split("\n").findIndex((one) => one.includes("groupsize: 4")) + 1;
    const { message, ...failure } = await fail(start(file, "--set", "seed=7"));
    expect(failure).toMatchObject({ exitCode: 2, code: "config.invalid", next: expect.stringMatching(/^correct the file/) });
    expect(message).toContain(`line ${line}: unknown key rollout.groupsize`);
    expect(message).toContain(`line ${line + 1}: rollout.groupSize: wanted a number, got "many"`);
    expect(message).not.toContain("--set");
  });

  test.each([
    ["rollout.groupsize=4", "unknown key rollout.groupsize"],
    ["rollout.groupSize=many", 'rollout.groupSize: wanted a number, got "many"'],
    ["selection.promote=x", 'selection.promote: wanted "better", "not-worse"'],
    ["simulator.type=x", 'simulator.type: wanted "scripted" or "llm", got "x"'],
    ["stop.maxIterations=0", "stop.maxIterations: wanted a number above 0, got 0"],
    ["policy={type: embedded}", "policy.checkpoint: it is missing"],
    ["seed.of.it=4", "seed.of.it is below a value that has no keys"],
  ])("--set %s, which is to blame and not a line of the file", async (set, problem) => {
    const { message, next, ...failure } = await fail(start(QUICKSTART, "--set", "description=mine", "--set", set));
    expect(failure).toMatchObject({ exitCode: 2, code: "config.invalid" });
    expect(message).toContain(`--set ${set}: ${problem}`);
    expect(message).not.toMatch(/line \d|quickstart|Invalid|description/);
    expect(next).toBe("correct the --set value");
  });

  test("a --set value that makes another value of a right file wrong", async () => {
    const file = join(temporaryFolder(), "campaign.yaml");
    writeFileSync(file, readFileSync(join(REPOSITORY, QUICKSTART), "utf8").replace(/^stop:/m, "stop:\n  targetPassRate: 0.9"));
    const { message } = await fail(start(file, "--set", "selection=null"));
    expect(message).toMatch(/^--set selection=null: stop\.targetPassRate: nothing is selected/);
  });

  test("--set values and a file that are both wrong, each by its own", async () => {
    const file = join(temporaryFolder(), "campaign.yaml");
    writeFileSync(file, readFileSync(join(REPOSITORY, QUICKSTART), "utf8").replace(/^seed: .*/m, "seed: none"));
    const { message, next } = await fail(start(file, "--set", "rollout.groupSize=1"));
    expect(message).toMatch(/line \d+: seed: wanted a number, got "none"/);
    expect(message).toContain("--set rollout.groupSize=1: rollout.groupSize: a group needs at least 2 trajectories");
    expect(next).toMatch(/^correct the --set value, and correct the file/);
  });

  test.each([["--dry-run"], ["--watch"]])("more minibatches than rollouts, with %s", async (flag) => {
    const sets = ["rollout.tasksPerIteration=2", "rollout.groupSize=2", "training.hyperparameters.numMinibatches=5"];
    expect(await fail(start(QUICKSTART, flag, ...sets.flatMap((set) => ["--set", set])))).toMatchObject({
      exitCode: 2,
      code: "config.invalid",
      message: expect.stringContaining("numMinibatches is 5, but an iteration has 4 rollouts"),
      next: expect.stringContaining("to at most 4"),
    });
  });

  test("text that is not YAML", async () => {
    const file = join(temporaryFolder(), "campaign.yaml");
    writeFileSync(file, "name: [unclosed\nseed: 1\n");
    expect(await fail(start(file))).toMatchObject({ exitCode: 2, code: "config.invalid", message: expect.stringContaining("YAML") });
  });

  test("a file that is not there", async () => {
    expect(await fail(start("no-such-file.yaml"))).toMatchObject({ exitCode: 2, code: "config.file-missing" });
  });

  test("a reward table that is not there, listing those that are", async () => {
    const failure = await fail(start(QUICKSTART, "--set", "reward.table=nothing"));
    expect(failure).toMatchObject({ exitCode: 2, code: "config.file-missing", message: expect.stringContaining("finer-prior") });
  });

  test("a checkpoint that is not there", async () => {
    const failure = await fail(start(QUICKSTART, "--set", "policy.checkpoint=configs/models/none"));
    expect(failure).toMatchObject({ exitCode: 2, code: "config.file-missing", next: expect.stringContaining("policy.checkpoint") });
    expect(await fail(start(QUICKSTART, "--set", "policy.checkpoint=configs/models/none", "--dry-run"))).toEqual(failure);
  });

  test("a checkpoint whose weights were cut short", async () => {
    const folder = join(temporaryFolder(), "cut");
    mkdirSync(folder);
    for (const name of ["config.json", "tokenizer.json"]) copyFileSync(join(REPOSITORY, CHECKPOINT, name), join(folder, name));
    writeFileSync(join(folder, "model.safetensors"), readFileSync(join(REPOSITORY, CHECKPOINT, "model.safetensors")).subarray(0, 100_000));
    const failure = await fail(start(QUICKSTART, "--set", `policy.checkpoint=${folder}`));
    expect(failure).toMatchObject({ code: "contract.invalid", message: expect.stringContaining("model.safetensors") });
    expect(failure.exitCode).toBe(2);
  });

  test("tau-bench without its data, and a folder that is not its data", async () => {
    const file = "configs/campaigns/tau-bench-airline.yaml";
    expect(await fail(start(file))).toMatchObject({
      exitCode: 4,
      code: "environment.data-missing",
      next: expect.stringContaining("TURNWISE_TAU_BENCH"),
    });
    const failure = await fail(start(file), { TURNWISE_TAU_BENCH: temporaryFolder() });
    expect(failure).toMatchObject({ exitCode: 4, code: "environment.data-missing" });
  });

  test("an endpoint that does not answer", async () => {
    const simulator = "simulator={type: llm, baseUrl: 'http://127.0.0.1:9/v1', model: none}";
    expect(await fail(start(QUICKSTART, "--set", simulator))).toMatchObject({
      exitCode: 2,
      code: "config.unreachable",
      next: expect.any(String),
    });
  });

  test("more tasks than the split has", async () => {
    const failure = await fail(start(QUICKSTART, "--set", "evaluation.tasks=100000"));
    expect(failure).toMatchObject({ exitCode: 2, code: "config.invalid", message: expect.stringContaining("evaluation.tasks") });
  });

  test("a name that could leave the record", async () => {
    expect(await fail(start(QUICKSTART, "--name", "../escape"))).toMatchObject({ exitCode: 2, code: "config.invalid" });
  });

  test("a taken port, before anything starts", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    try {
      const failure = await fail(["up"], { TURNWISE_TEMPORAL_PORT: port });
      expect(failure).toMatchObject({
        exitCode: 3,
        code: "service.port-taken",
        message: expect.stringContaining(port),
        next: expect.any(String),
      });
    } finally {
      server.close();
    }
  });
});

describe("campaign start --dry-run", () => {
  const plan = async (...args: string[]) => {
    const env = { TURNWISE_HOME: join(temporaryFolder(), "home") };
    const command = [join(REPOSITORY, "src/cli/main.ts"), ...start(QUICKSTART, "--dry-run", ...args)];
    return (await execa(process.execPath, command, { cwd: REPOSITORY, env })).stdout;
  };

  test("says the id, and what the test is", async () => {
    const text = await plan("--name", "mine", "--set", "test={tasks: 8, trials: 3}");
    expect(text).toMatch(/^campaign +mine$/m);
    expect(text).toMatch(/^rollouts .* 24 per policy in the test$/m);
    expect(text).not.toContain("no test");
  });

  test("says that without a test there will be no result", async () => {
    expect(await plan("--set", "test=null")).toMatch(/^test +no test: the campaign will report no result$/m);
  });
});

describe("other commands refuse", () => {
  test.each([
    [["--max-calls", "abc"], "--max-calls abc is not a positive whole number"],
    [["--max-calls", "1.5"], "--max-calls 1.5 is not a positive whole number"],
    [["--max-usd", "-1", "--max-hours", ""], "--max-usd -1 is not a positive number; --max-hours  is not a positive number"],
    [[], "no limit is named"],
  ])("campaign budget %j, naming the option", async (args, message) => {
    expect(await fail(["campaign", "budget", "mine", ...args])).toMatchObject({ exitCode: 2, code: "config.invalid", message });
  });

  test.each([["show"], ["resume"], ["pause"], ["watch"], ["approve"]])("campaign %s of a campaign that is not there", async (command) => {
    expect(await fail(["campaign", command, "nothing"])).toMatchObject({ exitCode: 2, code: "campaign.unknown", next: "turnwise history" });
  });

  test.each([
    [["testbed", "--seeds", "none"], "--seeds: "],
    [["testbed", "--sizes", "3,9"], "--sizes: "],
    [["simulator", "audit", "--trials", "1"], "--trials: "],
    [["calibrate", "FILE", "--resamples", "3"], "--resamples: "],
    [["calibrate", "FILE", "--rule", "llm-proposed"], "--base-url: "],
    [["calibrate", "FILE", "--html", "/nowhere/x.html"], "cannot write /nowhere/x.html"],
    [["calibrate", "FILE", "--tiers", "/nowhere/x.yaml"], "cannot read the tier scheme /nowhere/x.yaml"],
    [["calibration-diff", "FILE", "FILE"], "is no JSON"],
  ])("%j, naming what was given", async (args, message) => {
    const file = join(temporaryFolder(), "rollouts.jsonl");
    const line = (trial: number) =>
      JSON.stringify({ task_id: "t", trial, outcome: trial, messages: [{ role: "assistant", content: "hi" }] });
    writeFileSync(file, `${line(0)}\n${line(1)}\n`);
    const failure = await fail(args.map((arg) => (arg === "FILE" ? file : arg)));
    expect(failure).toMatchObject({ exitCode: 2, message: expect.stringContaining(message), next: expect.any(String) });
  });
});
