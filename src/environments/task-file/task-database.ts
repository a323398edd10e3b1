// The databases that synthesized tasks are about, with the benchmark's own tasks where it is one's.
import type { GoldenTask } from "#contracts/task.ts";
import type { TaskDatabase } from "#contracts/task-file.ts";
import { CampaignError } from "#core/errors.ts";
import type { DataFolder } from "../data-folder.ts";
import { generateAirline } from "../synthetic-airline/database.ts";
import { createAirlineDatabase } from "../tau/airline/database.ts";
import { createAirlineEnvironment } from "../tau/airline/environment.ts";
import { AIRLINE_POLICY_DOCUMENT } from "../tau/airline/policy-document.ts";
import { AIRLINE_TOOL_SCHEMAS } from "../tau/airline/tool-schemas.ts";
import type { BenchmarkData } from "../tau/benchmarks/benchmark-data.ts";
import { readTauBenchAirline, readTauBenchRetail } from "../tau/benchmarks/tau-bench.ts";
import { readTau2Airline } from "../tau/benchmarks/tau2-bench.ts";

type BenchmarkName = Exclude<TaskDatabase["name"], "synthetic-airline">;

const READ: Readonly<Record<BenchmarkName, (data: DataFolder) => Promise<BenchmarkData>>> = {
  "tau-bench-airline": readTauBenchAirline,
  "tau-bench-retail": readTauBenchRetail,
  "tau2-airline": readTau2Airline,
};

/**
 * data    folder with tau-bench's data; null when there is none
 * throws  CampaignError environment.data-missing or environment.data-corrupt
 */
export async function openTaskDatabase(database: TaskDatabase, data: DataFolder | null): Promise<BenchmarkData> {
  if (database.name === "synthetic-airline") return generated(database.seed);
  if (data === null) {
    throw new CampaignError("environment.data-missing", `${database.name} needs the folder with tau-bench's data`, {
      next: "set TURNWISE_TAU_BENCH or give --data; synthetic-airline needs none",
    });
  }
  return READ[database.name](data);
}

function generated(seed: number): BenchmarkData {
  const database = createAirlineDatabase(generateAirline(seed));
  const side = { tools: AIRLINE_TOOL_SCHEMAS, systemPrompt: AIRLINE_POLICY_DOCUMENT };
  const environmentWith = (tasks: readonly GoldenTask[]) => createAirlineEnvironment({ database, tasks, ...side });
  return { database, environmentWith, environment: environmentWith([]), tasks: new Map() };
}
