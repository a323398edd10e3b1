// The local stack as the rest of the project sees it: start it, find it, stop it, whatever became of it in between.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { stackStopSeconds } from "#contracts/grace-periods.ts";
import { CampaignError, ERROR_CODES, type ErrorCode } from "#core/errors.ts";
import { takeLock } from "../../../infra/setup/lock.mjs";
import { PYTHON_BINARY } from "../../../infra/setup/places.mjs";
import { childEnvironment } from "../../../infra/setup/shell.mjs";
import { shellVariables } from "../settings.ts";
import { endLeftovers } from "./leftovers.ts";
import { missingTool, planStack, SERVICE_NAMES, type ServiceName, settingsOf } from "./plan-stack.ts";
import { freePorts, portsFromEnvironment, requireFreePorts, type StackPorts } from "./ports.ts";
import { isAlive, signal, waitUntil } from "./process-identity.ts";
import { isHealthy } from "./readiness.ts";
import type { Endpoints, ServiceSpec, StackPlan } from "./service-spec.ts";
import { logFolder, type ProcessIdentity, readState, type ServiceState, servicesFolder } from "./state.ts";
import { supervisorEnvironment } from "./supervisor.ts";

export interface StackOptions {
  /** State folder. Two stacks never share one. */
  readonly home: string;
  /** Over those of the environment variables, over the defaults. "free": whatever is free now, for a stack beside others. */
  readonly ports?: Partial<StackPorts> | "free";
  readonly namespace?: string;
  /** All of them unless given. */
  readonly services?: readonly ServiceName[];
  /** Addresses of services that are left out here and run elsewhere. */
  readonly elsewhere?: Partial<Endpoints>;
  /** Services beside ours. */
  readonly others?: readonly ServiceSpec[];
  /** Whether the stack ends when this process does, however it ends. */
  readonly endsWithUs?: boolean;
  readonly onEvent?: (service: string, what: string) => void;
}

export interface Stack {
  readonly home: string;
  readonly endpoints: Endpoints;
  /** False when the stack was running already. */
  readonly isNew: boolean;
  /** Environment variables by which another process finds this stack. */
  readonly environment: Readonly<Record<string, string>>;
  services(): readonly ServiceState[];
  /** Whether each service answers now, by name. */
  health(): Promise<ReadonlyMap<string, boolean>>;
  /** Signals the service's main process only, as `kill` would; the supervisor brings it back. Throws service.not-running. */
  killService(name: string, signalName: NodeJS.Signals): ProcessIdentity;
  /** Throws service.not-running when the service is not ready in time. */
  waitUntilReady(name: string, seconds: number): Promise<void>;
  stop(): Promise<void>;
}

const SUPERVISOR = fileURLToPath(new URL("supervise.ts", import.meta.url));
const SETUP = "npm run setup";

/**
 * Starts a stack, or joins the one that runs in this home already. What an earlier one left behind is ended first.
 * Throws service.port-taken before anything starts, and service.start-failed after everything has been stopped again.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const home = resolve(options.home);
  if (!existsSync(PYTHON_BINARY)) throw new CampaignError("service.start-failed", "the Python environment is not set up", { next: SETUP });
  const giveBack = await lockStack(home, (holder) => options.onEvent?.("stack", `${holder} is at it: waiting`));
  try {
    const running = readStack(home);
    if (running !== null) return running;
    await endLeftovers(home);
    const plan = await makePlan(home, options);
    await requireFreePorts(plan.services);
    await startSupervisor(plan, options);
    return stackOf(home, plan, true);
  } finally {
    giveBack();
  }
}

/** The stack that runs in a home, or null. */
export function readStack(home: string): Stack | null {
  const state = readState(resolve(home));
  return state !== null && isAlive(state.supervisor) ? stackOf(state.plan.home, state.plan, false) : null;
}

const SLOW_STOP_MILLISECONDS = 3_000;

/**
 * Stops the stack of a home, and whatever a killed supervisor left behind. Answers what was ended, in words. `onSlow` is told what still
 * runs, and how long it may take, when the stop is no matter of a moment: a trainer saves before it goes.
 */
export async function stopStack(home: string, onSlow: (running: string[], maxSeconds: number) => void = () => {}): Promise<string[]> {
  const folder = resolve(home);
  const state = readState(folder);
  const ended: string[] = [];
  if (state !== null && isAlive(state.supervisor)) {
    const running = () => state.services.filter(({ process }) => isAlive(process)).map(({ name }) => name);
    ended.push(...running());
    signal(state.supervisor.pid, "SIGTERM", "process");
    const maxSeconds = stackStopSeconds(state.plan.services);
    const slow = setTimeout(() => onSlow(running(), maxSeconds), SLOW_STOP_MILLISECONDS);
    await waitUntil(() => !isAlive(state.supervisor), maxSeconds).finally(() => clearTimeout(slow));
    if (isAlive(state.supervisor)) signal(state.supervisor.pid, "SIGKILL", "process");
  }
  // A stack that somebody has started since is no leftover of the one that was to stop.
  const giveBack = existsSync(PYTHON_BINARY) ? await lockStack(folder) : () => {};
  try {
    return readStack(folder) === null ? [...ended, ...(await endLeftovers(folder))] : ended;
  } finally {
    giveBack();
  }
}

