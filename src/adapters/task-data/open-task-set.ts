// The task set that a campaign's environment names.
import type { EnvironmentConfig } from "#contracts/campaign-config.ts";
import type { TaskSet } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import type { Settings } from "../settings.ts";
import { loadSyntheticAirline } from "./synthetic.ts";
import { loadTauBenchAirline } from "./tau-bench.ts";

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
  if (tauBench === null) {
    throw new CampaignError("environment.data-missing", "the folder with tau-bench's data is not known", {
      next: "set TURNWISE_TAU_BENCH to a folder with airline/users.json, airline/tasks_test.json, …",
    });
  }
  return (await loadTauBenchAirline(tauBench, { evaluationTasks: config.evaluationTasks })) as TaskSet;
}
