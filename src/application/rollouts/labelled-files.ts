// What calibrations and advantages share: rollouts from files, labelled, with a prior reward table.
import { join } from "node:path";
import { loadRewardTable, readRewardTable } from "#adapters/campaign-file/load-reward-table.ts";
import { type RolloutFiles, readRollouts } from "#adapters/rollout-files/read-rollouts.ts";
import { findData } from "#adapters/task-data/find-data.ts";
import { TASK_SET_SOURCES } from "#adapters/task-data/task-sets.ts";
import { readYamlAs } from "#adapters/yaml/yaml-file.ts";
import { parseYaml } from "#adapters/yaml/yaml-text.ts";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { BuiltInTierScheme, type CallTierScheme, type RewardTable, type TierScheme, TierSchemeFile } from "#contracts/reward-table.ts";
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import type { Environment } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";
import { addCounts } from "#core/reading/counts.ts";
import { type LabelledRollout, labelRollout } from "#core/reward/label-rollout.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { tierScheme } from "#core/reward/tiers.ts";
import { createToolCatalog, withSchemas } from "#core/reward/tool-catalogs.ts";
import { REPOSITORY, readSettings } from "../settings.ts";
import { absentNotes, type ChosenSet, environmentOf, fitNotes, requireFit, unknownNotes } from "./task-set-fit.ts";
import { TASK_SET_NAMES } from "./task-set-names.ts";

/** How rollouts of files are read, labelled and rewarded. */
export interface LabelledRequest {
  /** A built-in tier scheme, or a YAML file. */
  readonly tiers: string;
  /** A name of configs/rewards, or a YAML file; the scheme's prior unless given. */
  readonly rewards?: string | undefined;
  /** Id of an advantage estimator. */
  readonly estimator: string;
  /** `key=value`, settings of the estimator. */
  readonly set: readonly string[];
  readonly taskSet?: string | undefined;
  /** Folder with tau-bench's data. */
  readonly data?: string | undefined;
  /** Comma-separated names of tools. */
  readonly writeTools?: string | undefined;
  readonly terminalTools?: string | undefined;
}

const DEFAULT_TABLES: Readonly<Record<BuiltInTierScheme, string>> = {
  "finer/1": "finer-prior",
  "paper/1": "paper-naive-dense",
  "grounded/1": "grounded-prior",
};
const REWARDS = join(REPOSITORY, "configs", "rewards");

export interface LabelledFiles extends LabelledPart {
  /** The rollouts of each policy, as if they alone had been given. By name. */
  byPolicy(): Map<string, LabelledPart>;
}

export interface LabelledPart {
  readonly rollouts: LabelledRollout[];
  /** The same rollouts under another scheme. */
  label(scheme: TierScheme): LabelledRollout[];
  readonly reading: RolloutReading;
  readonly bufferSha256: string;
  readonly scheme: TierScheme;
  readonly table: RewardTable;
  readonly advantage: AdvantageConfig;
}

/** Reads and labels. Throws what reading throws, and config.invalid for a bad estimator setting or reward table. */
export async function readLabelledFiles(paths: readonly string[], options: LabelledRequest): Promise<LabelledFiles> {
  const scheme = await readScheme(options.tiers);
  const advantage = parseAdvantage(options);
  const table = await readTable(options.rewards ?? DEFAULT_TABLES[typeof scheme === "string" ? scheme : scheme.base], scheme);
  const taskSet = await openNamedTaskSet(options);
  const named = namedTools(options);
  const files = await readFittingRollouts(paths, createToolCatalog(named), taskSet);
  const notes = absentNotes(files.rollouts, [...(named.writes ?? []), ...(named.terminals ?? [])]);
  const labelled = ({ rollouts, reading, bufferSha256 }: RolloutFiles): LabelledPart => {
    const label = (other: TierScheme) =>
      rollouts.map(({ task, trajectory, tools }) =>
        labelRollout(trajectory, task, other, files.environment ?? withSchemas(files.catalog, tools)),
      );
    return { rollouts: label(scheme), label, reading, bufferSha256, scheme, table, advantage };
  };
  return {
    ...labelled({ ...files, reading: { ...files.reading, notes: addCounts(files.reading.notes, notes) } }),
    byPolicy: () => new Map(Array.from(files.byPolicy(), ([name, part]) => [name, labelled(part)])),
  };
}

export interface FittingRollouts extends RolloutFiles {
  /** Null when no task set is named. */
  readonly environment: Environment | null;
  /** What is known of the tools: the environment, where there is one. */
  readonly catalog: Environment | ToolCatalog;
}

