// The benchmarks of a data folder, for the golden vectors.
import { AIRLINE_TOOLS } from "#environments/tau/airline/environment.ts";
import { readTauBenchAirline, readTauBenchRetail } from "#environments/tau/benchmarks/tau-bench.ts";
import { readTau2Airline } from "#environments/tau/benchmarks/tau2-bench.ts";
import { type Benchmark, hashersOf } from "#environments/tau/conformance/benchmark.ts";
import { RETAIL_TOOLS } from "#environments/tau/retail/environment.ts";
import { TAU2_AIRLINE_TOOLS, TAU2_RULES } from "#environments/tau/tau2-airline/environment.ts";
import { TAU_RULES, toolkitOf } from "#environments/tau/tool-environment.ts";
import { dataFolder } from "./data-folder.ts";
import { nodeSha256 } from "./node-sha256.ts";

const BENCHMARKS = {
  airline: { read: readTauBenchAirline, toolkit: toolkitOf(AIRLINE_TOOLS, TAU_RULES) },
  retail: { read: readTauBenchRetail, toolkit: toolkitOf(RETAIL_TOOLS, TAU_RULES) },
  "tau2-airline": { read: readTau2Airline, toolkit: toolkitOf(TAU2_AIRLINE_TOOLS, TAU2_RULES) },
};

/** Throws CampaignError environment.data-missing or environment.data-corrupt. */
export async function openBenchmark(directory: string, id: Benchmark["id"]): Promise<Benchmark> {
  const { read, toolkit } = BENCHMARKS[id];
  const { database, tasks } = await read(dataFolder(directory));
  return { id, database, tasks, toolkit, hashers: hashersOf(id, database, nodeSha256) };
}
