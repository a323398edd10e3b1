// A task file in the folders and formats of the benchmarks, so that their own programs, and our readers, load it.
import { join } from "node:path";
import type { SynthesizedTask, TaskFile } from "#contracts/task-file.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { Database } from "#environments/tau/database.ts";
import { jsonString } from "#environments/tau/python/format.ts";
import { toTauBench } from "#synthesis/export-tau-bench.ts";
import { tau2Splits, toTau2 } from "#synthesis/export-tau2.ts";
import { writeNew } from "./task-file.ts";

export type BenchmarkFormat = "tau-bench" | "tau2";

/** A database that no benchmark has goes into the folder with its tasks. */
export interface OwnDatabase {
  readonly database: Database;
  readonly environment: Environment;
}

/**
 * tau-bench: `<domain>/tasks_train.json`, `tasks_dev.json` (the selection tasks) and `tasks_test.json`; tau2: `tau2-<domain>/tasks.json` and
 * `split_tasks.json`. Returns the paths written.
 */
export async function writeBenchmarkFiles(
  directory: string,
  format: BenchmarkFormat,
  file: TaskFile,
  own: OwnDatabase | null,
): Promise<string[]> {
  const files = format === "tau-bench" ? tauBenchFiles(file, own) : tau2Files(file);
  const folder = join(directory, folderOf(format, file));
  const paths = Array.from(files, ([name]) => join(folder, name));
  for (const [name, text] of files) await writeNew(join(folder, name), text);
  return paths;
}

function folderOf(format: BenchmarkFormat, { database }: TaskFile): string {
  const domain = database.name === "tau-bench-retail" ? "retail" : "airline";
  return format === "tau-bench" ? domain : `tau2-${domain}`;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function tauBenchFiles({ tasks }: TaskFile, own: OwnDatabase | null): Map<string, string> {
  const side = (split: SynthesizedTask["split"]) => json(tasks.filter((one) => one.split === split).map(toTauBench));
  const sides: [string, string][] = [
    ["tasks_train.json", side("train")],
    ["tasks_dev.json", side("selection")],
    ["tasks_test.json", side("test")],
  ];
  return new Map([...sides, ...(own === null ? [] : databaseFiles(own))]);
}

function tau2Files({ tasks }: TaskFile): Map<string, string> {
  return new Map([
    ["tasks.json", json(tasks.map(toTau2))],
    ["split_tasks.json", json(tau2Splits(tasks))],
  ]);
}

/** The collections as Python reads them, and the agent's side: tools and policy. */
function databaseFiles({ database, environment }: OwnDatabase): [string, string][] {
  const collections = Array.from(database.collections, ([name, records]): [string, string] => {
    const lines = Array.from(records, ([id, record]) => `${jsonString(id)}: ${record.json}`);
    return [`${name}.json`, `{${lines.join(",\n")}}\n`];
  });
  return [...collections, ["tools.json", json(environment.tools)], ["wiki.md", environment.systemPrompt]];
}
