// The local services: start, find and stop them, and say what runs.
import { SERVICE_NAMES, type ServiceName } from "#adapters/services/plan-stack.ts";
import { parsePort, portsFromEnvironment, type StackPorts } from "#adapters/services/ports.ts";
import type { Endpoints } from "#adapters/services/service-spec.ts";
import { readStack, type Stack, startStack, stopStack } from "#adapters/services/stack.ts";
import type { ServiceState } from "#adapters/services/state.ts";
import { readSettings, shellVariables } from "../settings.ts";

export { SERVICE_NAMES, type ServiceName } from "#adapters/services/plan-stack.ts";

/** Names of the ports that can be chosen. */
export type PortName = keyof StackPorts;

export interface UpRequest {
  /** Over those of the environment variables, over the defaults. */
  readonly ports: Readonly<Partial<Record<PortName, string>>>;
  /** Services that run elsewhere. */
  readonly without: readonly ServiceName[];
  /** Whether the services end when this process does. */
  readonly endsWithUs: boolean;
  readonly onEvent: (service: string, what: string) => void;
}

/** A service, and whether it answers. */
export interface ServiceReport extends ServiceState {
  readonly isHealthy: boolean;
  readonly uptimeSeconds: number | null;
}

export interface StackReport {
  readonly home: string;
  readonly endpoints: Endpoints;
  readonly services: readonly ServiceReport[];
}

export interface StartedServices {
  /** False when they ran already. */
  readonly isNew: boolean;
  report(): Promise<StackReport>;
  stop(): Promise<void>;
}

/** Throws config.invalid for a port that is none, and what starting throws. */
export async function startServices({ ports, without, endsWithUs, onEvent }: UpRequest): Promise<StartedServices> {
  const settings = readSettings();
  const stack = await startStack({
    home: settings.home,
    namespace: settings.namespace,
    ports: chosenPorts(ports),
    services: SERVICE_NAMES.filter((name) => !without.includes(name)),
    elsewhere: settings,
    endsWithUs,
    onEvent,
  });
  return { isNew: stack.isNew, report: () => reportOf(stack), stop: () => stack.stop() };
}

function chosenPorts(given: UpRequest["ports"]): StackPorts {
  const ports = portsFromEnvironment(shellVariables());
  const chosen = Object.entries(given).map(([name, text]) => [name, parsePort(text, `the port of ${name}`)]);
  return { ...ports, ...Object.fromEntries(chosen) };
}

/** What was stopped, also of what a crash left behind. `onWaiting`: work in flight is saved first. */
export async function stopServices(onWaiting: (running: readonly string[], maxSeconds: number) => void): Promise<readonly string[]> {
  return stopStack(readSettings().home, onWaiting);
}

/** `stack`: null when no services run in this home. */
export async function readServices(): Promise<{ readonly home: string; readonly stack: StackReport | null }> {
  const { home } = readSettings();
  const stack = readStack(home);
  return { home, stack: stack === null ? null : await reportOf(stack) };
}

async function reportOf(stack: Stack): Promise<StackReport> {
  const health = await stack.health();
  const now = Date.now();
  const services = stack.services().map((service) => ({
    ...service,
    isHealthy: health.get(service.name) ?? false,
    uptimeSeconds: service.since === null ? null : (now - Date.parse(service.since)) / 1000,
  }));
  return { home: stack.home, endpoints: stack.endpoints, services };
}
