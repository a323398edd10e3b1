// A task file as a campaign's task set.
import { resolve } from "node:path";
import type { EnvironmentConfig } from "#contracts/campaign-config.ts";
import type { SynthesizedTask } from "#contracts/task-file.ts";
import type { TaskSet } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import type { DatabaseState } from "#environments/tau/database.ts";
import { REPOSITORY } from "../settings.ts";
import { openTaskDatabase } from "./task-databases.ts";
import { readTaskFile } from "./task-file.ts";

type TaskFileConfig = Extract<EnvironmentConfig, { readonly type: "task-file" }>;

/** The environment with the hash of its task file; any other as it is. Throws as readTaskFile does. */
export async function pinTaskFile(environment: EnvironmentConfig): Promise<EnvironmentConfig> {
  if (environment.type !== "task-file" || environment.sha256 !== undefined) return environment;
  const { sha256 } = await readTaskFile(pathOf(environment));
  return { ...environment, sha256 };
}

/**
 * The tasks of the file over the database they were made for.
 *
 * throws  CampaignError config.file-missing or config.invalid (the file), environment.data-missing or environment.data-corrupt (the database),
 *         or environment.data-changed when file or database are not the ones that were meant
 */
export async function loadTaskFile(config: TaskFileConfig, tauBench: string | null): Promise<TaskSet<DatabaseState>> {
  const path = pathOf(config);
  const { file, sha256 } = await readTaskFile(path);
  if (config.sha256 !== undefined && config.sha256 !== sha256) throw changed(path, `its sha256 is ${sha256}, not ${config.sha256}`);
  const database = await openTaskDatabase(file.database, tauBench);
  if (database.databaseSha256 !== file.databaseSha256)
    throw changed(path, `it was made over another ${file.database.name} database than the one at hand`);
  const side = (split: SynthesizedTask["split"]) => file.tasks.filter((one) => one.split === split).map(({ task }) => task);
  const splits = { sft: [], train: side("train"), selection: side("selection"), test: side("test") };
  const heldOut = file.tasks.filter(({ split }) => split !== "train").map(({ task }) => task);
  return { environment: database.environmentWith([...splits.train, ...heldOut]), splits };
}

const pathOf = ({ path }: TaskFileConfig): string => resolve(REPOSITORY, path);

function changed(path: string, what: string): CampaignError {
  return new CampaignError("environment.data-changed", `the task file ${path} is not the one that was meant: ${what}`, {
    next: "make it again with turnwise synthesize and the options it was made with, or start another campaign",
  });
}
