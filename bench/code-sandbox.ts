// Trivial cells in both runtimes beside a fresh CPython process per cell, on Linux: by wall time, and by CPU
// time of this process and its children.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { pyodideRuntime } from "#adapters/code-sandbox/pyodide/pyodide-runtime.ts";
import { subprocessRuntime } from "#adapters/code-sandbox/subprocess/subprocess-runtime.ts";
import type { CodeRuntime } from "#environments/code-reasoning/code-runtime.ts";
import { childEnvironment } from "../infra/setup/shell.mjs";
import { type BenchmarkOptions, type BenchmarkReport, type BenchmarkRow, describeDevice, rateRow } from "./report.ts";

const PYTHON = "python3";
const CODE = "sum(n * n for n in range(10))";
const RESULT = "285";
const LIMITS = { seconds: 60, outputBytes: 16_384 };
const CELLS_PER_EPISODE = 4;
/** Place of `cutime` after the process's name in /proc/self/stat, whose unit is a tick. */
const CHILD_USER = 13;
const TICKS_PER_SECOND = 100;

interface Rates {
  readonly perWallSecond: number;
  readonly perCpuSecond: number;
}

/** 4,000 cells in one thread, 400 when quick; a twentieth as many fresh processes. */
export async function run({ isQuick }: BenchmarkOptions): Promise<BenchmarkReport> {
  const numCells = isQuick ? 400 : 4000;
  const fresh = measureFresh(numCells / 20);
  const rows: BenchmarkRow[] = [];
  for (const open of [() => pyodideRuntime({ threads: 1, memoryMib: 128 }), () => subprocessRuntime({ python: PYTHON, memoryMib: 512 })]) {
    const runtime = open();
    await episode(runtime, 10);
    const [long, short] = [await measure(runtime, numCells, numCells), await measure(runtime, numCells / 8, CELLS_PER_EPISODE)];
    await runtime.close();
    rows.push(...rowsOf(`${runtime.id}, cells of one episode`, long, fresh), ...rowsOf(`${runtime.id}, episodes of 4 cells`, short, fresh));
  }
  return { benchmark: "code-sandbox", device: describeDevice(), rows };
}

function rowsOf(name: string, ours: Rates, fresh: Rates): BenchmarkRow[] {
  const peer = "a fresh CPython process per cell";
  return [
    rateRow(name, "cells per second of one core's CPU", ours.perCpuSecond, { value: fresh.perCpuSecond, name: peer }),
    rateRow(name, "cells per second of wall time", ours.perWallSecond, { value: fresh.perWallSecond, name: peer }),
  ];
}

async function measure(runtime: CodeRuntime, numCells: number, perEpisode: number): Promise<Rates> {
  const clock = startClock();
  for (let done = 0; done < numCells; done += perEpisode) await episode(runtime, perEpisode);
  return clock(numCells);
}

async function episode(runtime: CodeRuntime, numCells: number): Promise<void> {
  const { signal } = new AbortController();
  const session = await runtime.open(signal);
  for (let cell = 0; cell < numCells; cell++) {
    const { result } = await session.run({ code: CODE, limits: LIMITS, signal });
    if (result !== RESULT) throw new Error(`a cell answered ${result}`);
  }
  await session.close();
}

function measureFresh(numCells: number): Rates {
  const clock = startClock();
  for (let cell = 0; cell < numCells; cell++) {
    const printed = execFileSync(PYTHON, ["-I", "-c", `print(${CODE})`], { env: childEnvironment(), encoding: "utf8" });
    if (printed.trim() !== RESULT) throw new Error(`a process answered ${printed}`);
  }
  return clock(numCells);
}

function startClock(): (numCells: number) => Rates {
  const [wall, cpu] = [performance.now(), cpuSeconds()];
  return (numCells) => ({ perWallSecond: (1000 * numCells) / (performance.now() - wall), perCpuSecond: numCells / (cpuSeconds() - cpu) });
}

/** User and system time of this process, its threads and, from Linux's process table, the children that have ended. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  const afterName = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? [];
  const [childUser, childSystem] = afterName.slice(CHILD_USER, CHILD_USER + 2).map(Number);
  return (user + system) / 1e6 + ((childUser ?? 0) + (childSystem ?? 0)) / TICKS_PER_SECOND;
}
