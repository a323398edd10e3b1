// Our policy server as a process whose processor time and peak memory can be read (Linux: /proc).
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { pythonEnvironment } from "../infra/setup/python/our-python.mjs";
import { readSettings } from "../src/adapters/settings.ts";

export interface ServerUnderTest {
  /** Without /v1. */
  readonly url: string;
  /** User and system time of the process so far. */
  cpuSeconds(): Promise<number>;
  /** The most memory that it has held. */
  peakBytes(): Promise<number>;
  stop(): Promise<void>;
}

const MAX_CONTEXT = 4096;
const TICKS_PER_SECOND = 100;

export async function startServer(
  modelDirectory: string,
  { threads, slots }: { threads: number; slots: number },
): Promise<ServerUnderTest> {
  const child = spawn(
    readSettings().python,
    [
      ...["-m", "policy_server", "--port", "0", "--policy-root", dirname(modelDirectory), "--preload", `policy=${modelDirectory}`],
      ...["--threads", String(threads), "--slots", String(slots), "--max-context", String(MAX_CONTEXT), "--die-with-parent"],
    ],
    { env: pythonEnvironment(), stdio: ["ignore", "pipe", "pipe"] },
  );
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const { value: line } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (line === undefined) throw new Error(`the policy server did not start: ${log}`);
  const { port, pid } = JSON.parse(line) as { port: number; pid: number };
  return {
    url: `http://127.0.0.1:${port}`,
    async cpuSeconds() {
      const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    async peakBytes() {
      const match = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8"));
      return Number(match?.[1]) * 1024;
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
