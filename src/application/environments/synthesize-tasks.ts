// Tasks by number of write decisions and evidence per decision, over any database there is.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { findData } from "#adapters/task-data/find-data.ts";
import { type OpenedDatabase, openTaskDatabase } from "#adapters/task-data/task-databases.ts";
import { writeTaskFile } from "#adapters/task-data/task-file.ts";
import { type BenchmarkFormat, writeBenchmarkFiles } from "#adapters/task-data/write-benchmark-files.ts";
import { SynthesisOptions, type TaskDatabase, type TaskFile } from "#contracts/task-file.ts";
import { CampaignError } from "#core/errors.ts";
import { readSettings } from "../settings.ts";

export const DEFAULT_DATABASE = "synthetic-airline";

export interface SynthesisRequest {
  readonly database: TaskDatabase;
  readonly options: SynthesisOptions;
  /** Folder with tau-bench's data. */
  readonly data?: string | undefined;
  /** A file, or for the benchmarks' formats a folder; nothing is written unless given. */
  readonly out?: string | undefined;
  readonly format: "turnwise" | BenchmarkFormat;
}

export interface Synthesized {
  readonly file: TaskFile;
  /** Paths of what was written. */
  readonly written: readonly string[];
}

/** Golden actions are verified by replay and uniqueness; the counts say of how many. Throws environment.data-missing, and what writing throws. */
export async function synthesizeTasks(request: SynthesisRequest): Promise<Synthesized> {
  const { database } = request;
  const opened = await openTaskDatabase(database, dataFolder(request));
  const options = SynthesisOptions.parse(request.options);
  const { tasks, cells, counts } = opened.synthesize(options);
  const file: TaskFile = {
    schemaVersion: 2,
    generator: "turnwise-synthesize/2",
    database,
    databaseSha256: opened.databaseSha256,
    options,
    counts,
    cells: [...cells],
    tasks: [...tasks],
  };
  return { file, written: await write(file, opened, request) };
}

/** A folder that was named must be there, even where a database does without: its tasks would not be compared with anything. */
function dataFolder({ data }: SynthesisRequest): string | null {
  if (data !== undefined && !existsSync(data))
    throw new CampaignError("environment.data-missing", `no data folder at ${resolve(data)}`, {
      next: "give --data a folder with tau-bench's data, or leave it out",
    });
  return findData(data, readSettings());
}

async function write(file: TaskFile, opened: OpenedDatabase, { out, format }: SynthesisRequest): Promise<string[]> {
  if (out === undefined) return [];
  const path = resolve(out);
  if (format !== "turnwise") {
    const own = file.database.name === DEFAULT_DATABASE ? { database: opened.database, environment: opened.environmentWith([]) } : null;
    return writeBenchmarkFiles(path, format, file, own);
  }
  await writeTaskFile(path, file);
  return [path];
}
