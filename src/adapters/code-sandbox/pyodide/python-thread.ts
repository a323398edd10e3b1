// A worker thread with one interpreter, seen from outside: it is asked for one cell at a time, and killed when it does not answer.
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { CellAnswer, CellRequest, ThreadOptions, WorkerMessage } from "./messages.ts";

export interface PythonThread {
  /** The answer to a cell; null when the thread ended before it had one. */
  ask(request: CellRequest): Promise<CellAnswer | null>;
  kill(): Promise<void>;
  /** Whether it takes no cell any more. */
  isDead(): boolean;
}

const ENTRY = fileURLToPath(new URL("worker.ts", import.meta.url));

/** The memory of a started Python, in a thread that ends then. */
export async function makeSnapshot(): Promise<Uint8Array> {
  const { worker, answer } = begin({ snapshot: null, memoryMib: 0 });
  const made = await answer();
  await worker.terminate();
  if (made?.type !== "snapshot") throw new Error("the thread that makes the snapshot ended before it had one");
  return made.bytes;
}

/** Starts a thread; resolves when its interpreter is ready. Rejects with what kept it from that. */
export async function startThread(options: { snapshot: Uint8Array; memoryMib: number }): Promise<PythonThread> {
  const { worker, answer } = begin(options);
  let isDead = false;
  worker.once("exit", () => {
    isDead = true;
  });
  const started = await answer();
  if (started?.type !== "started") throw new Error("the interpreter's thread ended before it was ready");
  // After its start a failure of the thread is an end like any other: whoever waits for its answer gets null.
  worker.on("error", () => {});
  worker.unref();
  return {
    ask: async (request) => {
      worker.ref();
      worker.postMessage(request);
      const answered = await answer().catch(() => null);
      worker.unref();
      return answered?.type === "ended" || answered?.type === "broken" ? answered : null;
    },
    kill: async () => {
      isDead = true;
      await worker.terminate();
    },
    isDead: () => isDead,
  };
}

/** A thread, and a wait for the next thing that it says: null when it ends, rejects when it fails. */
function begin(workerData: ThreadOptions): { worker: Worker; answer(): Promise<WorkerMessage | null> } {
  // What the interpreter's JavaScript prints is nobody's: cells write to their own buffer. The environment is not handed on.
  const worker = new Worker(ENTRY, { workerData, env: {}, stdout: true, stderr: true, execArgv: [] });
  const answer = async () => {
    const stop = new AbortController();
    const { signal } = stop;
    try {
      const [message] = (await Promise.race([
        once(worker, "message", { signal }),
        once(worker, "exit", { signal }).then(() => [null]),
      ])) as [WorkerMessage | null];
      return message;
    } finally {
      stop.abort();
    }
  };
  return { worker, answer };
}
