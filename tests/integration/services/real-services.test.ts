// Temporal and MLflow under the supervisor, and the commands that start and stop them.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePorts } from "#adapters/services/ports.ts";
import { markedProcesses, waitUntil } from "#adapters/services/process-identity.ts";
import { readStack, startStack, stopStack } from "#adapters/services/stack.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { TEMPORAL_BINARY } from "../../../infra/setup/places.mjs";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "turnwise-stack-"));
});
afterEach(async () => {
  await stopStack(home);
  rmSync(home, { recursive: true, force: true });
});

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Result> {
  return new Promise((done) => {
    execFile(command, args, { env: { ...process.env, ...env }, cwd: REPOSITORY }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const MAIN = join(REPOSITORY, "src", "cli", "main.ts");
const ONLY_TEMPORAL = ["--without", "mlflow", "policy", "control", "rollout", "training"];

/** The environment of a command line that knows only this test's home and ports that are free. */
async function environment(): Promise<NodeJS.ProcessEnv> {
  const ports = await freePorts();
  return {
    TURNWISE_HOME: home,
    TURNWISE_TEMPORAL_PORT: String(ports.temporal),
    TURNWISE_TEMPORAL_UI_PORT: String(ports.temporalUi),
    NO_COLOR: "1",
  };
}

test("Temporal keeps closed workflows for 90 days, knows our search attributes, and comes back from kill -9 with what it had", async () => {
  const stack = await startStack({ home, ports: "free", services: ["temporal"], endsWithUs: true });
  const temporal = async (...args: string[]) =>
    (await run(TEMPORAL_BINARY, [...args, "--address", stack.endpoints.temporalAddress])).stdout;
  expect(
    JSON.parse(await temporal("operator", "namespace", "describe", "-n", "default", "-o", "json")).config.workflowExecutionRetentionTtl,
  ).toBe(`${90 * 24 * 3600}s`);
  const attributes = await temporal("operator", "search-attribute", "list");
  for (const name of ["TurnwiseCampaign", "TurnwiseState", "TurnwiseStage", "TurnwiseIteration"]) expect(attributes).toContain(name);
  expect(existsSync(join(home, "services", "temporal-1.8.2.db-wal"))).toBe(true);

  await temporal("workflow", "start", "--type", "nobody", "--task-queue", "nobody", "--workflow-id", "survivor");
  stack.killService("temporal", "SIGKILL");
  expect(await waitUntil(() => stack.services()[0]?.restarts === 1, 10)).toBe(true);
  await stack.waitUntilReady("temporal", 20);
  expect(await temporal("workflow", "describe", "--workflow-id", "survivor")).toContain("survivor");
  expect(await stack.health()).toEqual(new Map([["temporal", true]]));
});

test("a namespace that the database file does not know yet is made", async () => {
  const first = await startStack({ home, ports: "free", services: ["temporal"], endsWithUs: true });
  await first.stop();
  const second = await startStack({ home, ports: "free", services: ["temporal"], namespace: "another", endsWithUs: true });
  const { code } = await run(TEMPORAL_BINARY, [
    "operator",
    "namespace",
    "describe",
    "-n",
    "another",
    "--address",
    second.endpoints.temporalAddress,
  ]);
  expect(code).toBe(0);
});

test("MLflow is not waited for, and answers later", async () => {
  const stack = await startStack({ home, ports: "free", services: ["mlflow"], endsWithUs: true });
  expect(stack.services().map(({ status }) => status)).not.toContain("ready");
  await stack.waitUntilReady("mlflow", 110);
  expect((await fetch(`${stack.endpoints.mlflowUrl}/health`)).status).toBe(200);
}, 130_000);

test("up, up again, status and down, as a person types them", async () => {
  const env = await environment();
  const turnwise = (...args: string[]) => run(process.execPath, [MAIN, ...args], env);
  expect(await turnwise("status", "--json")).toMatchObject({ code: 3, stdout: expect.stringContaining('"isRunning": false') });

  const up = await turnwise("up", "--json", ...ONLY_TEMPORAL);
  expect(up).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(up.stdout).services).toMatchObject([{ name: "temporal", status: "ready", isHealthy: true }]);
  const supervisors = () => markedProcesses(home).length;
  const before = supervisors();
  expect((await turnwise("up", ...ONLY_TEMPORAL)).stderr).toContain("running already");
  expect(supervisors()).toBe(before);
  expect(await turnwise("status")).toMatchObject({ code: 0, stdout: expect.stringContaining("ready") });

  expect(await turnwise("down", "--json")).toMatchObject({ code: 0, stdout: expect.stringContaining("temporal") });
  expect(markedProcesses(home)).toEqual([]);
  expect((await turnwise("down")).stdout).toContain("nothing was running");
});

test("a taken port ends `up` with exit code 3, its code and a next step, and nothing is started", async () => {
  const env = await environment();
  const holder = createServer().listen(Number(env["TURNWISE_TEMPORAL_PORT"]), "127.0.0.1");
  const result = await run(process.execPath, [MAIN, "up", ...ONLY_TEMPORAL], env);
  holder.close();
  expect(result.code).toBe(3);
  expect(result.stderr).toMatch(/service\.port-taken port \d+ \(temporal\) is taken by process \d+.*next:.*TURNWISE_TEMPORAL_PORT=/s);
  expect(markedProcesses(home)).toEqual([]);
});

test("a port that is none is refused", async () => {
  const result = await run(process.execPath, [MAIN, "up", "--temporal-port", "much"], await environment());
  expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining("config.invalid") });
});

test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("`up --foreground` leaves nothing running after %s", async (signal) => {
  const child = spawn(process.execPath, [MAIN, "up", "--foreground", ...ONLY_TEMPORAL], {
    cwd: REPOSITORY,
    env: { ...process.env, ...(await environment()) },
    stdio: "ignore",
  });
  const ended = new Promise((done) => child.once("close", done));
  expect(await waitUntil(() => readStack(home)?.services()[0]?.status === "ready", 30)).toBe(true);
  child.kill(signal);
  await ended;
  expect(await waitUntil(() => markedProcesses(home).length === 0, 15)).toBe(true);
});

test("doctor names every part with its version and finds nothing wrong here", async () => {
  const result = await run(process.execPath, [MAIN, "doctor", "--json"], await environment());
  const { findings } = JSON.parse(result.stdout) as { findings: { part: string; state: string; version: string | null }[] };
  const parts = new Map(findings.map((finding) => [finding.part, finding]));
  for (const part of ["node", "npm packages", "python", "torch", "mlflow", "temporal", "disk"]) {
    expect(parts.get(part), part).toMatchObject({ state: expect.stringMatching(/ok|warning/), version: expect.any(String) });
  }
  expect(parts.has("go") && parts.has("GPU") && parts.has("port temporal")).toBe(true);
});