/** One process at a time starts a stack in a home, or ends what one has left behind there. Answers how to give the lock back. */
async function lockStack(home: string, onWait: (holder: string) => void = () => {}): Promise<() => void> {
  const path = join(servicesFolder(home), "stack.lock");
  try {
    return (await takeLock(path, { python: PYTHON_BINARY, onWait })).giveBack;
  } catch (cause) {
    throw new CampaignError("service.start-failed", `${path} could not be locked`, {
      cause,
      next: "set TURNWISE_HOME to a folder on a file system that can lock files",
    });
  }
}

async function makePlan(home: string, options: StackOptions): Promise<StackPlan> {
  const services = options.services ?? SERVICE_NAMES;
  const missing = missingTool(services);
  if (missing !== null) throw new CampaignError("service.start-failed", missing, { next: SETUP });
  const ports = options.ports === "free" ? await freePorts() : { ...portsFromEnvironment(shellVariables()), ...options.ports };
  const plan = planStack({ home, ports, namespace: options.namespace ?? "default", services, elsewhere: options.elsewhere ?? {} });
  return { ...plan, services: [...plan.services, ...(options.others ?? [])] };
}

const Reply = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("event"), service: z.string(), what: z.string() }),
  z.strictObject({ type: z.literal("ready") }),
  z.strictObject({ type: z.literal("failed"), code: z.string(), message: z.string(), next: z.string().nullable() }),
]);

/** Resolves when the stack is ready; the supervisor then lives on by itself, or with us. */
async function startSupervisor(plan: StackPlan, { endsWithUs, onEvent }: StackOptions): Promise<void> {
  const child = spawnSupervisor(plan.home);
  try {
    await new Promise<void>((done, fail) => {
      child.on("message", (raw) => {
        const reply = Reply.parse(raw);
        if (reply.type === "event") onEvent?.(reply.service, reply.what);
        else if (reply.type === "ready") done();
        else fail(new CampaignError(codeOf(reply.code), reply.message, reply.next === null ? {} : { next: reply.next }));
      });
      child.once("error", fail);
      child.once("exit", (code) =>
        fail(new CampaignError("service.start-failed", `the supervisor ended with ${code}`, { next: `read ${supervisorLog(plan.home)}` })),
      );
      child.send({ type: "start", plan });
    });
  } finally {
    child.removeAllListeners("message");
    if (!endsWithUs && child.connected) child.send({ type: "release" }, () => {});
    child.unref();
    child.channel?.unref();
  }
}

function spawnSupervisor(home: string): ChildProcess {
  mkdirSync(logFolder(home), { recursive: true });
  const log = openSync(supervisorLog(home), "a");
  const env = childEnvironment(supervisorEnvironment(home));
  const child = spawn(process.execPath, [SUPERVISOR], { detached: true, stdio: ["ignore", log, log, "ipc"], env });
  closeSync(log);
  return child;
}

function supervisorLog(home: string): string {
  return join(logFolder(home), "supervisor.log");
}

function codeOf(code: string): ErrorCode {
  return ERROR_CODES.find((known) => known === code) ?? "service.start-failed";
}

function stackOf(home: string, plan: StackPlan, isNew: boolean): Stack {
  const services = () => readState(home)?.services ?? [];
  const find = (name: string) => services().find((service) => service.name === name);
  const notRunning = (name: string) => new CampaignError("service.not-running", `${name} is not running`, { next: "turnwise status" });
  return {
    home,
    endpoints: plan.endpoints,
    isNew,
    environment: settingsOf(home, plan.endpoints),
    services,
    async health() {
      const asked = plan.services.map(async ({ name, readiness }) => {
        const service = find(name);
        return [name, service?.status === "ready" && isAlive(service.process) && (await isHealthy(readiness))] as const;
      });
      return new Map(await Promise.all(asked));
    },
    killService(name, signalName) {
      const identity = find(name)?.process ?? null;
      if (!isAlive(identity)) throw notRunning(name);
      signal(identity.pid, signalName, "process");
      return identity;
    },
    async waitUntilReady(name, seconds) {
      const isUp = () => {
        const service = find(name);
        return service?.status === "ready" && isAlive(service.process);
      };
      if (!(await waitUntil(isUp, seconds))) throw notRunning(name);
    },
    async stop() {
      await stopStack(home);
    },
  };
}
