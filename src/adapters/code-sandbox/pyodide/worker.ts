// The thread of one interpreter: it starts, says so, and runs one cell after the other. What hangs in it is ended from outside.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { makeSnapshot, startInterpreter } from "./interpreter.ts";
import type { CellRequest, ThreadOptions, WorkerMessage } from "./messages.ts";

if (parentPort === null) throw new Error("worker.ts runs in a worker thread");
const options = workerData as ThreadOptions;
const { snapshot } = options;
if (snapshot !== null) await serve(parentPort, { ...options, snapshot });
else say(parentPort, { type: "snapshot", bytes: shared(await makeSnapshot()) });

function say(port: MessagePort, message: WorkerMessage): void {
  port.postMessage(message);
}

async function serve(port: MessagePort, from: Parameters<typeof startInterpreter>[0]): Promise<void> {
  const interpreter = await startInterpreter(from);
  port.on("message", ({ code, output, isFirst }: CellRequest) => {
    try {
      if (isFirst) interpreter.reset();
      say(port, { type: "ended", json: interpreter.run(code, output) });
    } catch (error) {
      say(port, { type: "broken", name: nameOf(error), text: textOf(error), wasRefusedMemory: interpreter.wasRefusedMemory() });
    }
  });
  say(port, { type: "started" });
}

/** A copy that every thread may read. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
