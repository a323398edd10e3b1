// The task set that a campaign's environment names.
import type { EnvironmentConfig } from "#contracts/campaign-config.ts";
import type { TaskSet } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import type { Settings } from "../settings.ts";
import { loadSyntheticAirline } from "./synthetic.ts";
import { loadTaskFile } from "./task-file-set.ts";
import { loadTauBenchAirline, loadTauBenchRetail } from "./tau-bench.ts";
import { loadTau2Airline } from "./tau2-bench.ts";

const loaded = new Map<string, Promise<TaskSet>>();

/** Loaded once a process: task sets are immutable. Throws environment.data-missing when the folder with tau-bench's data is not named. */
export function openTaskSet(config: EnvironmentConfig, { tauBench }: Pick<Settings, "tauBench">): Promise<TaskSet> {
  const key = JSON.stringify([config, tauBench]);
  const known = loaded.get(key) ?? load(config, tauBench);
  loaded.set(key, known);
  known.catch(() => loaded.delete(key));
  return known;
}

async function load(config: EnvironmentConfig, tauBench: string | null): Promise<TaskSet> {
  if (config.type === "synthetic-airline") return loadSyntheticAirline(config.seed);
  if (config.type === "task-file") return (await loadTaskFile(config, tauBench)) as TaskSet;
  if (tauBench === null) {
    throw new CampaignError("environment.data-missing", `${config.type} needs tau-bench's data, and its folder is not known`, {
      next: `set TURNWISE_TAU_BENCH to a folder with ${DATA_FILES[config.type]}`,
    });
  }
  return (await loadBenchmark(config, tauBench)) as TaskSet;
}

type BenchmarkConfig = Exclude<EnvironmentConfig, { readonly type: "synthetic-airline" | "task-file" }>;

const DATA_FILES: Readonly<Record<BenchmarkConfig["type"], string>> = {
  "tau-bench-airline": "airline/users.json, airline/tasks_test.json, …",
  "tau-bench-retail": "retail/users.json, retail/tasks_test.json, retail/tasks_train.json, …",
  "tau2-airline": "tau2-airline/db.json, tau2-airline/tasks.json, …",
};

function loadBenchmark(config: BenchmarkConfig, directory: string) {
  switch (config.type) {
    case "tau-bench-airline":
      return loadTauBenchAirline(directory, { evaluationTasks: config.evaluationTasks });
    case "tau-bench-retail":
      return loadTauBenchRetail(directory);
    case "tau2-airline":
      return loadTau2Airline(directory);
  }
}
