// A CPython process per episode, for people who have a container around them. It is no sandbox by itself: code in it does what this user may.

import { setTimeout as delay } from "node:timers/promises";
import type { Cell, CellOutcome, CodeRuntime, CodeSession } from "#environments/code-reasoning/code-runtime.ts";
import { failed, readReport } from "../cell-report.ts";
import { type PythonProcess, startProcess } from "./python-process.ts";

export interface SubprocessOptions {
  /** The interpreter: a CPython from 3.11 on. */
  readonly python: string;
  /** Address space of the process. */
  readonly memoryMib: number;
}

const RESTARTED = "names of earlier cells are gone";

export function subprocessRuntime(options: SubprocessOptions): CodeRuntime {
  const open = new Set<CodeSession>();
  return {
    id: "subprocess",
    open: async (signal) => {
      signal.throwIfAborted();
      const session = openSession(options, () => open.delete(session));
      open.add(session);
      return session;
    },
    close: async () => {
      await Promise.all([...open].map((session) => session.close()));
    },
  };
}

function openSession(options: SubprocessOptions, onClose: () => void): CodeSession {
  let process: PythonProcess | null = null;
  let isClosed = false;
  const end = async () => {
    const held = process;
    process = null;
    await held?.close();
  };
  return {
    run: async (cell) => {
      if (isClosed) throw new Error("the session is closed");
      cell.signal.throwIfAborted();
      process ??= await startProcess(options);
      try {
        const { outcome, isAlive } = await runCell(process, cell);
        if (!isAlive) await end();
        return outcome;
      } catch (error) {
        await end();
        throw cell.signal.aborted ? cell.signal.reason : error;
      }
    },
    close: async () => {
      isClosed = true;
      onClose();
      await end();
    },
  };
}

async function runCell(process: PythonProcess, cell: Cell): Promise<{ outcome: CellOutcome; isAlive: boolean }> {
  const stop = new AbortController();
  const { outputBytes, seconds } = cell.limits;
  const start = process.outputLength();
  try {
    const answer = await Promise.race([
      process.ask(cell.code),
      delay(seconds * 1000, "late" as const, { signal: AbortSignal.any([stop.signal, cell.signal]) }),
    ]);
    const output = () => process.output(start, outputBytes);
    if (answer !== "late" && answer !== null) return { outcome: readReport(answer, output()), isAlive: true };
    await process.kill();
    const [kind, text] =
      answer === "late" ? (["timeout", `stopped after ${seconds} s`] as const) : (["crashed", "the process ended"] as const);
    return { outcome: failed(kind, `${text}; ${RESTARTED}`, output()), isAlive: false };
  } finally {
    stop.abort();
  }
}
