// The databases that tasks can be synthesized over: environment, policy, and the benchmark's own tasks to stay away from.
import type { GoldenTask } from "#contracts/task.ts";
import type { SynthesisOptions, TaskDatabase } from "#contracts/task-file.ts";
import type { DataFolder } from "#environments/data-folder.ts";
import { openTaskDatabase as openDatabase } from "#environments/task-file/task-database.ts";
import type { BenchmarkData } from "#environments/tau/benchmarks/benchmark-data.ts";
import { readTauBenchAirline } from "#environments/tau/benchmarks/tau-bench.ts";
import { readTau2Airline } from "#environments/tau/benchmarks/tau2-bench.ts";
import { databaseHash } from "#environments/tau/state-hash.ts";
import { renderScenario } from "#environments/tau/tau2-airline/scenario.ts";
import { airlineDomain, TAU_AIRLINE_RULES, TAU2_AIRLINE_RULES } from "#synthesis/airline/domain.ts";
import { toTau2Scenario } from "#synthesis/export-tau2.ts";
import { retailDomain } from "#synthesis/retail/domain.ts";
import { type Synthesis, synthesize } from "#synthesis/synthesize.ts";
import { createWorld } from "#synthesis/world.ts";
import { dataFolder } from "./data-folder.ts";

export interface OpenedDatabase extends Pick<BenchmarkData, "database" | "environmentWith"> {
  readonly databaseSha256: string;
  synthesize(options: SynthesisOptions): Synthesis;
}

/**
 * directory  folder with tau-bench's data; null when there is none
 * throws     CampaignError environment.data-missing or environment.data-corrupt
 */
export async function openTaskDatabase(database: TaskDatabase, directory: string | null): Promise<OpenedDatabase> {
  const data = directory === null ? null : dataFolder(directory);
  const opened = await openDatabase(database, data);
  const { database: records, environmentWith } = opened;
  return {
    database: records,
    environmentWith,
    databaseSha256: databaseHash(records),
    synthesize: database.name === "tau-bench-retail" ? overRetail(opened) : overAirline(opened, await airlineBenchmarks(data)),
  };
}

function overRetail({ environment, tasks }: BenchmarkData): OpenedDatabase["synthesize"] {
  return (options) => {
    const world = createWorld(environment);
    const benchmarkTasks = Array.from(tasks.values()).flat();
    return synthesize({ world, domain: retailDomain(world), renderInstruction: ({ paragraph }) => paragraph, benchmarkTasks, options });
  };
}

function overAirline({ environmentWith }: BenchmarkData, benchmarkTasks: readonly GoldenTask[]): OpenedDatabase["synthesize"] {
  const environment = environmentWith([]);
  const isTau2 = environment.id === "tau2-airline";
  return (options) => {
    const world = createWorld(environment);
    return synthesize({
      world,
      domain: airlineDomain(world, isTau2 ? TAU2_AIRLINE_RULES : TAU_AIRLINE_RULES),
      renderInstruction: ({ paragraph, scenario }) => (isTau2 ? renderScenario(toTau2Scenario(scenario)) : paragraph),
      benchmarkTasks,
      options,
    });
  };
}

/** The airline's tasks of both benchmarks, as far as they are at hand: they are about the same users. */
async function airlineBenchmarks(data: DataFolder | null): Promise<readonly GoldenTask[]> {
  return [...(await tasksOf(data, "airline", readTauBenchAirline)), ...(await tasksOf(data, "tau2-airline", readTau2Airline))];
}

async function tasksOf(
  data: DataFolder | null,
  folder: string,
  read: (data: DataFolder) => Promise<BenchmarkData>,
): Promise<readonly GoldenTask[]> {
  if (data === null || !(await data.folder(folder).isThere())) return [];
  return Array.from((await read(data)).tasks.values()).flat();
}
