// Speed of the environments beside tau-bench's own. With TURNWISE_TAU_BENCH_PYTHON (a checkout of tau-bench) the Python side is measured in
// the same run on the same call sequences; without it, against the figures recorded for its commit 59a200c6.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { DatabaseState } from "#environments/tau/database.ts";
import { dumps } from "#environments/tau/python/format.ts";
import { getItem, iterate } from "#environments/tau/python/operations.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { isDict, type PyValue } from "#environments/tau/python/values.ts";
import { readSettings } from "../src/adapters/settings.ts";
import { dataFolder } from "../src/adapters/task-data/data-folder.ts";
import type { GoldenTask } from "../src/contracts/task.ts";
import type { Environment, EnvironmentCall } from "../src/core/environment/environment.ts";
import { CampaignError } from "../src/core/errors.ts";
import { readTauBenchAirline, readTauBenchRetail } from "../src/environments/tau/benchmarks/tau-bench.ts";
import { type BenchmarkOptions, type BenchmarkReport, type BenchmarkRow, describeDevice, rateRow } from "./report.ts";

interface PeerFigures {
  readonly name: string;
  readonly callsPerSecond: number;
  readonly episodesPerSecond: number;
  readonly hashesPerSecond: number;
}

const RECORDED_BY = "tau-bench 59a200c6, CPython 3.11.7, as recorded on an AMD EPYC";

/** Medians of three runs over the 1,500 sequences per domain. */
const RECORDED: Readonly<Record<Domain, PeerFigures>> = {
  airline: { name: RECORDED_BY, callsPerSecond: 18_912, episodesPerSecond: 1.94, hashesPerSecond: 1000 / 218.705 },
  retail: { name: RECORDED_BY, callsPerSecond: 27_909, episodesPerSecond: 6.82, hashesPerSecond: 1000 / 62.268 },
};

type Domain = "airline" | "retail";
const READ = { airline: readTauBenchAirline, retail: readTauBenchRetail };

export async function run({ isQuick }: BenchmarkOptions): Promise<BenchmarkReport> {
  const { tauBench, python } = readSettings();
  if (tauBench === null) {
    throw new CampaignError("environment.data-missing", "this benchmark plays tau-bench's data", { next: "set TURNWISE_TAU_BENCH" });
  }
  const rows: BenchmarkRow[] = [];
  for (const domain of ["airline", "retail"] as const) {
    const fuzzFile = join(tauBench, "golden", domain, "fuzz.jsonl");
    const peer = await measurePeer(domain, { python, fuzzFile, isQuick });
    rows.push(...(await measureDomain(domain, { tauBench, fuzzFile, peer, isQuick })));
  }
  return { benchmark: "environment", device: describeDevice(), rows };
}

async function measureDomain(
  domain: Domain,
  { tauBench, fuzzFile, peer, isQuick }: { tauBench: string; fuzzFile: string; peer: PeerFigures; isQuick: boolean },
): Promise<BenchmarkRow[]> {
  const { environment, tasks } = await READ[domain](dataFolder(tauBench));
  const sequences = await readSequences(fuzzFile);
  const seconds = isQuick ? 1 : 5;
  const row = (name: string, unit: string, ours: number, value: number | null) =>
    rateRow(`${domain}: ${name}`, unit, ours, value === null ? null : { value, name: peer.name });
  return [
    row(
      "calls alone",
      "calls/s",
      best(seconds, () => playAll(environment, sequences).length && countCalls(sequences)),
      peer.callsPerSecond,
    ),
    row(
      "whole conversations",
      "episodes/s",
      best(seconds, () => playGolden(environment, tasks.get("test") ?? [])),
      peer.episodesPerSecond,
    ),
    row("hash of a changed state", "hashes/s", measureHashes(environment, sequences, seconds), peer.hashesPerSecond),
    row("memory of 10,000 live environments", "MiB", measureMemory(environment, sequences, 10_000), null),
  ];
}

/** The calls of every vector, as the texts that a model would send. */
async function readSequences(file: string): Promise<EnvironmentCall[][]> {
  const lines = (await readFile(file, "utf8")).trim().split("\n");
  return lines.map((line) => Array.from(iterate(getItem(parseJson(line), "calls")), toCall));
}

function toCall(call: PyValue): EnvironmentCall {
  const sent = isDict(call) ? call.get("arguments") : null;
  return { name: String(getItem(call, "name")), argumentsJson: typeof sent === "string" ? sent : dumps(getItem(call, "kwargs")) };
}

const countCalls = (sequences: readonly EnvironmentCall[][]) => sequences.reduce((sum, { length }) => sum + length, 0);

/** The final states of all sequences, each played from a fresh state. */
function playAll(environment: Environment<DatabaseState>, sequences: readonly EnvironmentCall[][]): DatabaseState[] {
  return sequences.map((calls) => calls.reduce((state, call) => environment.step(state, call).state, environment.reset()));
}

/** Plays and grades every task. A copy of the task hides the remembered golden state: the golden replay is part of the measure. */
function playGolden(environment: Environment<DatabaseState>, tasks: readonly GoldenTask[]): number {
  for (const task of tasks) {
    const state = task.goldenActions.reduce((before, call) => environment.step(before, call).state, environment.reset());
    if (environment.grade(state, { ...task }, task.outputs).reward !== 1)
      throw new Error(`the golden actions of ${task.id} do not earn the reward`);
  }
  return tasks.length;
}

/** New states every round, since a state's record texts are remembered. */
function measureHashes(environment: Environment<DatabaseState>, sequences: readonly EnvironmentCall[][], seconds: number): number {
  let fastest = 0;
  for (let spent = 0; spent < seconds; ) {
    const states = playAll(environment, sequences);
    const begin = performance.now();
    for (const state of states) environment.stateHash(state);
    const took = (performance.now() - begin) / 1000;
    fastest = Math.max(fastest, states.length / took);
    spent += took;
  }
  return fastest;
}

/** Resident memory of this whole process while it holds that many played states: database, code and all. */
function measureMemory(environment: Environment<DatabaseState>, sequences: readonly EnvironmentCall[][], numEnvironments: number): number {
  const live: DatabaseState[] = [];
  while (live.length < numEnvironments) live.push(...playAll(environment, sequences.slice(0, numEnvironments - live.length)));
  const { rss } = process.memoryUsage();
  if (live.length !== numEnvironments) throw new Error("unreachable");
  return rss / 2 ** 20;
}

/** Units per second of the fastest round; rounds go on for `seconds`. */
function best(seconds: number, round: () => number): number {
  let fastest = 0;
  const begin = performance.now();
  while (performance.now() - begin < seconds * 1000) {
    const start = performance.now();
    const units = round();
    fastest = Math.max(fastest, units / ((performance.now() - start) / 1000));
  }
  return fastest;
}

async function measurePeer(
  domain: Domain,
  { python, fuzzFile, isQuick }: { python: string; fuzzFile: string; isQuick: boolean },
): Promise<PeerFigures> {
  const checkout = process.env["TURNWISE_TAU_BENCH_PYTHON"];
  if (checkout === undefined) return RECORDED[domain];
  const script = fileURLToPath(new URL("peers/tau_bench.py", import.meta.url));
  const { stdout } = await execa(python, [script, checkout, domain, fuzzFile, isQuick ? "50" : "500", isQuick ? "2" : "10"]);
  const figures = JSON.parse(stdout) as Omit<PeerFigures, "name"> & { python: string };
  return { ...figures, name: `tau-bench, CPython ${figures.python}, same run` };
}
