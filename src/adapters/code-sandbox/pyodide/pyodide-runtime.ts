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
  /** Threads at most, and so cells that run at the same time; of open sessions there may be any number. */
  readonly threads: number;
  /** Memory of one interpreter, its own 30 MiB among them. */
  readonly memoryMib: number;
}

const RESTARTED = "names of earlier cells are gone";
/** Cells that are run again get more time: once they were in time, and on a busy machine they should be so again. */
const SECONDS_AGAIN = 4;

/** Threads are started when they are first needed. */
export function pyodideRuntime({ threads, memoryMib }: PyodideOptions): CodeRuntime {
  const pool = threadPool(threads, async () => startThread({ snapshot: await sharedSnapshot(), memoryMib }));
  const resting = new Set<Resting>();
  return {
    id: "pyodide",
    open: async (signal) => {
      signal.throwIfAborted();
      return openSession({ pool, memoryMib, resting });
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

/** A session that has a thread and runs nothing. */
interface Resting {
  giveWay(): Promise<void>;
}

interface Shared {
  readonly pool: ThreadPool<PythonThread>;
  readonly memoryMib: number;
  /** Who has rested longest comes first. */
  readonly resting: Set<Resting>;
}

/**
 * Between its cells a session keeps its thread until somebody else needs one. Then it gives it up, and runs its cells again when its next one
 * comes: an interpreter does the same every time.
 */
function openSession({ pool, memoryMib, resting }: Shared): CodeSession {
  let thread: PythonThread | null = null;
  let isClosed = false;
  /** The cells that its namespace comes from. */
  let past: Cell[] = [];
  const self: Resting = {
    async giveWay() {
      resting.delete(self);
      const held = thread;
      thread = null;
      if (held !== null) await pool.release(held);
    },
  };
  const take = async (signal: AbortSignal): Promise<PythonThread> => {
    resting.delete(self);
    if (thread !== null) return thread;
    if (pool.isTaken()) await resting.values().next().value?.giveWay();
    thread = await pool.acquire(signal);
    return thread;
  };
  const rest = async () => {
    if (thread === null) return;
    if (thread.isDead()) past = [];
    if (thread.isDead() || pool.isWanted()) await self.giveWay();
    else resting.add(self);
  };
  return {
    run: async (cell) => {
      if (isClosed) throw new Error("the session is closed");
      cell.signal.throwIfAborted();
      const isNew = thread === null;
      const taken = await take(cell.signal);
      try {
        const again = isNew ? past : [];
        if (!(await runAgain(taken, again, cell.signal, memoryMib))) return NOT_AGAIN;
        const outcome = await runCell(taken, cell, { isFirst: isNew && again.length === 0, memoryMib });
        past.push(cell);
        return outcome;
      } finally {
        await rest();
      }
    },
    close: async () => {
      isClosed = true;
      await self.giveWay();
    },
  };
}

const NOT_AGAIN = failed("crashed", `earlier cells did not run as before; ${RESTARTED}`, { bytes: new Uint8Array(), isCut: false });

/** Whether the thread has the names of these cells now, run in an interpreter as it was after its start. */
async function runAgain(thread: PythonThread, cells: readonly Cell[], signal: AbortSignal, memoryMib: number): Promise<boolean> {
  for (const [i, { code, limits }] of cells.entries()) {
    const cell = { code, limits: { ...limits, seconds: limits.seconds * SECONDS_AGAIN }, signal };
    await runCell(thread, cell, { isFirst: i === 0, memoryMib });
    if (thread.isDead()) return false;
  }
  return true;
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
