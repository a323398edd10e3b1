// The task set that a campaign's environment names. A campaign that has started names its data by hash, wherever the folder is by now.
import type { EnvironmentConfig } from "#contracts/campaign-config.ts";
import { canonicalJson, hashJson } from "#core/canonical-json.ts";
import type { TaskSet } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import type { Settings } from "../settings.ts";
import { findLinkedData } from "./data-links.ts";
import { loadSyntheticAirline } from "./synthetic.ts";
import { loadTaskFile } from "./task-file-set.ts";
import { loadTauBenchAirline, loadTauBenchRetail } from "./tau-bench.ts";
import { loadTau2Airline } from "./tau2-bench.ts";

export interface CampaignTaskSet extends TaskSet {
  /** Over all that the data decides: database, tasks, tool schemas, policy document, and which task is in which split. */
  readonly dataSha256: string;
}

type DataSettings = Pick<Settings, "home" | "tauBench">;

const verified = new Map<string, Promise<CampaignTaskSet>>();

/**
 * With the hash that a campaign's manifest has: the task set of exactly that hash, loaded once a process, from the folder of the settings or
 * from the one that was linked when the campaign started. Without: what the folder of the settings holds now.
 *
 * throws  CampaignError environment.data-changed when what is there has another hash, environment.data-missing, environment.data-corrupt or
 *         config.* (task file, split)
 */
export function openTaskSet(config: EnvironmentConfig, settings: DataSettings, dataSha256?: string): Promise<CampaignTaskSet> {
  if (dataSha256 === undefined) return load(config, settings.tauBench);
  const key = canonicalJson([config, dataSha256]);
  const known = verified.get(key) ?? loadVerified(config, settings, dataSha256);
  verified.set(key, known);
  known.catch(() => verified.delete(key));
  return known;
}

async function loadVerified(config: EnvironmentConfig, settings: DataSettings, dataSha256: string): Promise<CampaignTaskSet> {
  const linked = await findLinkedData(settings.home, dataSha256);
  const folders = new Set(config.type === "synthetic-airline" ? [] : [linked, settings.tauBench].filter((folder) => folder !== null));
  const others: string[] = [];
  const failures: CampaignError[] = [];
  for (const folder of folders.size === 0 ? [null] : folders) {
    try {
      const taskSet = await load(config, folder);
      if (taskSet.dataSha256 === dataSha256) return taskSet;
      others.push(`${folder === null ? config.type : `that in ${folder}`} has ${taskSet.dataSha256}`);
    } catch (error) {
      if (!(error instanceof CampaignError)) throw error;
      failures.push(error);
    }
  }
  const [failure] = failures;
  if (others.length === 0 && failure !== undefined) throw failure;
  throw new CampaignError("environment.data-changed", `the campaign's data has sha256 ${dataSha256}, but ${others.join(" and ")}`, {
    next: config.type === "synthetic-airline" ? MADE_BY_OTHER_CODE : FILES_HAVE_CHANGED,
    ...(failure === undefined ? {} : { cause: failure }),
  });
}

const MADE_BY_OTHER_CODE = "go on with the version of Turnwise that the campaign was started with, or start another campaign";
const FILES_HAVE_CHANGED =
  "put the files back as they were when the campaign started, or set TURNWISE_TAU_BENCH, where the worker runs, to a folder that has them; for other data start another campaign";

async function load(config: EnvironmentConfig, tauBench: string | null): Promise<CampaignTaskSet> {
  const taskSet = await loadSplits(config, tauBench);
  if (config.splits === "train-selection-test") return { ...taskSet, dataSha256: hashOf(taskSet) };
  const { selection, test, ...others } = taskSet.splits;
  const splits = { ...others, selection: [...selection, ...test], test: [] };
  return { environment: taskSet.environment, splits, dataSha256: taskSet.environment.dataSha256 };
}

/** 0.1.0 left the splits out, so a campaign of that time has the environment's own hash. */
function hashOf({ environment, splits }: TaskSet): string {
  const { sft, train, selection, test } = splits;
  return hashJson([environment.dataSha256, ...[sft, train, selection, test].map((tasks) => tasks.map(({ id }) => id))]);
}

async function loadSplits(config: EnvironmentConfig, tauBench: string | null): Promise<TaskSet> {
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
      return loadTauBenchAirline(directory, config);
    case "tau-bench-retail":
      return loadTauBenchRetail(directory, config);
    case "tau2-airline":
      return loadTau2Airline(directory, config);
  }
}
