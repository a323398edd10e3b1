// Every task set there is, by name; whole, for checks. Campaigns open theirs through open-task-set.ts.
import type { Task } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import { loadSyntheticAirline } from "./synthetic.ts";
import { type BenchmarkData, readTauBenchAirline, readTauBenchRetail } from "./tau-bench.ts";
import { readTau2Airline } from "./tau2-bench.ts";

export interface WholeTaskSet {
  readonly name: string;
  readonly environment: Environment;
  readonly tasks: readonly Task[];
}

export interface TaskSetSource {
  readonly name: string;
  readonly needsData: boolean;
  /** One task set per split of the benchmark. */
  readonly load: (directory: string | null) => Promise<WholeTaskSet[]>;
}

function fromBenchmark<Data, State>(name: string, read: (directory: string) => Promise<BenchmarkData<Data, State>>): TaskSetSource {
  const load = async (directory: string | null): Promise<WholeTaskSet[]> => {
    if (directory === null)
      throw new CampaignError("environment.data-missing", `${name} needs tau-bench's data`, {
        next: "set TURNWISE_TAU_BENCH or give --data",
      });
    const { environment, tasks } = await read(directory);
    return Array.from(tasks, ([split, list]) => ({
      name: tasks.size === 1 ? name : `${name} ${split}`,
      environment: environment as Environment,
      tasks: list,
    }));
  };
  return { name, needsData: true, load };
}

export const TASK_SET_SOURCES: readonly TaskSetSource[] = [
  {
    name: "synthetic-airline",
    needsData: false,
    load: async () => {
      const { environment, splits } = loadSyntheticAirline(1);
      return [{ name: "synthetic-airline", environment, tasks: Object.values(splits).flat() }];
    },
  },
  fromBenchmark("tau-bench-airline", readTauBenchAirline),
  fromBenchmark("tau-bench-retail", readTauBenchRetail),
  fromBenchmark("tau2-airline", readTau2Airline),
];
