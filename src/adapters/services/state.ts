// services/state.json: what the supervisor last knew. Whoever reads it checks that the processes are still the same ones.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { StackPlan } from "./service-spec.ts";

/** A pid alone may have been given to somebody else; with its start time it names one process. */
export const ProcessIdentity = z.strictObject({ pid: z.int().positive(), start: z.string() });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

export const ServiceState = z.strictObject({
  name: z.string(),
  status: z.enum(["waiting", "starting", "ready", "restarting", "failing", "stopped"]),
  process: ProcessIdentity.nullable(),
  ports: z.record(z.string(), z.int()),
  restarts: z.int().nonnegative(),
  /** ISO time at which the present process began. */
  since: z.string().nullable(),
  /** How the last process ended, in words. */
  lastExit: z.string().nullable(),
  logPath: z.string(),
});
export type ServiceState = z.infer<typeof ServiceState>;

export const StackState = z.strictObject({
  schemaVersion: z.literal(1),
  phase: z.enum(["starting", "ready", "stopping"]),
  supervisor: ProcessIdentity,
  startedAt: z.string(),
  plan: StackPlan,
  services: z.array(ServiceState),
});
export type StackState = z.infer<typeof StackState>;

export const servicesFolder = (home: string): string => join(home, "services");
export const logFolder = (home: string): string => join(home, "logs");
const statePath = (home: string): string => join(servicesFolder(home), "state.json");

/** Null when no stack has been started here, or the file cannot be read. */
export function readState(home: string): StackState | null {
  try {
    return StackState.parse(JSON.parse(readFileSync(statePath(home), "utf8")));
  } catch {
    return null;
  }
}

export function writeState(state: StackState): void {
  const path = statePath(state.plan.home);
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, JSON.stringify(state, null, 1));
  renameSync(temporary, path);
}

export function removeState(home: string): void {
  rmSync(statePath(home), { force: true });
}
