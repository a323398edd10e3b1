// A child process with its descendants: started without a shell, stopped as one, its output kept in a log file.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GRACE } from "#contracts/grace-periods.ts";
import { groupCpuSeconds, isGroupAlive } from "../services/process-identity.ts";

export interface ProcessGroup {
  readonly pid: number;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Signals the process and all its descendants. No-op when they are gone. */
  kill(signal: NodeJS.Signals): void;
  /** Kills whoever is left, and waits until the process table knows none of them: what they held (memory, GPUs, ports) is free. */
  end(): Promise<{ readonly isGone: boolean }>;
  /** CPU time of all of them together; null where nobody can tell. */
  cpuSeconds(): number | null;
  /** What it wrote since it was started: the last lines of stdout and stderr together. */
  lastLines(count: number): string[];
}

/** Starts `argv` as the leader of a process group of its own. Output is appended to `logPath`. Rejects when it cannot be started. */
export async function startGroup(
  argv: readonly [string, ...string[]],
  options: { env: NodeJS.ProcessEnv; logPath: string; cwd?: string | undefined },
): Promise<ProcessGroup> {
  mkdirSync(dirname(options.logPath), { recursive: true });
  const log = openSync(options.logPath, "a");
  const logStart = fstatSync(log).size;
  const [program, ...rest] = argv;
  const child = spawn(program, rest, { detached: true, stdio: ["ignore", log, log], env: options.env, cwd: options.cwd });
  closeSync(log);
  const exit = new Promise<Awaited<ProcessGroup["exit"]>>((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
  const pid = await startedPid(child);
  return {
    pid,
    exit,
    kill: (signal) => killGroup(pid, signal),
    end: () => endGroup(pid),
    cpuSeconds: () => groupCpuSeconds(pid),
    lastLines: (count) => readFileSync(options.logPath).subarray(logStart).toString("utf8").trimEnd().split("\n").slice(-count),
  };
}

const LOOK_EVERY_MS = 50;

async function endGroup(pid: number): Promise<{ isGone: boolean }> {
  const deadline = performance.now() + GRACE.death * 1000;
  while (isGroupAlive(pid)) {
    killGroup(pid, "SIGKILL");
    if (performance.now() > deadline) return { isGone: false };
    await delay(LOOK_EVERY_MS, undefined, { ref: false });
  }
  return { isGone: true };
}

function startedPid(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(child.pid as number));
  });
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
