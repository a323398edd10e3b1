// What starting costs: commands that read a little, and the whole stack until it is ready. CPU seconds, on Linux.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY, readSettings } from "#adapters/settings.ts";
import { pythonEnvironment } from "../infra/setup/python/our-python.mjs";
import { type BenchmarkOptions, type BenchmarkReport, type BenchmarkRow, describeDevice } from "./report.ts";

const TURNWISE = join(REPOSITORY, "turnwise");
const TICKS_PER_SECOND = 100;
/** Places behind the process's name in /proc/PID/stat: user and system time, of the process and of its ended children. */
const [FIRST_TIME, LAST_TIME] = [11, 14];
/** MLflow starts beside the others at low priority, and nobody waits for it. */
const NOT_AWAITED = "mlflow";

/** Ten runs of each command, three when quick, after one that fills the caches; one start of the stack after one that does. */
export async function run({ isQuick }: BenchmarkOptions): Promise<BenchmarkReport> {
  const home = mkdtempSync(join(tmpdir(), "turnwise-start-"));
  const numRuns = isQuick ? 3 : 10;
  const unit = "CPU s";
  const rows: BenchmarkRow[] = [];
  try {
    const python = readSettings().python;
    const peer = {
      value: cpuOf(numRuns, () => runCommand(python, ["-m", "mlflow", "--help"], pythonEnvironment())),
      name: "mlflow --help",
    };
    const env = { ...process.env, TURNWISE_HOME: home };
    for (const command of ["--help", "history", "status"]) {
      const ours = cpuOf(numRuns, () => runCommand(TURNWISE, [command], env));
      rows.push({ case: `turnwise ${command}`, unit, ours, peer: peer.value, peerName: peer.name, ratio: peer.value / ours });
    }
    await startStack(env);
    for (const [name, ours] of await startStack(env))
      rows.push({ case: `turnwise up: ${name}`, unit, ours, peer: null, peerName: null, ratio: null });
    return { benchmark: "start", device: describeDevice(), rows };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function runCommand(command: string, args: readonly string[], env: NodeJS.ProcessEnv): string {
  return spawnSync(command, args, { env, encoding: "utf8", maxBuffer: 2 ** 26 }).stdout;
}

/** Mean CPU seconds of one run, all its processes together, when it has been run once before. */
function cpuOf(numRuns: number, work: () => void): number {
  work();
  const before = endedChildren();
  for (let done = 0; done < numRuns; done++) work();
  return (endedChildren() - before) / numRuns;
}

const endedChildren = (): number => sum(timesOf("self").slice(2));

/** CPU seconds by service until the last awaited one is ready, and `all that is awaited`, the command itself among it. */
async function startStack(env: NodeJS.ProcessEnv): Promise<Map<string, number>> {
  const before = endedChildren();
  const ports = await freePorts(4);
  const flags = ["temporal", "temporal-ui", "mlflow", "policy"].flatMap((name, index) => [`--${name}-port`, String(ports[index])]);
  try {
    const { services } = JSON.parse(runCommand(TURNWISE, ["up", "--json", ...flags], env)) as StackReport;
    const command = endedChildren() - before;
    const times = new Map(services.map(({ name, process }) => [name, sum(timesOf(String(process.pid)))]));
    const awaited = [...times].filter(([name]) => name !== NOT_AWAITED).map(([, seconds]) => seconds);
    return new Map([["all that is awaited", command + sum(awaited)], ["the command", command], ...times]);
  } finally {
    runCommand(TURNWISE, ["down"], env);
  }
}

interface StackReport {
  readonly services: readonly { readonly name: string; readonly process: { readonly pid: number } }[];
}

/** User and system seconds of a process, then those of its ended children. */
function timesOf(pid: string): number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(FIRST_TIME, LAST_TIME + 1).map((ticks) => Number(ticks) / TICKS_PER_SECOND);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Ports that are free now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((done) => server.listen(0, "127.0.0.1", () => done(server)));
    }),
  );
  return Promise.all(
    servers.map((server) => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      return new Promise<number>((done) => server.close(() => done(port)));
    }),
  );
}
