// `type: module`: a campaign's environment in a TypeScript file of the user's own. The file is imported, hashed and looked at; what it exports is a plugin like those here.
import { z } from "zod";
import { hashJson, sha256Hex } from "#core/canonical-json.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { CampaignError } from "#core/errors.ts";
import type { EnvironmentPlugin, Resources } from "../plugin.ts";
import { checkedTaskSet } from "./checked-task-set.ts";
import { exportedPlugin, type OwnPlugin, parsedSettings } from "./exported-plugin.ts";
import { type LoadedModule, MODULE_SECONDS } from "./loaded-module.ts";

const ModuleConfig = z
  .looseObject({
    type: z.literal("module"),
    path: z
      .string()
      .min(1)
      .describe(
        "a TypeScript file whose default export is an environment plugin; with ./ or ../ relative to the campaign file, else to the repository",
      ),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe(
        "of the file and what it imports by a path; filled in when the campaign starts, so that it goes on with the same ones or not at all",
      ),
  })
  .describe("further settings are those of the module's own configSchema");
type ModuleConfig = z.infer<typeof ModuleConfig>;

interface Opened {
  readonly module: LoadedModule;
  readonly plugin: OwnPlugin;
}

export const moduleEnvironment: EnvironmentPlugin<ModuleConfig> = {
  id: "module",
  configSchema: ModuleConfig,
  whenChanged: "put the module and the files that it reads back as they were when the campaign started, or start another campaign",
  async pin(config, resources) {
    const { module, plugin } = await load(config, resources);
    return { ...(await settingsOf(config, { module, plugin })), type: "module", path: config.path, sha256: module.sha256 };
  },
  async openTaskSet(config, resources) {
    const opened = await load(config, resources);
    const { module, plugin } = opened;
    const settings = await settingsOf(config, opened);
    const read = readings(module);
    const found = await module.call(
      "openTaskSet",
      () => plugin.openTaskSet(settings, { ...resources, readFile: read.readFile }),
      MODULE_SECONDS.openTaskSet,
    );
    const taskSet = module.callNow("the task set", () => checkedTaskSet(module, found));
    return { ...taskSet, dataSha256: dataHash(taskSet, module, read.end()) };
  },
};

/** Throws environment.data-changed when it is another file than the one that was meant. */
async function load({ path, sha256 }: ModuleConfig, resources: Resources): Promise<Opened> {
  const module = await resources.loadModule(path);
  if (sha256 !== undefined && sha256 !== module.sha256) {
    throw new CampaignError(
      "environment.data-changed",
      `${module.path}, or a file that it imports, has changed: its sha256 is ${module.sha256}, not ${sha256}`,
      {
        next: "put it back as it was when the campaign started, or start another campaign",
      },
    );
  }
  return { module, plugin: module.callNow("the default export", () => exportedPlugin(module)) };
}

async function settingsOf(config: ModuleConfig, { module, plugin }: Opened) {
  const { type: _type, path: _path, sha256: _sha256, ...own } = config;
  return await parsedSettings(module, plugin, own);
}

/** Files that the module reads while it opens are part of its data; what it would read later could not be. */
function readings(module: LoadedModule) {
  const hashes = new Map<string, string>();
  let isOver = false;
  const readFile: Resources["readFile"] = async (path) => {
    if (isOver)
      throw new Error(
        `${path} is read when the task set is open already, and would not be in the campaign's record: read it in openTaskSet`,
      );
    const bytes = await module.readFile(path);
    hashes.set(path, sha256Hex(bytes));
    return bytes;
  };
  return {
    readFile,
    end() {
      isOver = true;
      return hashes;
    },
  };
}

/** Over everything that decides what a rollout is: the files, the tasks and their splits, tools, prompt and protocol. */
function dataHash({ world, splits }: TaskSet, module: LoadedModule, files: ReadonlyMap<string, string>): string {
  const { id, tools, systemPrompt, protocol, resume } = world;
  return hashJson([
    module.sha256,
    [...files].sort(([left], [right]) => (left < right ? -1 : 1)),
    { id, tools, systemPrompt, protocol, resume },
    splits,
  ]);
}
