// Environments that somebody else serves over the OpenEnv protocol. See docs/extending/openenv.md.
import { z } from "zod";
import { hashJson } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import { newTask, taskSet } from "../authoring.ts";
import type { EnvironmentPlugin } from "../plugin.ts";
import { OpenEnvConfig } from "./config.ts";
import { shaped } from "./messages.ts";
import { servedWorld } from "./served-world.ts";
import type { OpenEnvServer } from "./server.ts";
import { readTasks, type SourcedTask, type TaskSources } from "./tasks.ts";
import { openTools } from "./tools.ts";

type Sourced = Readonly<Record<keyof OpenEnvConfig["tasks"], readonly SourcedTask[]>>;

export const openEnv: EnvironmentPlugin<OpenEnvConfig> = {
  id: "openenv",
  configSchema: OpenEnvConfig,
  whenChanged: "start the server that the campaign was started with, and put its task files back; or start another campaign",
  async openTaskSet(config, resources) {
    const server = resources.openEnvServer(config);
    const { signal } = new AbortController(); // each of the server's answers has its own deadline
    const about = await aboutServer(server, signal);
    const tasks = await tasksOf(config, { server, signal, readFile: resources.readFile });
    const tools = await openTools(server, config.tools, signal);
    const all = Object.values(tasks).flat();
    checkDistinct(all);
    const world = servedWorld(config, server, tools, all);
    const listed = (sourced: readonly SourcedTask[]) =>
      sourced.map(({ id, instruction }) => newTask({ id, environment: "openenv", instruction }));
    const splits = { train: listed(tasks.train), selection: listed(tasks.selection), test: listed(tasks.test) };
    const opened = taskSet({ world, splits });
    return { ...opened, dataSha256: hashJson([about, opened.dataSha256, tasks]) };
  },
};

const Metadata = z.looseObject({ name: z.string(), version: z.string().nullish() });

/** What the server says that it is: another one is other data, wherever it runs. */
async function aboutServer(server: OpenEnvServer, signal: AbortSignal): Promise<{ name: string; version: string | null }> {
  const { name, version = null } = shaped(Metadata, await server.read("/metadata", { signal }), "/metadata");
  return { name, version };
}

async function tasksOf({ tasks }: OpenEnvConfig, sources: TaskSources): Promise<Sourced> {
  const read = (split: keyof Sourced) => readTasks(tasks[split], sources);
  return { train: await read("train"), selection: await read("selection"), test: await read("test") };
}

function checkDistinct(tasks: readonly SourcedTask[]): void {
  const seen = new Set<string>();
  for (const { id } of tasks) {
    if (seen.has(id)) throw twice(id);
    seen.add(id);
  }
}

const twice = (id: string): CampaignError =>
  new CampaignError("config.invalid", `environment.tasks has two tasks ${id}`, {
    next: "give each task of all splits a name of its own, and no split of the server to two of ours",
  });
