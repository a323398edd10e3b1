// Files of rollouts from anywhere: tau-bench results, tau2 results, JSONL of chat messages, our own Parquet, folders of these. The order of
// files does not matter, and neither does a copy among them.
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import type { Task } from "#contracts/task.ts";
import { hashJson, sha256Hex } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import { addCounts, countNames } from "#core/reading/counts.ts";
import { PLAIN_READER } from "#core/reading/describe-reading.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { decodeTrajectories } from "../record/trajectories.ts";
import { type Identified, identify } from "./identify.ts";
import type { Tau2Run } from "./import-tau2.ts";
import type { ImportedRollout, ImportedRollouts } from "./imported-rollouts.ts";
import { nameOrigins } from "./name-origins.ts";
import { numMarked, policyLabels, SETTINGS_NOTE } from "./policy-labels.ts";
import { expandPaths, type RolloutPath, shortNames } from "./rollout-paths.ts";
import { FORMATS, type LeftOut, RolloutText, type TextContents } from "./rollout-text.ts";
import { taskContent } from "./task-identity.ts";

const PARQUET_MAGIC = "PAR1";
const CHUNK_LENGTH = 2 ** 20;

export interface ReadOptions {
  readonly catalog: ToolCatalog;
  /** Tasks of Parquet trajectories, by id; they carry only the id themselves. */
  readonly tasks: ReadonlyMap<string, Task> | null;
  /** Bytes of one entry or line; default: what a string can hold. */
  readonly maxPiece?: number;
}

export interface RolloutFiles extends ImportedRollouts {
  /** Hash of the set of files: equal files in any order and number, equal hash. */
  readonly bufferSha256: string;
  /** The rollouts of each policy, as if its rollouts alone had been given. By name. */
  readonly byPolicy: () => Map<string, RolloutFiles>;
}

interface FileContents extends TextContents {
  readonly path: string;
  readonly sha256: string;
}

/** Files whose equal rollouts are trials that went alike: one file, or the folder of one run. */
interface Source {
  readonly sha256: string;
  readonly rollouts: readonly ImportedRollout[];
}

/**
 * All rollouts of the files, each once. A file that cannot be read is left out and named, unless it is the only one.
 * Throws config.file-missing, contract.invalid with the place of the first problem, or environment.data-missing for Parquet without tasks.
 */
export async function readRollouts(paths: readonly string[], options: ReadOptions): Promise<RolloutFiles> {
  const read = await readFiles(paths, options);
  if (read.files.every(({ rollouts }) => rollouts.length === 0)) throw nothingFound(read);
  return assemble(read);
}

/** The rollouts of a text; `path` names it in errors and, where it says nothing better, the policy. */
export function importRolloutText(path: string, text: string, catalog: ToolCatalog): ImportedRollouts {
  const reader = new RolloutText({ path, source: shortNames([path]).get(path) ?? path, catalog });
  reader.push(new TextEncoder().encode(text));
  return assemble({ files: [{ ...reader.finish(), path, sha256: sha256Hex(text), unit: path }], unread: {}, numAgain: 0 });
}

function assemble({ files, unread, numAgain }: FilesRead): RolloutFiles {
  const sources = toSources(files);
  const found = identify(sources.map(({ rollouts }) => rollouts.map(evidenceOf)));
  const numFiles = new Set([...files.map(({ path }) => path), ...Object.keys(unread)]).size;
  const account = { files: numFiles, repeats: found.numRepeats + numAgain, ...accountOf(files), unread };
  const bufferSha256 = hashJson([...new Set(files.map(({ sha256 }) => sha256))].sort());
  return describe(found, account, bufferSha256, sources);
}

type Evidenced = ReturnType<typeof evidenceOf>;
const evidenceOf = (rollout: ImportedRollout) => ({ imported: rollout, trajectory: rollout.trajectory, ...toldOf(rollout) });

