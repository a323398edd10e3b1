// Ports on loopback: which are free, who holds a taken one, and how to ask for others.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { CampaignError } from "#core/errors.ts";
import { startOf } from "#core/text.ts";
import { variable as given } from "../../../infra/setup/places.mjs";

export interface StackPorts {
  readonly temporal: number;
  readonly temporalUi: number;
  readonly mlflow: number;
  readonly policy: number;
}

const DEFAULT_PORTS: StackPorts = { temporal: 7233, temporalUi: 8233, mlflow: 5050, policy: 8620 };

const VARIABLES: Readonly<Record<keyof StackPorts, string>> = {
  temporal: "TURNWISE_TEMPORAL_PORT",
  temporalUi: "TURNWISE_TEMPORAL_UI_PORT",
  mlflow: "TURNWISE_MLFLOW_PORT",
  policy: "TURNWISE_POLICY_PORT",
};

/** The ports that environment variables ask for, over the defaults. Throws config.invalid. */
export function portsFromEnvironment(environment: NodeJS.ProcessEnv): StackPorts {
  const entries = Object.entries(VARIABLES).map(([name, variable]) => {
    const text = given(variable, environment);
    return [name, text !== undefined ? parsePort(text, variable) : DEFAULT_PORTS[name as keyof StackPorts]];
  });
  return Object.fromEntries(entries) as StackPorts;
}

/** Where the services of a stack with these ports are found. */
export function addressesOf(ports: StackPorts) {
  return {
    temporalAddress: `127.0.0.1:${ports.temporal}`,
    temporalUiUrl: `http://127.0.0.1:${ports.temporalUi}`,
    mlflowUrl: `http://127.0.0.1:${ports.mlflow}`,
    policyUrl: `http://127.0.0.1:${ports.policy}`,
  };
}

/** Throws config.invalid for anything but a port number. */
export function parsePort(text: string, name: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new CampaignError("config.invalid", `${name} is "${text}", wanted a port number`, {
    next: `set ${name} to a number between 1 and 65535`,
  });
}

/** Whether nobody listens there, on loopback or on all addresses. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canListen(port)) && !(await answers(port));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Whether something accepts connections on a port of loopback. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: 1_000 });
    const finish = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket
      .once("connect", () => finish(true))
      .once("error", () => finish(false))
      .once("timeout", () => finish(false));
  });
}

/** Below the range that systems hand out to outgoing connections, which could take such a port before we do. */
const FREE_PORT_RANGE = [15_000, 30_000] as const;

/** Ports that were free a moment ago, all different: for stacks that live beside others. */
export async function freePorts(): Promise<StackPorts> {
  const found = new Set<number>();
  const names = Object.keys(DEFAULT_PORTS);
  const [low, high] = FREE_PORT_RANGE;
  while (found.size < names.length) {
    const port = low + Math.floor(Math.random() * (high - low));
    if (await isPortFree(port)) found.add(port);
  }
  const ports = [...found];
  return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as unknown as StackPorts;
}

/** Throws service.port-taken for the first port that somebody holds. */
export async function requireFreePorts(
  services: readonly { readonly name: string; readonly ports: Readonly<Record<string, number>> }[],
): Promise<void> {
  for (const { name, ports } of services) {
    for (const [use, port] of Object.entries(ports)) {
      if (await isPortFree(port)) continue;
      const owner = portOwner(port);
      const variable = VARIABLES[use as keyof StackPorts] ?? null;
      throw new CampaignError("service.port-taken", `port ${port} (${name}) is taken${owner === null ? "" : ` by ${owner}`}`, {
        next: `stop that program, or choose another port${variable === null ? "" : `: ${variable}=${port + 1} turnwise up`}`,
      });
    }
  }
}

/** Which process listens on a port, in words, or null when the system does not tell. */
export function portOwner(port: number): string | null {
  try {
    const inode = listeningInode(port);
    const pid = readdirSync("/proc").find((entry) => /^\d+$/.test(entry) && holds(entry, `socket:[${inode}]`));
    if (inode === null || pid === undefined) return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean).join(" ");
    return `process ${pid} (${shorten(command)})`;
  } catch {
    return null;
  }
}

/** Long enough for a program and its home, which tell one stack from another, wherever checkout and home lie. */
const LONGEST_COMMAND = 1000;

const shorten = (command: string) => (command.length <= LONGEST_COMMAND ? command : `${startOf(command, LONGEST_COMMAND - 1)}…`);

function listeningInode(port: number): string | null {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) => readFileSync(path, "utf8").split("\n"));
  const fields = lines.map((line) => line.trim().split(/\s+/)).find((field) => field[1]?.endsWith(suffix) && field[3] === "0A");
  return fields?.[9] ?? null;
}

function holds(pid: string, socket: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => readLink(`/proc/${pid}/fd/${descriptor}`) === socket);
  } catch {
    return false; // gone, or not ours to look into
  }
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
