// The benchmarks of a tau-bench data folder as environments of campaigns.
import { z } from "zod";
import { SplitScheme } from "#contracts/campaign-config.ts";
import type { Environment, PureTaskSet } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import type { DataFolder } from "../../data-folder.ts";
import { goldenTaskSet } from "../../golden-task-set.ts";
import type { EnvironmentPlugin, Resources, WholeTaskSet } from "../../plugin.ts";
import { compactFormat } from "../../synthetic-airline/compact-format/compact.ts";
import type { BenchmarkData } from "./benchmark-data.ts";
import { splitOneList, splitOwnSplits } from "./split-benchmark.ts";
import { readTauBenchAirline, readTauBenchRetail } from "./tau-bench.ts";
import { readTau2Airline } from "./tau2-bench.ts";

const AirlineConfig = z.strictObject({
  type: z.literal("tau-bench-airline"),
  testTasks: z.int().nonnegative().default(20).describe("of the 50 tasks, held out to measure the result"),
  selectionTasks: z.int().nonnegative().default(0).describe("held out from the others to choose the policy"),
  splits: SplitScheme,
});

const SelectionTasks = z.int().nonnegative().nullable().default(null);

const RetailConfig = z
  .strictObject({
    type: z.literal("tau-bench-retail"),
    selectionTasks: SelectionTasks.describe(
      "held out from the training tasks to choose the policy; null: those of the benchmark's dev split",
    ),
    splits: SplitScheme,
  })
  .describe("the benchmark's 115 test tasks measure; to train on: the training tasks whose user is in no test or selection task");

const Tau2AirlineConfig = z
  .strictObject({
    type: z.literal("tau2-airline"),
    selectionTasks: SelectionTasks.describe(
      "held out from the train split to choose the policy; null: those of a split `selection`, which the benchmark's own file does not have",
    ),
    splits: SplitScheme,
  })
  .describe("the benchmark's test split measures; to train on: the tasks of its train split whose user is in no test or selection task");

/** Made for the airline's observations; what it does not know it shows as text, cut short. */
const FORMATS = { compact: compactFormat };

interface BenchmarkSource<Config> {
  readonly id: string;
  /** What the folder must hold, for people. */
  readonly needed: string;
  readonly configSchema: z.ZodType<Config>;
  readonly read: (data: DataFolder) => Promise<BenchmarkData>;
  readonly split: (tasks: BenchmarkData["tasks"], config: Config) => PureTaskSet["splits"];
}

function benchmarkPlugin<Config extends { readonly type: string; readonly splits: SplitScheme }>({
  id,
  needed,
  configSchema,
  read,
  split,
}: BenchmarkSource<Config>): EnvironmentPlugin<Config> {
  return {
    id,
    configSchema,
    data: "benchmark",
    whenChanged: FILES_HAVE_CHANGED,
    async openTaskSet(config, { benchmarkData }) {
      if (benchmarkData === null) throw missing(id, `set TURNWISE_TAU_BENCH to a folder with ${needed}`);
      const { environment, tasks } = await read(benchmarkData);
      return goldenTaskSet({ environment, splits: split(tasks, config) }, config, FORMATS);
    },
    async wholeTaskSets({ benchmarkData }: Resources): Promise<WholeTaskSet[]> {
      if (benchmarkData === null) throw missing(id, "set TURNWISE_TAU_BENCH or give --data");
      const { environment, tasks } = await read(benchmarkData);
      return Array.from(tasks, ([name, list]) => ({
        name: tasks.size === 1 ? id : `${id} ${name}`,
        environment: environment as Environment,
        tasks: list,
      }));
    },
  };
}

function missing(id: string, next: string): CampaignError {
  return new CampaignError("environment.data-missing", `${id} needs tau-bench's data, and its folder is not known`, { next });
}

export const FILES_HAVE_CHANGED =
  "put the files back as they were when the campaign started, or set TURNWISE_TAU_BENCH, where the worker runs, to a folder that has them; for other data start another campaign";

/** The 50 airline tasks over tau-bench's database, all of which are test tasks there, divided by user. */
export const tauBenchAirline = benchmarkPlugin({
  id: "tau-bench-airline",
  needed: "airline/users.json, airline/tasks_test.json, …",
  configSchema: AirlineConfig,
  read: readTauBenchAirline,
  split: (tasks, config) => splitOneList(tasks.get("test") ?? [], config),
});

/**
 * The benchmark's 115 test tasks; its dev split, or tasks held out from its train split, for selection; the rest of its train split to train
 * on. Dev and train tasks whose user is in a test task are left out, as are train tasks whose user is in a selection task.
 */
export const tauBenchRetail = benchmarkPlugin({
  id: "tau-bench-retail",
  needed: "retail/users.json, retail/tasks_test.json, retail/tasks_train.json, …",
  configSchema: RetailConfig,
  read: readTauBenchRetail,
  split: (tasks, config) => splitOwnSplits(ownSplits(tasks, "dev"), config),
});

/**
 * The benchmark's test split; for selection the split of that name where the file has one, or tasks held out from the train split; the rest
 * of the train split to train on, without the tasks whose user is in another.
 */
export const tau2Airline = benchmarkPlugin({
  id: "tau2-airline",
  needed: "tau2-airline/db.json, tau2-airline/tasks.json, …",
  configSchema: Tau2AirlineConfig,
  read: readTau2Airline,
  split: (tasks, config) => splitOwnSplits(ownSplits(tasks, "selection"), config),
});

function ownSplits(tasks: BenchmarkData["tasks"], selection: string) {
  return { train: tasks.get("train") ?? [], selection: tasks.get(selection) ?? [], test: tasks.get("test") ?? [] };
}