/** Rollouts of a record tell by their task and policy. */
function toldOf({ told, task, trajectory }: ImportedRollout): NonNullable<ImportedRollout["told"]> {
  if (told !== undefined) return told;
  const { policy, seed } = trajectory;
  return {
    known: taskContent(task, task.environment),
    maker: { policyName: policy.name, policyHash: policy.hash, seed },
    isExport: false,
  };
}

type Account = Pick<RolloutReading, "files" | "repeats" | "excluded" | "notes" | "firstExcluded" | "unread">;

function describe(found: Identified<Evidenced>, account: Account, bufferSha256: string, sources: readonly Source[]): RolloutFiles {
  const rollouts = nameOrigins(found.placed.map(({ rollout, taskName, trial }) => ({ rollout: rollout.imported, taskName, trial })));
  const labels = policyLabels(rollouts);
  const taskSets = new Map(found.placed.map(({ taskName, taskSet, rollout }) => [taskName, taskSet ?? rollout.trajectory.environment]));
  return {
    rollouts,
    reading: {
      ...account,
      rollouts: rollouts.length,
      notes: addCounts(
        account.notes,
        found.notes,
        { [SETTINGS_NOTE]: numMarked(labels) },
        ...rollouts.map(({ read }) => read?.notes ?? {}),
      ),
      readers: countNames(rollouts.map(({ read }) => read?.reader ?? PLAIN_READER)),
      policies: countNames(labels),
      taskSets: countNames(taskSets.values()),
    },
    bufferSha256,
    byPolicy: () => splitByPolicy(found, labels, bufferSha256, sources),
  };
}

function splitByPolicy(found: Identified<Evidenced>, labels: readonly string[], bufferSha256: string, sources: readonly Source[]) {
  const names = [...new Set(labels)].sort();
  return new Map(
    names.map((name) => {
      const own = found.placed.filter((_, position) => labels[position] === name);
      const parts = sources.map((_, source) => own.filter((one) => one.source === source).map(({ rollout }) => rollout));
      const account = {
        files: parts.filter((part) => part.length > 0).length,
        repeats: 0,
        excluded: {},
        firstExcluded: {},
        unread: {},
        notes: {},
      };
      return [name, describe(identify(parts), account, hashJson({ bufferSha256, policy: name }), sources)] as const;
    }),
  );
}

interface FilesRead {
  readonly files: (FileContents & { readonly unit: string })[];
  /** Files that could not be read, and why. */
  readonly unread: Record<string, string>;
  /** Rollouts of files that were named more than once. */
  readonly numAgain: number;
}

async function readFiles(paths: readonly string[], options: ReadOptions): Promise<FilesRead> {
  const { files: named, runs, unread: unreadable } = await expandPaths(paths);
  const distinct = new Map(named.map((file) => [resolve(file.path), file]));
  const names = shortNames([...distinct.values()].map(sourcePath));
  const readRun = createRunReader(options, names);
  const files: (FileContents & { readonly unit: string })[] = [];
  const unread: [string, string][] = [...unreadable];
  for (const file of distinct.values()) {
    try {
      const contents = await readFile(file, names.get(sourcePath(file)) ?? basename(file.path), options, readRun);
      const rollouts = contents.rollouts.map((rollout) => ({ ...rollout, file: sourcePath(file) }));
      const isEmpty = rollouts.length === 0 && contents.leftOut.length === 0;
      const notes = addCounts(contents.notes, { "files that hold no entry yet": isEmpty ? 1 : 0 });
      files.push({ ...contents, rollouts, notes, unit: file.unit });
    } catch (error) {
      if (!(error instanceof CampaignError) || error.code !== "contract.invalid" || distinct.size === 1) throw error;
      unread.push([file.path, error.message]);
    }
  }
  for (const run of runs) files.push({ ...(await missingSimulations(run, named, readRun)), unit: resolve(run) });
  const numOf = new Map(files.map(({ path, rollouts }) => [resolve(path), rollouts.length]));
  const numNamed = named.reduce((total, { path }) => total + (numOf.get(resolve(path)) ?? 0), 0);
  return {
    files,
    unread: Object.fromEntries(unread.sort()),
    numAgain: numNamed - files.reduce((total, { rollouts }) => total + rollouts.length, 0),
  };
}