/** Throws config.invalid when a task set is named, too: it knows its tools. */
function namedTools({ writeTools, terminalTools, taskSet }: LabelledRequest): NonNullable<Parameters<typeof createToolCatalog>[0]> {
  const given = writeTools ?? terminalTools;
  if (taskSet !== undefined && given !== undefined) {
    throw new CampaignError("config.invalid", `${taskSet} knows which of its tools write and which end the conversation`, {
      next: "leave --write-tools and --terminal-tools out, or --task-set",
    });
  }
  return {
    ...(writeTools === undefined ? {} : { writes: splitNames(writeTools) }),
    ...(terminalTools === undefined ? {} : { terminals: splitNames(terminalTools) }),
  };
}

/** Rollouts that were made in the task set, where one is named. Throws what reading throws, and config.invalid for files that do not fit. */
export async function readFittingRollouts(
  paths: readonly string[],
  catalog: ToolCatalog,
  taskSet: ChosenSet | null,
): Promise<FittingRollouts> {
  const tasks = taskSet === null ? null : new Map(taskSet.sets.flatMap((set) => set.tasks).map((task) => [task.id, task]));
  // Its schemas tell readers of calls in text which values are numbers and lists.
  const schemas = taskSet === null ? catalog : { ...catalog, tools: taskSet.environment.tools };
  const files = await readRollouts(paths, { catalog: schemas, tasks });
  const fits = taskSet === null ? [] : await requireFit(files.rollouts, taskSet);
  const known = taskSet?.environment ?? catalog;
  const notes = { ...fitNotes(fits, taskSet?.name ?? ""), ...unknownNotes(files.rollouts, known) };
  const reading = { ...files.reading, notes: addCounts(files.reading.notes, notes) };
  return { ...files, reading, environment: taskSet?.environment ?? null, catalog: known };
}

/** Task sets of one source share their environment. Throws config.invalid for an unknown name. */
export async function openNamedTaskSet({ taskSet, data: given }: Pick<LabelledRequest, "taskSet" | "data">): Promise<ChosenSet | null> {
  if (taskSet === undefined) return null;
  const source = TASK_SET_SOURCES.find(({ name }) => name === taskSet);
  if (source === undefined)
    throw new CampaignError("config.invalid", `unknown task set ${taskSet}`, { next: `choose one of ${TASK_SET_NAMES.join(", ")}` });
  const data = findData(given, readSettings());
  const sets = await source.load(data);
  return { name: taskSet, sets, environment: environmentOf(sets), data };
}

function parseAdvantage({ estimator, set }: LabelledRequest): AdvantageConfig {
  const settings = set.map((pair) => {
    const [key, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    if (!pair.includes("="))
      throw new CampaignError("config.invalid", `--set ${pair}: expected key=value`, { next: "for example --set gamma=0.95" });
    return [key, parseYaml(value, { name: `--set ${pair}`, next: "give a YAML value, for example --set gamma=0.95" }).value] as const;
  });
  const given = { type: estimator, ...Object.fromEntries(settings) };
  const parsed = AdvantageConfig.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = describeProblems(parsed.error, given, AdvantageConfig);
  throw new CampaignError("config.invalid", `estimator ${estimator}: ${problems}`, { next: "correct --set" });
}

async function readTable(name: string, scheme: TierScheme): Promise<RewardTable> {
  if (!/\.ya?ml$/.test(name)) return loadRewardTable(REWARDS, name, scheme);
  return readRewardTable(name, scheme);
}

/** A built-in scheme by its id, or one of the user's own from a file. Throws config.invalid, config.file-missing. */
async function readScheme(name: string): Promise<CallTierScheme> {
  const builtIn = BuiltInTierScheme.safeParse(name);
  if (builtIn.success) return builtIn.data;
  if (!/\.ya?ml$/.test(name)) {
    throw new CampaignError("config.invalid", `unknown tier scheme ${name}`, {
      next: `use one of ${BuiltInTierScheme.options.join(", ")}, or a .yaml file (docs/calibration.md)`,
    });
  }
  const { schemaVersion: _, description: __, ...scheme } = await readYamlAs(name, TierSchemeFile, SCHEME_FILE);
  tierScheme(scheme); // contradictions are found here, before rollouts are read
  return scheme;
}

const SCHEME_FILE = { what: "the tier scheme", nextWhenMissing: "check the path", next: "correct the file (docs/calibration.md)" };

function splitNames(names: string): string[] {
  return names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
