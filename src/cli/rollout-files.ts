// What `calibrate` and `advantages` share: rollouts from files, labelled, with a prior reward table.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { parse } from "yaml";
import { z } from "zod";
import { loadRewardTable } from "#adapters/campaign-file/load-reward-table.ts";
import { REPOSITORY, readSettings } from "#adapters/settings.ts";
import { findData } from "#adapters/task-data/find-data.ts";
import { readRollouts } from "#adapters/task-data/read-rollouts.ts";
import { TASK_SET_SOURCES, type WholeTaskSet } from "#adapters/task-data/task-sets.ts";
import { AdvantageConfig } from "#contracts/campaign-config.ts";
import { type RewardTable, RewardTableFile, TierScheme } from "#contracts/reward-table.ts";
import { CampaignError } from "#core/errors.ts";
import { type LabelledRollout, labelRollout } from "#core/reward/label-rollout.ts";
import { createRewardTable } from "#core/reward/reward-table.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";

export interface RolloutFileOptions {
  readonly tiers: string;
  readonly rewards?: string;
  readonly estimator: string;
  readonly set: readonly string[];
  readonly taskSet?: string;
  readonly data?: string;
  readonly writeTools?: string;
  readonly terminalTools?: string;
}

const DEFAULT_TABLES: Readonly<Record<TierScheme, string>> = {
  "finer/1": "finer-prior",
  "paper/1": "paper-naive-dense",
  "grounded/1": "grounded-prior",
};
export const TASK_SET_NAMES = TASK_SET_SOURCES.map(({ name }) => name).join(", ");
const REWARDS = join(REPOSITORY, "configs", "rewards");

export function addRolloutFileOptions(command: Command): Command {
  return command
    .argument("<file...>", "tau-bench or tau2-bench results, JSONL with task_id, messages and outcome, or Parquet of trajectories")
    .addOption(new Option("--tiers <scheme>", "tier scheme").choices(TierScheme.options).default("finer/1"))
    .option("--rewards <table>", "reward table: a name of configs/rewards or a YAML file (default: the scheme's prior)")
    .addOption(
      new Option("--estimator <id>", "advantage estimator")
        .choices(AdvantageConfig.options.map((option) => option.shape.type.value))
        .default("gtpo-hybrid/1"),
    )
    .option(
      "--set <key=value>",
      "a setting of the estimator, e.g. gamma=0.95; repeatable",
      (pair: string, list: string[]) => [...list, pair],
      [],
    )
    .option("--task-set <name>", `replay the calls in this environment, to judge writes by their effect: ${TASK_SET_NAMES}`)
    .option("--data <folder>", "folder with tau-bench's data (default: TURNWISE_TAU_BENCH)")
    .option("--write-tools <names>", "comma-separated names of tools that change state (default: those of tau-bench)")
    .option("--terminal-tools <names>", "comma-separated names of tools that end the conversation (default: transfer_to_human_agents)");
}

export interface LabelledFiles {
  readonly rollouts: LabelledRollout[];
  readonly numExcluded: number;
  readonly bufferSha256: string;
  readonly scheme: TierScheme;
  readonly table: RewardTable;
  readonly advantage: AdvantageConfig;
}

/** Reads and labels. Throws what reading throws, and config.invalid for a bad estimator setting or reward table. */
export async function readLabelledFiles(paths: readonly string[], options: RolloutFileOptions): Promise<LabelledFiles> {
  const scheme = TierScheme.parse(options.tiers);
  const advantage = parseAdvantage(options);
  const table = await readTable(options.rewards ?? DEFAULT_TABLES[scheme], scheme);
  const taskSet = await openNamedTaskSet(options);
  const catalog = createToolCatalog({
    ...(options.writeTools === undefined ? {} : { writes: splitNames(options.writeTools) }),
    ...(options.terminalTools === undefined ? {} : { terminals: splitNames(options.terminalTools) }),
  });
  const tasks = taskSet === null ? null : new Map(taskSet.flatMap((set) => set.tasks).map((task) => [task.id, task]));
  const files = await readRollouts(paths, { catalog, tasks });
  const rollouts = files.rollouts.map(({ task, trajectory }) =>
    labelRollout(trajectory, task, scheme, taskSet?.[0]?.environment ?? catalog),
  );
  return { rollouts, numExcluded: files.numExcluded, bufferSha256: files.bufferSha256, scheme, table, advantage };
}

/** Task sets of one source share their environment. Throws config.invalid for an unknown name. */
export async function openNamedTaskSet({ taskSet, data }: Pick<RolloutFileOptions, "taskSet" | "data">): Promise<WholeTaskSet[] | null> {
  if (taskSet === undefined) return null;
  const source = TASK_SET_SOURCES.find(({ name }) => name === taskSet);
  if (source === undefined)
    throw new CampaignError("config.invalid", `unknown task set ${taskSet}`, { next: `choose one of ${TASK_SET_NAMES}` });
  return source.load(findData(data, readSettings()));
}

function parseAdvantage({ estimator, set }: RolloutFileOptions): AdvantageConfig {
  const settings = set.map((pair) => {
    const [key, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    if (!pair.includes("=")) throw new CampaignError("config.invalid", `--set ${pair}: expected key=value`);
    return [key, parse(value) as unknown] as const;
  });
  const parsed = AdvantageConfig.safeParse({ type: estimator, ...Object.fromEntries(settings) });
  if (!parsed.success) throw new CampaignError("config.invalid", `estimator ${estimator}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

async function readTable(name: string, scheme: TierScheme): Promise<RewardTable> {
  if (!/\.ya?ml$/.test(name)) return loadRewardTable(REWARDS, name, scheme);
  const text = await readFile(name, "utf8").catch((cause: Error) => {
    throw new CampaignError("config.file-missing", `cannot read ${name}: ${cause.message}`, { cause });
  });
  const parsed = RewardTableFile.safeParse(parse(text));
  if (!parsed.success) throw new CampaignError("config.invalid", `${name}: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.scheme !== scheme)
    throw new CampaignError("config.invalid", `${name} is for tiers ${parsed.data.scheme}`, { next: `add --tiers ${parsed.data.scheme}` });
  return createRewardTable(parsed.data);
}

function splitNames(names: string): string[] {
  return names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