/** A simulation of a run is called as the run. */
const sourcePath = ({ path, results }: RolloutPath): string => results ?? path;

type ReadRun = (results: string) => Promise<FileContents>;

function createRunReader(options: ReadOptions, names: ReadonlyMap<string, string>): ReadRun {
  const known = new Map<string, Promise<FileContents>>();
  return (results) => {
    const found = known.get(results) ?? readText({ path: results, source: names.get(results) ?? results, run: null }, options);
    known.set(results, found);
    return found;
  };
}

async function readFile(file: RolloutPath, source: string, options: ReadOptions, readRun: ReadRun): Promise<FileContents> {
  const { path, results } = file;
  if (results !== null) {
    const { run, sha256 } = await readRun(results);
    const contents = await readText({ path, source, run }, options);
    return { ...contents, sha256: hashJson([sha256, contents.sha256]) };
  }
  const chunks = chunksOf(path);
  const head = await headOf(chunks);
  const whole = allOf(head, chunks);
  if (head.subarray(0, PARQUET_MAGIC.length).toString("latin1") === PARQUET_MAGIC) return readParquet(path, whole, options.tasks);
  return readText({ path, source, run: null }, options, whole);
}

async function readText(
  context: { path: string; source: string; run: Tau2Run | null },
  options: ReadOptions,
  chunks: AsyncIterable<Uint8Array> = chunksOf(context.path),
): Promise<FileContents> {
  const limit = options.maxPiece === undefined ? {} : { maxPiece: options.maxPiece };
  const reader = new RolloutText({ ...context, catalog: options.catalog, ...limit });
  const hash = createHash("sha256");
  for await (const bytes of chunks) {
    hash.update(bytes);
    reader.push(bytes);
  }
  return { ...reader.finish(), path: context.path, sha256: hash.digest("hex") };
}

/** A pipe can be read only once, from its beginning: nothing else opens a file. */
async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    const file = await open(path);
    yield* file.createReadStream({ highWaterMark: CHUNK_LENGTH }) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw new CampaignError("config.file-missing", `cannot read ${path}: ${cause.message}`, { cause, next: "check the path" });
  }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && "syscall" in error;

/** The first bytes, at least as many as tell a Parquet file where there are so many: a pipe hands out any number. */
async function headOf(chunks: AsyncGenerator<Uint8Array>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < PARQUET_MAGIC.length) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  return head;
}

async function* allOf(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}

