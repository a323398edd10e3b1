// The benchmarks of a data folder, for the golden vectors.
import { AIRLINE_TOOLS } from "#core/environment/airline/environment.ts";
import { hashersOf, type Benchmark } from "#core/environment/conformance/benchmark.ts";
import { RETAIL_TOOLS } from "#core/environment/retail/environment.ts";
import type { Tool } from "#core/environment/tool.ts";
import { invokeTool } from "#core/environment/tool-environment.ts";
import { nodeSha256 } from "./node-sha256.ts";
import { readTauBenchAirline, readTauBenchRetail } from "./tau-bench.ts";

const READ = {
  airline: async (directory: string) => ({ ...(await readTauBenchAirline(directory)), step: stepByName(AIRLINE_TOOLS) }),
  retail: async (directory: string) => ({ ...(await readTauBenchRetail(directory)), step: stepByName(RETAIL_TOOLS) }),
};

/** Throws CampaignError environment.data-missing or environment.data-corrupt. */
export async function openBenchmark(directory: string, id: Benchmark["id"]): Promise<Benchmark> {
  if (id === "tau2-airline") throw new Error("tau2-airline is not here yet");
  const { database, tasks, step } = await READ[id](directory);
  return { id, database, step, tasks, hashers: hashersOf(id, database, nodeSha256) };
}

/** tau-bench's step on parsed arguments. */
function stepByName(tools: readonly Tool[]): Benchmark["step"] {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  return (state, name, kwargs) => {
    const tool = byName.get(name);
    return tool === undefined ? { state, observation: `Unknown action ${name}`, isError: true } : invokeTool(tool, state, kwargs);
  };
}
