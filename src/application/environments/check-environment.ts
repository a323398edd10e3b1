// An environment, tried before a campaign: its task set is opened, and the laws of episodes are tried on its world. No model plays.
import { resolve } from "node:path";
import { loadCampaignFile, withOverrides } from "#adapters/campaign-file/load-campaign-file.ts";
import { systemClock } from "#adapters/system-clock.ts";
import { openTaskSet, pinEnvironment } from "#adapters/task-data/open-task-set.ts";
import { EnvironmentConfig } from "#contracts/campaign-config.ts";
import { type BrokenLaw, checkWorld, type EpisodeLaw, LAW_WORDS, type WorldCheck } from "#core/environment/check-world.ts";
import type { World } from "#core/environment/episode.ts";
import type { Splits } from "#core/environment/splits.ts";
import { readSettings } from "../settings.ts";

export interface EnvironmentCheckRequest {
  /** Path of a TypeScript file whose default export is an environment plugin, or of a campaign file (.yaml), whose environment is meant. */
  readonly file: string;
  /** `key=value`: of the module's settings, or of anything in the campaign file. */
  readonly overrides: readonly string[];
  /** How many tasks the laws are tried on, spread over the splits. */
  readonly tasks: number;
}

export interface EnvironmentCheck extends Pick<WorldCheck, "numTasks" | "numCalls" | "doNothingFloor"> {
  /** As a campaign would record it: settings with their defaults, and the hash of the module. */
  readonly environment: EnvironmentConfig;
  readonly dataSha256: string;
  readonly splits: Readonly<Record<keyof Splits, number>>;
  readonly tools: readonly string[];
  readonly opens: World["protocol"]["opens"];
  readonly resume: World["resume"];
  readonly laws: readonly LawResult[];
}

export interface LawResult {
  readonly law: EpisodeLaw | "opens-again";
  readonly words: string;
  readonly broken: readonly Omit<BrokenLaw, "law">[];
}

/** Throws config.* and environment.* for an environment whose task set cannot be opened at all. */
export async function checkEnvironment({ tasks, ...request }: EnvironmentCheckRequest): Promise<EnvironmentCheck> {
  const settings = readSettings();
  const environment = await pinEnvironment(await environmentOf(request), settings);
  const { world, splits, dataSha256 } = await openTaskSet(environment, settings);
  const again = await openTaskSet(environment, settings);
  const options = { clock: systemClock, signal: new AbortController().signal, seed: 1 };
  const { laws, broken, ...check } = await checkWorld(world, spread(splits, tasks), options);
  const opened =
    again.dataSha256 === dataSha256 ? [] : [{ taskId: "", what: "tasks, tools or prompt differ from one opening to the next" }];
  return {
    ...check,
    environment,
    dataSha256,
    splits: { sft: splits.sft.length, train: splits.train.length, selection: splits.selection.length, test: splits.test.length },
    tools: world.tools.map((tool) => tool.function.name),
    opens: world.protocol.opens,
    resume: world.resume,
    laws: [
      { law: "opens-again", words: "the task set is the same whenever it is opened", broken: opened },
      ...laws.map((law) => ({
        law,
        words: LAW_WORDS[law],
        broken: broken.filter((one) => one.law === law).map(({ taskId, what }) => ({ taskId, what })),
      })),
    ],
  };
}

async function environmentOf({ file, overrides }: Omit<EnvironmentCheckRequest, "tasks">): Promise<EnvironmentConfig> {
  if (/\.ya?ml$/.test(file)) return (await loadCampaignFile(resolve(file), overrides)).environment;
  return EnvironmentConfig.parse(withOverrides({ type: "module", path: resolve(file) }, overrides));
}

/** Every so many-th task of all splits. */
function spread({ sft, train, selection, test }: Splits, wanted: number) {
  const all = [...sft, ...train, ...selection, ...test];
  const every = Math.max(1, Math.ceil(all.length / wanted));
  return all.filter((_, index) => index % every === 0);
}
