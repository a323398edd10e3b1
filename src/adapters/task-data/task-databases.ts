// The databases that tasks can be synthesized over: environment, policy, and the benchmark's own tasks to stay away from.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Task } from "#contracts/task.ts";
import type { SynthesisOptions, TaskDatabase } from "#contracts/task-file.ts";
import type { Environment } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import { generateAirline } from "#environments/synthetic-airline/database.ts";
import { createAirlineDatabase } from "#environments/tau/airline/database.ts";
import { createAirlineEnvironment } from "#environments/tau/airline/environment.ts";
import { AIRLINE_POLICY_DOCUMENT } from "#environments/tau/airline/policy-document.ts";
import { AIRLINE_TOOL_SCHEMAS } from "#environments/tau/airline/tool-schemas.ts";
import type { Database, DatabaseState } from "#environments/tau/database.ts";
import { createRetailEnvironment } from "#environments/tau/retail/environment.ts";
import { databaseHash } from "#environments/tau/state-hash.ts";
import { createTau2AirlineEnvironment } from "#environments/tau/tau2-airline/environment.ts";
import { renderScenario } from "#environments/tau/tau2-airline/scenario.ts";
import { airlineDomain, TAU_AIRLINE_RULES, TAU2_AIRLINE_RULES } from "#synthesis/airline/domain.ts";
import type { AirlineRules } from "#synthesis/airline/policy.ts";
import { toTau2Scenario } from "#synthesis/export-tau2.ts";
import { retailDomain } from "#synthesis/retail/domain.ts";
import { type Synthesis, synthesize } from "#synthesis/synthesize.ts";
import { createWorld } from "#synthesis/world.ts";
import { type BenchmarkData, readTauBenchAirline, readTauBenchRetail } from "./tau-bench.ts";
import { readTau2Airline } from "./tau2-bench.ts";

export interface OpenedDatabase {
  readonly database: Database;
  readonly databaseSha256: string;
  /** The environment with these tasks as its own. */
  environmentWith(tasks: readonly Task[]): Environment<DatabaseState>;
  synthesize(options: SynthesisOptions): Synthesis;
}

type Open = (directory: string) => Promise<OpenedDatabase>;

/**
 * directory  folder with tau-bench's data; null when there is none
 * throws     CampaignError environment.data-missing or environment.data-corrupt
 */
export async function openTaskDatabase(database: TaskDatabase, directory: string | null): Promise<OpenedDatabase> {
  if (database.name === "synthetic-airline") return openSynthetic(database.seed, directory);
  if (directory === null) {
    throw new CampaignError("environment.data-missing", `${database.name} needs the folder with tau-bench's data`, {
      next: "set TURNWISE_TAU_BENCH or give --data; synthetic-airline needs none",
    });
  }
  return OPEN[database.name](directory);
}

const OPEN: Readonly<Record<Exclude<TaskDatabase["name"], "synthetic-airline">, Open>> = {
  "tau-bench-airline": openAirline,
  "tau-bench-retail": openRetail,
  "tau2-airline": openTau2Airline,
};

async function openSynthetic(seed: number, directory: string | null): Promise<OpenedDatabase> {
  const database = createAirlineDatabase(generateAirline(seed));
  const side = { tools: AIRLINE_TOOL_SCHEMAS, systemPrompt: AIRLINE_POLICY_DOCUMENT };
  const environmentWith = (tasks: readonly Task[]) => createAirlineEnvironment({ database, tasks, ...side });
  return airline({ database, environmentWith, rules: TAU_AIRLINE_RULES, benchmarkTasks: await airlineBenchmarks(directory) });
}

async function openAirline(directory: string): Promise<OpenedDatabase> {
  const { database, environment } = await readTauBenchAirline(directory);
  const { tools, systemPrompt } = environment;
  const environmentWith = (tasks: readonly Task[]) => createAirlineEnvironment({ database, tasks, tools, systemPrompt });
  return airline({ database, environmentWith, rules: TAU_AIRLINE_RULES, benchmarkTasks: await airlineBenchmarks(directory) });
}

async function openTau2Airline(directory: string): Promise<OpenedDatabase> {
  const { database, environment } = await readTau2Airline(directory);
  const { tools, systemPrompt } = environment;
  const environmentWith = (tasks: readonly Task[]) => createTau2AirlineEnvironment({ database, tasks, tools, systemPrompt });
  return airline({ database, environmentWith, rules: TAU2_AIRLINE_RULES, benchmarkTasks: await airlineBenchmarks(directory) });
}

async function openRetail(directory: string): Promise<OpenedDatabase> {
  const { database, environment, tasks } = await readTauBenchRetail(directory);
  const { tools, systemPrompt } = environment;
  return {
    database,
    databaseSha256: databaseHash(database),
    environmentWith: (own) => createRetailEnvironment({ database, tasks: own, tools, systemPrompt }),
    synthesize(options) {
      const world = createWorld(environment);
      const benchmarkTasks = Array.from(tasks.values()).flat();
      return synthesize({ world, domain: retailDomain(world), renderInstruction: ({ paragraph }) => paragraph, benchmarkTasks, options });
    },
  };
}

interface AirlineParts {
  readonly database: Database;
  readonly environmentWith: OpenedDatabase["environmentWith"];
  readonly rules: AirlineRules;
  readonly benchmarkTasks: readonly Task[];
}

function airline({ database, environmentWith, rules, benchmarkTasks }: AirlineParts): OpenedDatabase {
  const environment = environmentWith([]);
  const isTau2 = environment.id === "tau2-airline";
  return {
    database,
    databaseSha256: databaseHash(database),
    environmentWith,
    synthesize(options) {
      const world = createWorld(environment);
      return synthesize({
        world,
        domain: airlineDomain(world, rules),
        renderInstruction: ({ paragraph, scenario }) => (isTau2 ? renderScenario(toTau2Scenario(scenario)) : paragraph),
        benchmarkTasks,
        options,
      });
    },
  };
}

/** The airline's tasks of both benchmarks, as far as they are at hand: they are about the same users. */
async function airlineBenchmarks(directory: string | null): Promise<readonly Task[]> {
  return [...(await tasksOf(directory, "airline", readTauBenchAirline)), ...(await tasksOf(directory, "tau2-airline", readTau2Airline))];
}

async function tasksOf<Data, State>(
  directory: string | null,
  folder: string,
  read: (directory: string) => Promise<BenchmarkData<Data, State>>,
): Promise<readonly Task[]> {
  if (directory === null || !existsSync(join(directory, folder))) return [];
  const { tasks } = await read(directory);
  return Array.from(tasks.values()).flat();
}