async function readParquet(path: string, chunks: AsyncIterable<Uint8Array>, tasks: ReadOptions["tasks"]): Promise<FileContents> {
  const parts: Uint8Array[] = [];
  for await (const bytes of chunks) parts.push(bytes);
  const bytes = Buffer.concat(parts);
  const trajectories = await decodeParquet(path, bytes);
  if (tasks === null) {
    throw new CampaignError("environment.data-missing", `${path} holds trajectories without their tasks`, {
      next: "name the task set that they were made on with --task-set",
    });
  }
  const rollouts: ImportedRollout[] = [];
  const leftOut: LeftOut[] = [];
  for (const [index, trajectory] of trajectories.entries()) {
    const { type, reward } = trajectory.outcome;
    const place = `${path}, row ${index}`;
    if (reward === null) leftOut.push({ why: `ended by ${type}`, place, content: hashJson(trajectory) });
    else
      rollouts.push({ task: taskOf(trajectory.taskId, trajectory.environment, path, tasks), trajectory, systemPrompt: null, origin: null });
  }
  return { rollouts, leftOut, notes: {}, run: null, path, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Parquet holds anything: a table of somebody else is a file that cannot be read, as a JSON of another form is. */
async function decodeParquet(path: string, bytes: Uint8Array) {
  try {
    return await decodeTrajectories(bytes);
  } catch (cause) {
    if (!(cause instanceof CampaignError) || cause.code !== "store.corrupt") throw cause;
    const [why = ""] = cause.message.split("\n");
    throw new CampaignError("contract.invalid", `${path} is a Parquet file, and none of trajectories (${why})`, {
      cause,
      next: `give ${FORMATS}`,
    });
  }
}

function taskOf(taskId: string, environment: string, path: string, tasks: ReadonlyMap<string, Task>): Task {
  const task = tasks.get(taskId);
  const next = "name the task set that the trajectories were made on";
  if (task === undefined) throw new CampaignError("contract.invalid", `${path}: no task ${taskId} in the task set`, { next });
  if (task.environment !== environment) {
    throw new CampaignError("contract.invalid", `${path}: made in ${environment}, and the task set is of ${task.environment}`, { next });
  }
  return task;
}

/** Simulations that a run's index lists and that have no file. */
async function missingSimulations(results: string, named: readonly RolloutPath[], readRun: ReadRun): Promise<FileContents> {
  const { run, sha256 } = await readRun(results);
  const present = new Set(named.flatMap((file) => (file.results === results ? [basename(file.path, ".json")] : [])));
  const missing = (run?.index ?? []).filter((id) => !present.has(id));
  return {
    rollouts: [],
    leftOut: missing.map((id) => ({
      why: "listed by a tau2 run whose file is missing",
      place: `${results}, ${id}`,
      content: hashJson([results, id]),
    })),
    notes: {},
    run: null,
    path: results,
    sha256,
  };
}

/** In the order of their content, so that the order they were named in is not seen. */
function toSources(files: readonly (FileContents & { readonly unit: string })[]): Source[] {
  const units = [...Map.groupBy(files, ({ unit }) => unit).values()].map((own) => ({
    sha256: hashJson(own.map(({ sha256 }) => sha256).sort()),
    rollouts: [...own].sort((a, b) => (a.path < b.path ? -1 : 1)).flatMap(({ rollouts }) => rollouts),
  }));
  return units.sort((a, b) => (a.sha256 < b.sha256 ? -1 : a.sha256 > b.sha256 ? 1 : 0));
}

/** What was left out. Of one entry there is as much as the file with the most of it has, as it is with rollouts. */
function accountOf(files: readonly FileContents[]): Pick<Account, "excluded" | "firstExcluded" | "notes"> {
  const counts = new Map<string, { readonly why: string; count: number }>();
  for (const { leftOut } of files) {
    for (const [key, same] of Map.groupBy(leftOut, ({ why, content }) => `${content} ${why}`)) {
      const known = counts.get(key);
      counts.set(key, { why: same[0]?.why ?? "", count: Math.max(known?.count ?? 0, same.length) });
    }
  }
  const all = files.flatMap(({ leftOut }) => leftOut);
  const first = Map.groupBy(
    [...all].sort((a, b) => comparePlaces(a.place, b.place)),
    ({ why }) => why,
  );
  return {
    excluded: addCounts(...[...counts.values()].map(({ why, count }) => ({ [why]: count }))),
    firstExcluded: Object.fromEntries([...first].map(([why, [one]]) => [why, one?.place ?? ""])),
    notes: addCounts(...files.map(({ notes }) => notes)),
  };
}

const comparePlaces = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });

function nothingFound({ files, unread }: FilesRead): CampaignError {
  const { excluded } = accountOf(files);
  const reasons = Object.entries(excluded).map(([why, count]) => `${count} ${why}`);
  const [file] = files;
  const why = [...reasons, ...Object.values(unread)].join("; ") || "it holds no entry yet";
  const subject = files.length === 1 && file !== undefined ? file.path : `none of ${files.length + Object.keys(unread).length} files`;
  return new CampaignError("contract.invalid", `${subject} holds ${files.length === 1 ? "no" : "a"} rollout with an outcome: ${why}`, {
    next: `give ${FORMATS}`,
  });
}
