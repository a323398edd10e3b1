// The laws of the supervisor, with real processes: a small service in every part, so that each law takes a second.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addressesOf, answers, freePorts, portOwner, portsFromEnvironment, type StackPorts } from "#adapters/services/ports.ts";
import { identify, isAlive, markedProcesses, waitUntil } from "#adapters/services/process-identity.ts";
import type { ServiceSpec } from "#adapters/services/service-spec.ts";
import { readStack, type Stack, startStack, stopStack } from "#adapters/services/stack.ts";
import { readState, writeState } from "#adapters/services/state.ts";
import { readSettings } from "#adapters/settings.ts";
import type { CampaignError } from "#core/errors.ts";

const FIXTURE = fileURLToPath(new URL("../../support/fixture-service.ts", import.meta.url));

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "turnwise-stack-"));
});
afterEach(async () => {
  await stopStack(home);
  rmSync(home, { recursive: true, force: true });
});

function service(name: string, behaviour: readonly string[] = [], changes: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    name,
    argv: [process.execPath, FIXTURE, ...behaviour],
    env: {},
    ports: {},
    readiness: { type: "announced" },
    readySeconds: 15,
    isAwaited: true,
    after: [],
    stopWave: 0,
    stopSeconds: 3,
    niceness: 0,
    ...changes,
  };
}

function start(...others: ServiceSpec[]): Promise<Stack> {
  return startStack({ home, services: [], others, endsWithUs: true });
}

const stateOf = (stack: Stack, name: string) => {
  const found = stack.services().find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
};
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail("it should fail"),
    (error: unknown) => error as CampaignError,
  );

test("a stack is ready when its awaited services are, and not before", async () => {
  const stack = await start(service("slow", ["delay=400"]), service("unimportant", ["delay=9000"], { isAwaited: false }));
  expect(stateOf(stack, "slow").status).toBe("ready");
  expect(stateOf(stack, "unimportant").status).toBe("starting");
});

test("a service starts only after those that it needs are ready", async () => {
  const moments: string[] = [];
  await startStack({
    home,
    services: [],
    others: [service("second", [], { after: ["first"] }), service("first", ["delay=300"])],
    onEvent: (name, what) => moments.push(`${name} ${what.split(" ")[0]}`),
    endsWithUs: true,
  });
  expect(moments).toEqual(["first started", "first ready", "second started", "second ready"]);
});

test("a killed service comes back as another process, and the restart is counted", async () => {
  const stack = await start(service("phoenix"));
  const before = stack.killService("phoenix", "SIGKILL");
  expect(await waitUntil(() => stateOf(stack, "phoenix").restarts === 1, 10)).toBe(true);
  await stack.waitUntilReady("phoenix", 10);
  expect(stateOf(stack, "phoenix")).toMatchObject({ restarts: 1, lastExit: "SIGKILL", status: "ready" });
  expect(stateOf(stack, "phoenix").process?.pid).not.toBe(before.pid);
});

test("stopping leaves nobody behind: not a stubborn service, not a child in a group of its own", async () => {
  const stack = await start(service("stubborn", ["stubborn"], { stopSeconds: 0.5 }), service("parent", ["child"]));
  expect(markedProcesses(home).length).toBe(4);
  await stack.stop();
  expect(markedProcesses(home)).toEqual([]);
  expect(readState(home)).toBeNull();
});

test("services stop in waves", async () => {
  const stack = await start(service("server", [], { stopWave: 1 }), service("client", ["stubborn"], { stopSeconds: 0.5 }));
  await stack.stop();
  const log = readFileSync(join(home, "logs", "supervisor.log"), "utf8");
  const stopped = [...log.matchAll(/"service":"(\w+)","what":"stopped"/g)].map((match) => match[1]);
  expect(stopped).toEqual(["client", "server"]);
});

test("a service that keeps dying fails the start with its last words, and nothing is left", async () => {
  const error = await failure(start(service("healthy"), service("doomed", ["dies=20", "delay=9000"])));
  expect(error).toMatchObject({
    code: "service.start-failed",
    message: expect.stringMatching(/doomed died 5 times.*exit code 7.*last words/s),
  });
  expect(error.next).toContain("doomed.log");
  expect(await waitUntil(() => markedProcesses(home).length === 0, 5)).toBe(true);
});

test("a service that dies five times in a minute is reported as failing, and comes back once it can", async () => {
  const stack = await start(service("flaky", ["dies=250"]));
  expect(await waitUntil(() => stateOf(stack, "flaky").status === "failing", 20)).toBe(true);
  expect(stateOf(stack, "flaky").lastExit).toBe("exit code 7");
  expect(await waitUntil(() => stateOf(stack, "flaky").status === "ready", 15)).toBe(true);
});

test("a service that never gets ready fails the start in its time", async () => {
  const error = await failure(start(service("mute", ["delay=60000"], { readySeconds: 0.5 })));
  expect(error).toMatchObject({ code: "service.start-failed", message: expect.stringContaining("mute was not ready within 0.5 s") });
  expect(await waitUntil(() => markedProcesses(home).length === 0, 5)).toBe(true);
});

