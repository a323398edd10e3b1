// What environments may ask of this machine.
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { CampaignError } from "#core/errors.ts";
import type { CodeRuntime } from "#environments/code-reasoning/code-runtime.ts";
import type { Resources } from "#environments/plugin.ts";
import { pyodideRuntime } from "../code-sandbox/pyodide/pyodide-runtime.ts";
import { subprocessRuntime } from "../code-sandbox/subprocess/subprocess-runtime.ts";
import { loadModule } from "../environment-modules/load-module.ts";
import { openEnvServer } from "../openenv/server.ts";
import { REPOSITORY, readSettings, shellVariables } from "../settings.ts";
import { dataFolder } from "../task-data/data-folder.ts";

/** One that runs for each core; of open episodes there may be any number. */
const CODE_THREADS = Math.max(2, availableParallelism());
/** Of each interpreter. */
const CODE_MEMORY_MIB = 256;

const runtimes = new Map<CodeRuntime["id"], CodeRuntime>();

/** `tauBench`: the folder with tau-bench's data, null where none is named. */
export function environmentResources(tauBench: string | null): Resources {
  return {
    benchmarkData: tauBench === null ? null : dataFolder(tauBench),
    readFile: fileOf,
    codeRuntime,
    loadModule: (path) => loadModule(path),
    openEnvServer: (address) => openEnvServer(address, { allowedHosts: readSettings().environmentHosts, environment: shellVariables() }),
  };
}

async function fileOf(path: string): Promise<Uint8Array> {
  return await readFile(resolve(REPOSITORY, path)).catch((cause: NodeJS.ErrnoException) => {
    throw new CampaignError("config.file-missing", `the environment's file ${path} cannot be read: ${cause.message}`, {
      cause,
      next: "correct the path in the campaign file's environment: it is absolute, or relative to the repository",
    });
  });
}

function codeRuntime(kind: CodeRuntime["id"]): CodeRuntime {
  const runtime = runtimes.get(kind) ?? START[kind]();
  runtimes.set(kind, runtime);
  return runtime;
}

const START: Readonly<Record<CodeRuntime["id"], () => CodeRuntime>> = {
  pyodide: () => pyodideRuntime({ threads: CODE_THREADS, memoryMib: CODE_MEMORY_MIB }),
  subprocess: () => subprocessRuntime({ python: readSettings().python, memoryMib: CODE_MEMORY_MIB }),
};
