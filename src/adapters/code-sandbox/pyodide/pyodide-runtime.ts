// Python in WebAssembly, in worker threads. The pool is our own: piscina hands any task to any thread, while the cells of an episode need
// the one that holds their names.
import { setTimeout as delay } from "node:timers/promises";
import type { Cell, CellOutcome, CodeRuntime, CodeSession } from "#environments/code-reasoning/code-runtime.ts";
import { failed, readReport } from "../cell-report.ts";
import type { CellAnswer } from "./messages.ts";
import { createOutput, readOutput } from "./output-buffer.ts";
import { makeSnapshot, type PythonThread, startThread } from "./python-thread.ts";
import { type ThreadPool, threadPool } from "./thread-pool.ts";

export interface PyodideOptions {
  /** Threads at most, and so episodes that run code at the same time: an open session holds one from its first cell on. */
  readonly threads: number;
  /** Memory of one interpreter, its own 30 MiB among them. */
  readonly memoryMib: number;
}

export const RESTARTED = "names of earlier cells are gone";

/** Threads are started when they are first needed. */
export function pyodideRuntime({ threads, memoryMib }: PyodideOptions): CodeRuntime {
  const pool = threadPool(threads, async () => startThread({ snapshot: await sharedSnapshot(), memoryMib }));
  return {
    id: "pyodide",
    open: async (signal) => {
      signal.throwIfAborted();
      return openSession(pool, memoryMib);
    },
    close: () => pool.close(),
  };
}

let snapshot: Promise<Uint8Array> | null = null;

/** One for all runtimes of this process: it is the same bytes every time. */
function sharedSnapshot(): Promise<Uint8Array> {
  snapshot ??= makeSnapshot().catch((error: unknown) => {
    snapshot = null;
    throw error;
  });
  return snapshot;
}

function openSession(pool: ThreadPool<PythonThread>, memoryMib: number): CodeSession {
  let thread: PythonThread | null = null;
  let isClosed = false;
  const release = async () => {
    const held = thread;
    thread = null;
    if (held !== null) await pool.release(held);
  };
  return {
    run: async (cell) => {
      if (isClosed) throw new Error("the session is closed");
      cell.signal.throwIfAborted();
      const isFirst = thread === null;
      thread ??= await pool.acquire(cell.signal);
      try {
        return await runCell(thread, cell, { isFirst, memoryMib });
      } finally {
        if (thread.isDead()) await release();
      }
    },
    close: async () => {
      isClosed = true;
      await release();
    },
  };
}

async function runCell(
  thread: PythonThread,
  cell: Cell,
  { isFirst, memoryMib }: { isFirst: boolean; memoryMib: number },
): Promise<CellOutcome> {
  const output = createOutput(cell.limits.outputBytes);
  const stop = new AbortController();
  try {
    const answer = await Promise.race([
      thread.ask({ code: cell.code, output, isFirst }),
      delay(cell.limits.seconds * 1000, "late" as const, { signal: AbortSignal.any([stop.signal, cell.signal]) }),
    ]);
    if (answer !== null && answer !== "late" && answer.type === "ended") return readReport(answer.json, readOutput(output));
    await thread.kill();
    if (answer === "late") return failed("timeout", `stopped after ${cell.limits.seconds} s; ${RESTARTED}`, readOutput(output));
    return failed(...describeEnd(answer, memoryMib), readOutput(output));
  } catch (error) {
    await thread.kill();
    throw cell.signal.aborted ? cell.signal.reason : error;
  } finally {
    stop.abort();
  }
}

function describeEnd(broken: CellAnswer | null, memoryMib: number): ["memory" | "crashed", string] {
  if (broken === null || broken.type === "ended") return ["crashed", `the interpreter's thread ended; ${RESTARTED}`];
  if (broken.wasRefusedMemory) return ["memory", `more than ${memoryMib} MiB of memory; ${RESTARTED}`];
  return ["crashed", `${whatBroke(broken)}; ${RESTARTED}`];
}

function whatBroke({ name, text }: Extract<CellAnswer, { type: "broken" }>): string {
  if (name === "SandboxViolation") return text;
  if (name === "RangeError") return "the stack of the interpreter is full";
  return `the interpreter failed: ${text}`;
}
