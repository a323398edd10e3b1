// A family of environments as campaigns know it. Plugins are pure: what they need from outside they ask of Resources, when they need it.
import type { z } from "zod";
import type { GoldenTask } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import type { CodeRuntime } from "./code-reasoning/code-runtime.ts";
import type { DataFolder } from "./data-folder.ts";
import type { LoadedModule } from "./module/loaded-module.ts";
import type { OpenEnvServer, ServerAddress } from "./openenv/server.ts";

/** What every campaign's environment says; the rest is the plugin's. */
export type PluginConfig = { readonly type: string };

export interface EnvironmentPlugin<Config extends PluginConfig = PluginConfig> {
  /** The `type` of a campaign's environment. */
  readonly id: string;
  /** A strict object with `type: z.literal(id)`. Defaults are filled here and nowhere else. */
  readonly configSchema: z.ZodType<Config>;
  /** Throws environment.* or config.* where what the config names is not there, or is not what it should be. */
  openTaskSet(config: Config, resources: Resources): Promise<TaskSet>;
  /**
   * The config with the hashes of the files that it names, so that a campaign goes on with the same ones or not at all. Called when a
   * campaign starts. Absent: the config names no file.
   */
  pin?(config: Config, resources: Resources): Promise<Config>;
  /** Absent: its data is made by code. */
  readonly data?: PluginData;
  /** What to do when a campaign's data has another hash than when it started; absent: go on with the code of that time. */
  readonly whenChanged?: string;
  /** All tasks there are, one set per split of the benchmark, for checks and for rollouts that come in files. Absent: no such use. */
  wholeTaskSets?(resources: Resources): Promise<readonly WholeTaskSet[]>;
}

/** `benchmark`: reads Resources.benchmarkData, whose folder a campaign remembers by the hash of its data. */
type PluginData = "benchmark";

export interface WholeTaskSet {
  readonly name: string;
  /** All sets of a plugin share it. */
  readonly environment: Environment;
  readonly tasks: readonly GoldenTask[];
}

/** Ports to the outside; src/adapters/environment-resources builds them. Nothing is opened before it is asked for. */
export interface Resources {
  /** The folder with tau-bench's data; null where none is named. */
  readonly benchmarkData: DataFolder | null;
  /** A file by its path, relative to the repository. Throws config.file-missing where it cannot be read. */
  readFile(path: string): Promise<Uint8Array>;
  /** A Python for code that a model writes: one for the whole process, whose interpreters start when the first cell runs. */
  codeRuntime(kind: CodeRuntime["id"]): CodeRuntime;
  /** An environment in a file of the user's own, imported as it is now. `path`: absolute, or relative to the repository. */
  loadModule(path: string): Promise<LoadedModule>;
  /** A server of the OpenEnv protocol. Throws config.invalid, provider.unauthorized: nothing is asked of it yet. */
  openEnvServer(address: ServerAddress): OpenEnvServer;
}
