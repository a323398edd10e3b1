// Which processes are ours: by pid and start time, and by the mark that every process of a stack inherits.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { processStart } from "../../../infra/setup/processes.mjs";
import type { ProcessIdentity } from "./state.ts";

/** Environment variable that names the stack's home in every process below a supervisor. */
export const STACK_MARK = "TURNWISE_STACK_HOME";

/** Throws when the process is already gone. */
export function identify(pid: number): ProcessIdentity {
  const start = processStart(pid);
  if (start === null) throw new Error(`process ${pid} is gone`);
  return { pid, start };
}

export function isAlive(identity: ProcessIdentity | null): identity is ProcessIdentity {
  return identity !== null && processStart(identity.pid) === identity.start;
}

/** Signals a process, or its whole group. False when there was nobody to signal. */
export function signal(pid: number, name: NodeJS.Signals, target: "process" | "group"): boolean {
  try {
    return process.kill(target === "group" ? -pid : pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Whether anybody in a process group still runs. Zombies do not: who reaps them is not our matter. */
export function isGroupAlive(leader: number): boolean {
  if (process.platform !== "linux") return signal(leader, 0 as unknown as NodeJS.Signals, "group");
  return allProcesses().some((pid) => groupOf(pid) === leader);
}

/** Seconds of CPU, in user code and in the kernel, that the living processes of a group have used. Null where nobody can tell. */
export function groupCpuSeconds(leader: number): number | null {
  if (process.platform !== "linux") return null;
  const members = allProcesses().filter((pid) => groupOf(pid) === leader);
  return members.reduce((sum, pid) => sum + cpuTicks(pid), 0) / TICKS_PER_SECOND;
}

const TICKS_PER_SECOND = 100; // USER_HZ, which is 100 on every Linux that Node runs on

function cpuTicks(pid: number): number {
  const fields = statFields(pid);
  return Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0);
}

/** Null for a process that is gone, or a zombie. */
function groupOf(pid: number): number | null {
  const fields = statFields(pid);
  return fields === null || fields[0] === "Z" || fields[0] === "X" ? null : Number(fields[2]);
}

/** The fields of /proc/PID/stat from the state on. Null for a process that is gone. */
function statFields(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

function allProcesses(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0);
}

/** Every process that carries the mark of a home, other than this one. Linux only; elsewhere state.json is all there is. */
export function markedProcesses(home: string): number[] {
  if (process.platform !== "linux") return [];
  const mark = `${STACK_MARK}=${home}`;
  return allProcesses().filter((pid) => pid !== process.pid && environmentOf(pid).includes(mark) && processStart(pid) !== null);
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return []; // gone, or not ours to look into
  }
}

/** Waits until a condition holds; false when the time is over. */
export async function waitUntil(holds: () => boolean, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (!holds()) {
    if (performance.now() > deadline) return false;
    await sleep(100);
  }
  return true;
}
