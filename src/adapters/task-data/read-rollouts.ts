// Files of rollouts from anywhere: tau-bench results, tau2 results, JSONL of chat messages, our own Parquet. The format is found out
// from the content. The order of files does not matter.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { z } from "zod";
import { RolloutLine } from "#contracts/rollout-line.ts";
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import type { Task } from "#contracts/task.ts";
import { hashJson, sha256Hex } from "#core/canonical-json.ts";
import { parseJson } from "#core/environment/python/parse-json.ts";
import { isDict, isList, type PyValue } from "#core/environment/python/values.ts";
import { CampaignError } from "#core/errors.ts";
import { addCounts, type Counts } from "#core/reading/counts.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { decodeTrajectories } from "../record/trajectories.ts";
import { toPlain } from "./exact-json.ts";
import { importRolloutLine } from "./import-jsonl.ts";
import { importTauBenchResults, TauBenchResults } from "./import-tau-bench.ts";
import { importTau2Results, Tau2Results } from "./import-tau2.ts";
import { type ImportedRollout, type ImportedRollouts, importedRollouts, readingOf } from "./imported-rollouts.ts";

const FORMATS =
  "a JSON list of tau-bench results, a tau2-bench results object, JSONL with task_id, messages and outcome, or a Parquet file of trajectories";
const PARQUET_MAGIC = "PAR1";

export interface ReadOptions {
  readonly catalog: ToolCatalog;
  /** Tasks of Parquet trajectories, by id; they carry only the id themselves. */
  readonly tasks: ReadonlyMap<string, Task> | null;
}

export interface RolloutFiles extends ImportedRollouts {
  /** Hash of the set of files: equal files in any order, equal hash. */
  readonly bufferSha256: string;
}

/**
 * All rollouts of the files. When two files number the trials of a task alike, they are numbered anew.
 * Throws config.file-missing, contract.invalid with the place of the first problem, or environment.data-missing for Parquet without tasks.
 */
export async function readRollouts(paths: readonly string[], options: ReadOptions): Promise<RolloutFiles> {
  const files = await Promise.all(paths.map((path) => readRolloutFile(path, options)));
  files.sort((a, b) => (a.sha256 < b.sha256 ? -1 : a.sha256 > b.sha256 ? 1 : 0));
  const repeated = files.find((file, i) => file.sha256 === files[i - 1]?.sha256);
  if (repeated !== undefined)
    throw new CampaignError("contract.invalid", `${repeated.path} is given twice, or has the same content as another file`);
  return {
    rollouts: renumberTrials(files.map((file) => file.rollouts)),
    reading: mergeReadings(files.map(({ reading }) => reading)),
    bufferSha256: hashJson(files.map((file) => file.sha256)),
  };
}

async function readRolloutFile(
  path: string,
  options: ReadOptions,
): Promise<ImportedRollouts & { readonly path: string; readonly sha256: string }> {
  const bytes = await readBytes(path);
  const imported = isParquet(bytes)
    ? await importParquet(path, bytes, options.tasks)
    : importRolloutText(path, new TextDecoder().decode(bytes), options.catalog);
  if (imported.rollouts.length === 0) throw new CampaignError("contract.invalid", `${path} holds no rollout with an outcome`);
  const rollouts = imported.rollouts.map((rollout) => ({ ...rollout, file: path }));
  return { ...imported, rollouts, path, sha256: sha256Hex(bytes) };
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new CampaignError("config.file-missing", `cannot read ${path}: ${(cause as Error).message}`, { cause, next: "check the path" });
  }
}

function isParquet(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, PARQUET_MAGIC.length)) === PARQUET_MAGIC;
}

async function importParquet(path: string, bytes: Uint8Array, tasks: ReadOptions["tasks"]): Promise<ImportedRollouts> {
  if (tasks === null) {
    throw new CampaignError("environment.data-missing", `${path} holds trajectories without their tasks`, {
      next: "name the task set that they were made on with --task-set",
    });
  }
  const trajectories = await decodeTrajectories(bytes);
  const graded = trajectories.filter(({ outcome }) => outcome.reward !== null);
  const rollouts = graded.map((trajectory): ImportedRollout => {
    const task = tasks.get(trajectory.taskId);
    if (task === undefined)
      throw new CampaignError("contract.invalid", `${path}: no task ${trajectory.taskId} in the task set`, {
        next: "name the task set that the trajectories were made on",
      });
    return { task, trajectory, systemPrompt: null, origin: null };
  });
  return {
    rollouts,
    reading: readingOf(rollouts, { excluded: addCounts({ "without an outcome": trajectories.length - rollouts.length }) }),
  };
}

