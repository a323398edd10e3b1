// A task file as an environment of campaigns: tasks made by `turnwise synthesize`, over the database that they were made for.
import { z } from "zod";
import { SplitScheme } from "#contracts/campaign-config.ts";
import type { SynthesizedTask } from "#contracts/task-file.ts";
import { CampaignError } from "#core/errors.ts";
import { goldenTaskSet } from "../golden-task-set.ts";
import type { EnvironmentPlugin, Resources } from "../plugin.ts";
import { compactFormat } from "../synthetic-airline/compact-format/compact.ts";
import { FILES_HAVE_CHANGED } from "../tau/benchmarks/plugins.ts";
import { databaseHash } from "../tau/state-hash.ts";
import { parseTaskFile } from "./parse-task-file.ts";
import { openTaskDatabase } from "./task-database.ts";

const TaskFileConfig = z.strictObject({
  type: z.literal("task-file"),
  path: z.string().min(1).describe("tasks made by `turnwise synthesize`, relative to the repository"),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe("of the file; filled in when the campaign starts, so that it goes on with the same tasks or not at all"),
  splits: SplitScheme,
});
type TaskFileConfig = z.infer<typeof TaskFileConfig>;

export const taskFile: EnvironmentPlugin<TaskFileConfig> = {
  id: "task-file",
  configSchema: TaskFileConfig,
  data: "benchmark",
  whenChanged: FILES_HAVE_CHANGED,
  async pin(config, resources) {
    return config.sha256 === undefined ? { ...config, sha256: (await read(config, resources)).sha256 } : config;
  },
  /** Throws environment.data-changed, too, when file or database are not the ones that were meant. */
  async openTaskSet(config, resources) {
    const { file, sha256 } = await read(config, resources);
    if (config.sha256 !== undefined && config.sha256 !== sha256)
      throw changed(config.path, `its sha256 is ${sha256}, not ${config.sha256}`);
    const { database, environmentWith } = await openTaskDatabase(file.database, resources.benchmarkData);
    if (databaseHash(database) !== file.databaseSha256)
      throw changed(config.path, `it was made over another ${file.database.name} database than the one at hand`);
    const side = (split: SynthesizedTask["split"]) => file.tasks.filter((one) => one.split === split).map(({ task }) => task);
    const splits = { sft: [], train: side("train"), selection: side("selection"), test: side("test") };
    const heldOut = file.tasks.filter(({ split }) => split !== "train").map(({ task }) => task);
    return goldenTaskSet({ environment: environmentWith([...splits.train, ...heldOut]), splits }, config, { compact: compactFormat });
  },
};

const read = ({ path }: TaskFileConfig, resources: Resources) => parseTaskFile(path, () => resources.readFile(path));

function changed(path: string, what: string): CampaignError {
  return new CampaignError("environment.data-changed", `the task file ${path} is not the one that was meant: ${what}`, {
    next: "make it again with turnwise synthesize and the options it was made with, or start another campaign",
  });
}
