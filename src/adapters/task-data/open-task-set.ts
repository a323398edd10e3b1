// The task set that a campaign's environment names. A campaign that has started names its data by hash, wherever the folder is by now.
import type { EnvironmentConfig } from "#contracts/campaign-config.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { CampaignError } from "#core/errors.ts";
import type { EnvironmentPlugin } from "#environments/plugin.ts";
import { pluginFor } from "#environments/registry.ts";
import { environmentResources } from "../environment-resources/environment-resources.ts";
import type { Settings } from "../settings.ts";
import { findLinkedData, linkData } from "./data-links.ts";

type DataSettings = Pick<Settings, "home" | "tauBench">;

const verified = new Map<string, Promise<TaskSet>>();

/**
 * With the hash that a campaign's manifest has: the task set of exactly that hash, loaded once a process, from the folder of the settings or
 * from the one that was linked when the campaign started. Without: what the folder of the settings holds now.
 *
 * throws  CampaignError environment.data-changed when what is there has another hash, environment.* or config.* of the plugin
 */
export async function openTaskSet(given: EnvironmentConfig, settings: DataSettings, dataSha256?: string): Promise<TaskSet> {
  const { plugin, config } = pluginFor(given);
  if (dataSha256 === undefined) return await plugin.openTaskSet(config, environmentResources(settings.tauBench));
  const key = canonicalJson([config, dataSha256]);
  const known = verified.get(key) ?? loadVerified(plugin, config, settings, dataSha256);
  verified.set(key, known);
  known.catch(() => verified.delete(key));
  return await known;
}

/** The environment with the hashes of the files that it names, for a campaign that starts. Throws as the plugin does. */
export async function pinEnvironment(given: EnvironmentConfig, { tauBench }: DataSettings): Promise<EnvironmentConfig> {
  const { plugin, config } = pluginFor(given);
  return (await plugin.pin?.(config, environmentResources(tauBench))) ?? config;
}

/** Leaves a link to the folder that a campaign's data was read from, so that workers find it. Nothing to do for data that code makes. */
export async function linkTaskData(config: EnvironmentConfig, { home, tauBench }: DataSettings, dataSha256: string): Promise<void> {
  if (tauBench !== null && pluginFor(config).plugin.data === "benchmark") await linkData(home, dataSha256, tauBench);
}

async function loadVerified(
  plugin: EnvironmentPlugin<EnvironmentConfig>,
  config: EnvironmentConfig,
  settings: DataSettings,
  dataSha256: string,
): Promise<TaskSet> {
  const others: string[] = [];
  const failures: CampaignError[] = [];
  for (const folder of await foldersFor(plugin, settings, dataSha256)) {
    try {
      const taskSet = await plugin.openTaskSet(config, environmentResources(folder));
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
    next: plugin.whenChanged ?? MADE_BY_OTHER_CODE,
    ...(failure === undefined ? {} : { cause: failure }),
  });
}

/** Where the data may be; one null where no folder is needed, or none is known. */
async function foldersFor({ data }: EnvironmentPlugin<EnvironmentConfig>, settings: DataSettings, dataSha256: string) {
  if (data === undefined) return [null];
  const linked = await findLinkedData(settings.home, dataSha256);
  const folders = new Set([linked, settings.tauBench].filter((folder) => folder !== null));
  return folders.size === 0 ? [null] : [...folders];
}

const MADE_BY_OTHER_CODE = "go on with the version of Turnwise that the campaign was started with, or start another campaign";
