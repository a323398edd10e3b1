// The process of one episode: JSON lines over two pipes of its own, its output in a file without a name, its group killed as one.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { CampaignError } from "#core/errors.ts";
import { childEnvironment } from "../../../../infra/setup/shell.mjs";
import type { CellOutput } from "../cell-report.ts";

export interface PythonProcess {
  /** The answer to a cell; null when the process ended before it had one. */
  ask(code: string): Promise<string | null>;
  /** Bytes of output so far. */
  outputLength(): number;
  output(start: number, limit: number): CellOutput;
  /** Kills it and whatever it has started that stayed in its group; resolves when it is gone. Its output can still be read. */
  kill(): Promise<void>;
  /** Kills it, and removes what it has written. */
  close(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("main.py", import.meta.url));
const MIB = 1024 * 1024;
/** The longest file that the process may write, its output among them. */
const MAX_FILE_BYTES = 64 * MIB;

/** Throws config.unreachable when there is no such Python, or none that starts. */
export async function startProcess({ python, memoryMib }: { python: string; memoryMib: number }): Promise<PythonProcess> {
  const folder = mkdtempSync(join(tmpdir(), "turnwise-cells-"));
  const outputFile = openSync(join(folder, "output"), "a+");
  rmSync(join(folder, "output"));
  const child = spawn(python, ["-s", "-P", "-X", "utf8", MAIN, `${memoryMib * MIB}`, `${MAX_FILE_BYTES}`], {
    cwd: folder,
    detached: true,
    env: childEnvironment({ PYTHONHASHSEED: "0" }),
    stdio: ["ignore", outputFile, outputFile, "pipe", "pipe"],
  });
  const exit = new Promise<null>((resolve) => child.once("exit", () => resolve(null)).once("error", () => resolve(null)));
  const requests = child.stdio[3] as Writable;
  requests.on("error", () => {}); // a process that has gone: its exit says so
  const lines = createInterface({ input: child.stdio[4] as Readable })[Symbol.asyncIterator]();
  const answer = () => Promise.race([lines.next().then(({ value }) => (value as string | undefined) ?? null), exit]);
  const kill = async () => {
    killGroup(child);
    await exit;
  };
  const close = async () => {
    await kill();
    closeSync(outputFile);
    rmSync(folder, { recursive: true, force: true });
  };
  if ((await answer()) !== "ready") {
    await close();
    throw new CampaignError("config.unreachable", `${python} does not start as an interpreter for cells`, {
      next: `name a CPython from 3.11 on, or use the pyodide runtime`,
    });
  }
  return {
    ask: (code) => {
      requests.write(`${JSON.stringify(code)}\n`);
      return answer();
    },
    outputLength: () => fstatSync(outputFile).size,
    output: (start, limit) => readOutput(outputFile, start, limit),
    kill,
    close,
  };
}

function readOutput(file: number, start: number, limit: number): CellOutput {
  const length = fstatSync(file).size - start;
  const bytes = new Uint8Array(Math.min(length, limit));
  readSync(file, bytes, 0, bytes.length, start);
  return { bytes, isCut: length > limit };
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