test("starting twice, even at once, gives one stack", async () => {
  const stacks = await Promise.all([start(service("one")), start(service("one")), start(service("one"))]);
  expect(stacks.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(markedProcesses(home)).toHaveLength(2);
});

test("the holder of a port is told by its whole command, the home it serves included", async () => {
  const { policy: port } = await freePorts();
  const folder = join(home, ...Array.from({ length: 8 }, () => "a-folder-below"), "policies");
  const stack = await start(service("holder", [`port=${port}`, "--policy-root", folder], { ports: { policy: port } }));
  expect(portOwner(port)).toMatch(new RegExp(`^process \\d+ \\(.*--policy-root ${folder}\\)$`));
  await stack.stop();
});

test("without a running stack the settings name the ports that `up` would take; with one, its own", async () => {
  const ports = await freePorts();
  const [defaults, asked] = [readSettings({ TURNWISE_HOME: home }), readSettings({ TURNWISE_HOME: home, ...variablesOf(ports) })];
  const { temporalUiUrl: _, ...usual } = addressesOf(portsFromEnvironment({}));
  const { temporalUiUrl: _ui, ...wanted } = addressesOf(ports);
  expect(defaults).toMatchObject(usual);
  expect(asked).toMatchObject(wanted);
  expect(() => readSettings({ TURNWISE_HOME: home, TURNWISE_TEMPORAL_PORT: "none" })).toThrow("TURNWISE_TEMPORAL_PORT");
  const stack = await startStack({ home, ports, services: [], others: [service("one")], endsWithUs: true });
  expect(readSettings({ TURNWISE_HOME: home, TURNWISE_TEMPORAL_PORT: "1" }).temporalAddress).toBe(stack.endpoints.temporalAddress);
  process.kill(readState(home)?.supervisor.pid ?? 0, "SIGKILL");
  expect(await waitUntil(() => readStack(home) === null, 5)).toBe(true);
  expect(readSettings({ TURNWISE_HOME: home, TURNWISE_TEMPORAL_PORT: "7" }).temporalAddress).toBe("127.0.0.1:7");
});

function variablesOf({ temporal, policy, mlflow }: StackPorts): NodeJS.ProcessEnv {
  return { TURNWISE_TEMPORAL_PORT: String(temporal), TURNWISE_POLICY_PORT: String(policy), TURNWISE_MLFLOW_PORT: String(mlflow) };
}

test("a taken port is refused before anything starts, with the port, its holder and a way out", async () => {
  const { policy: port } = await freePorts();
  const holder = createServer().listen(port, "127.0.0.1");
  const error = await failure(start(service("late", [`port=${port}`], { ports: { policy: port } })));
  holder.close();
  expect(error).toMatchObject({
    code: "service.port-taken",
    message: expect.stringContaining(`port ${port} (late) is taken by process ${process.pid}`),
  });
  expect(error.next).toContain("TURNWISE_POLICY_PORT=");
  expect(readState(home)).toBeNull();
  expect(markedProcesses(home)).toEqual([]);
});

test("what a killed supervisor left behind is found and ended", async () => {
  await start(service("orphan", ["child"]));
  const supervisor = readState(home)?.supervisor.pid ?? 0;
  process.kill(supervisor, "SIGKILL");
  expect(await waitUntil(() => readStack(home) === null, 5)).toBe(true);
  expect(markedProcesses(home)).toHaveLength(2);
  expect(await stopStack(home)).toEqual(["orphan (left behind)", "1 more processes"]);
  expect(markedProcesses(home)).toEqual([]);
}, 30_000);

test("a new stack ends the leftovers of a killed one before it starts", async () => {
  const { policy: port } = await freePorts();
  await start(service("holder", [`port=${port}`], { ports: { policy: port } }));
  process.kill(readState(home)?.supervisor.pid ?? 0, "SIGKILL");
  expect(await waitUntil(() => readStack(home) === null, 5)).toBe(true);
  const again = await start(service("holder", [`port=${port}`], { ports: { policy: port } }));
  expect(again.isNew).toBe(true);
  expect(await waitUntil(() => stateOf(again, "holder").status === "ready", 5)).toBe(true);
  expect(await answers(port)).toBe(true);
});

test("a process that was given an old pid is left alone", async () => {
  const stack = await start(service("past"));
  const state = readState(home);
  await stack.stop();
  const stranger = spawn("sleep", ["60"], { stdio: "ignore", detached: true });
  const { pid } = identify(stranger.pid ?? 0);
  if (state === null) throw new Error("there was no state");
  writeState({
    ...state,
    supervisor: { pid, start: "another life" },
    services: state.services.map((entry) => ({ ...entry, process: { pid, start: "another life" } })),
  });
  expect(readStack(home)).toBeNull();
  expect(await stopStack(home)).toEqual([]);
  expect(isAlive(identify(pid))).toBe(true);
  stranger.kill("SIGKILL");
});

test("a stack that ends with its starter ends when the starter is killed", async () => {
  const stackModule = fileURLToPath(new URL("../../../src/adapters/services/stack.ts", import.meta.url));
  const program = `
    import { startStack } from ${JSON.stringify(stackModule)};
    await startStack(${JSON.stringify({ home, services: [], others: [service("tied")], endsWithUs: true })});
    console.log("up");
    setInterval(() => {}, 60_000);`;
  const starter = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((done) => starter.stdout.once("data", done));
  expect(markedProcesses(home)).toHaveLength(2);
  starter.kill("SIGKILL");
  expect(await waitUntil(() => markedProcesses(home).length === 0, 10)).toBe(true);
});