/** The rollouts of a text in any of the formats; `path` names it in errors and, where it says nothing better, the policy. */
export function importRolloutText(path: string, text: string, catalog: ToolCatalog): ImportedRollouts {
  const source = basename(path).replace(/\.jsonl?$/, "");
  const exact = readExact(text);
  if (exact === undefined) return importLines(path, text, source, catalog);
  const whole = toPlain(exact);
  if (Array.isArray(whole) && isRecordWith(whole[0], "messages")) return importList(path, whole, source, catalog);
  if (isRecordWith(whole, "messages")) return importList(path, [whole], source, catalog);
  if (isDict(exact) && exact.has("simulations")) return importTau2Results(check(Tau2Results, whole, path), source, catalog, exact);
  if (isList(exact) && isRecordWith((whole as unknown[])[0], "traj"))
    return importTauBenchResults(check(TauBenchResults, whole, path), source, catalog, exact);
  throw unknownFormat(path);
}

function importLines(path: string, text: string, source: string, catalog: ToolCatalog): ImportedRollouts {
  const lines = text
    .split("\n")
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== "");
  const values = lines.map(({ line, number }) => {
    if (number === 1 && !line.startsWith("{")) throw unknownFormat(path);
    const place = `${path}, line ${number}`;
    return { value: toPlain(readLine(line, place)), place };
  });
  return importValues(values, source, catalog);
}

function importList(path: string, list: readonly unknown[], source: string, catalog: ToolCatalog): ImportedRollouts {
  return importValues(
    list.map((value, index) => ({ value, place: `${path}, entry ${index}` })),
    source,
    catalog,
  );
}

function importValues(values: readonly { value: unknown; place: string }[], source: string, catalog: ToolCatalog): ImportedRollouts {
  const numSeen = new Map<string, number>();
  const entries = values.map(({ value, place }) => {
    const line = check(RolloutLine, value, place);
    const position = numSeen.get(line.task_id) ?? 0;
    numSeen.set(line.task_id, position + 1);
    return importRolloutLine(line, position, source, catalog);
  });
  return importedRollouts(entries);
}

function mergeReadings(readings: readonly RolloutReading[]): RolloutReading {
  const sum = (count: (reading: RolloutReading) => number) => readings.reduce((total, reading) => total + count(reading), 0);
  const add = (counts: (reading: RolloutReading) => Counts) => addCounts(...readings.map(counts));
  return {
    files: sum(({ files }) => files),
    rollouts: sum(({ rollouts }) => rollouts),
    repeats: sum(({ repeats }) => repeats),
    excluded: add(({ excluded }) => excluded),
    readers: add(({ readers }) => readers),
    notes: add(({ notes }) => notes),
    policies: add(({ policies }) => policies),
    taskSets: add(({ taskSets }) => taskSets),
  };
}

/** Trials are numbered in order of file and trial when any number occurs twice in a task. */
function renumberTrials(files: readonly (readonly ImportedRollout[])[]): ImportedRollout[] {
  const all = files.flat();
  const byTask = Map.groupBy(all, ({ trajectory }) => trajectory.taskId);
  const hasRepeats = [...byTask.values()].some(
    (members) => new Set(members.map(({ trajectory }) => trajectory.trial)).size < members.length,
  );
  if (!hasRepeats) return all;
  return [...byTask.values()].flatMap((members) =>
    members.map((rollout, trial) => ({ ...rollout, trajectory: { ...rollout.trajectory, trial } })),
  );
}

function check<Value>(schema: z.ZodType<Value>, value: unknown, place: string): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new CampaignError("contract.invalid", `${place}: at ${issue?.path.join(".") || "the top"}: ${issue?.message}`, {
    cause: result.error,
  });
}

function readLine(line: string, place: string): PyValue {
  try {
    return parseJson(line);
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : "";
    throw new CampaignError("contract.invalid", `${place}: not valid JSON${reason}`, { cause, next: `give ${FORMATS}` });
  }
}

function readExact(text: string): PyValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function isRecordWith(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && key in value;
}

function unknownFormat(path: string): CampaignError {
  return new CampaignError("contract.invalid", `${path} is none of the formats that are known`, { next: `give ${FORMATS}` });
}
