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
  test("an unknown key, naming its line", async () => {
    expect(await fail(start(QUICKSTART, "--set", "rollout.groupsize=4"))).toMatchObject({
      exitCode: 2,
      code: "config.invalid",
      message: expect.stringMatching(/line \d+: unknown key rollout\.groupsize/),
      next: expect.any(String),
    });
  });

  test("a value of the wrong type, naming its path", async () => {
    const failure = await fail(start(QUICKSTART, "--set", "rollout.groupSize=many"));
    expect(failure).toMatchObject({ exitCode: 2, code: "config.invalid", message: expect.stringContaining("rollout.groupSize") });
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

describe("other commands refuse", () => {
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
    [["calibrate", "FILE", "--tiers", "/nowhere/x.yaml"], "cannot read /nowhere/x.yaml"],
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
