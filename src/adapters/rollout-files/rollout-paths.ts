// From what a person names to the files to read: a folder is all files in it that may hold rollouts, and tau2 keeps one run in a folder.
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CampaignError } from "#core/errors.ts";

/** Where tau2 keeps the simulations of a run beside its results.json, one file each. */
const SIMULATIONS = "simulations";
const RESULTS = "results.json";
const EXTENSION = /\.(json|jsonl|ndjson|parquet)$/i;

export interface RolloutPath {
  /** As it was named, or below what was named. */
  readonly path: string;
  /** For a simulation of a tau2 run: the results.json with its tasks. */
  readonly results: string | null;
  /** Files of one unit are one source: equal rollouts in it are trials that went alike. */
  readonly unit: string;
}

export interface RolloutPaths {
  readonly files: RolloutPath[];
  /** results.json of tau2's runs that are kept in folders. */
  readonly runs: string[];
}

/** Throws config.file-missing for what does not exist, and for a folder without such files. */
export async function expandPaths(paths: readonly string[]): Promise<RolloutPaths> {
  const found = await Promise.all(paths.map(expand));
  return { files: found.flatMap(({ files }) => files), runs: [...new Set(found.flatMap(({ runs }) => runs))] };
}

async function expand(path: string): Promise<RolloutPaths> {
  const kind = await stat(path).catch((cause: Error) => {
    throw new CampaignError("config.file-missing", `cannot read ${path}: ${cause.message}`, { cause, next: "check the path" });
  });
  if (!kind.isDirectory()) return ofFile(path);
  const found = await ofFolder(path);
  if (found.files.length === 0 && found.runs.length === 0) {
    throw new CampaignError("config.file-missing", `${path} holds no file of rollouts`, {
      next: "name files, or a folder with .json, .jsonl or .parquet files",
    });
  }
  return found;
}

async function ofFile(path: string): Promise<RolloutPaths> {
  const folder = dirname(path);
  if (basename(path) === RESULTS && (await isFolder(join(folder, SIMULATIONS)))) return ofRun(folder);
  const results = join(folder, "..", RESULTS);
  if (basename(resolve(folder)) === SIMULATIONS && (await exists(results))) {
    return { files: [{ path, results, unit: resolve(results) }], runs: [] };
  }
  return { files: [{ path, results: null, unit: resolve(path) }], runs: [] };
}

async function ofFolder(folder: string): Promise<RolloutPaths> {
  if ((await exists(join(folder, RESULTS))) && (await isFolder(join(folder, SIMULATIONS)))) return ofRun(folder);
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const found = await Promise.all(
    entries.map(async (entry): Promise<RolloutPaths> => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return ofFolder(path);
      return EXTENSION.test(entry.name) ? { files: [{ path, results: null, unit: resolve(path) }], runs: [] } : { files: [], runs: [] };
    }),
  );
  return { files: found.flatMap(({ files }) => files), runs: found.flatMap(({ runs }) => runs) };
}

/** A run that tau2 keeps in a folder: results.json with the tasks, one file for each simulation. */
async function ofRun(folder: string): Promise<RolloutPaths> {
  const results = join(folder, RESULTS);
  const names = (await readdir(join(folder, SIMULATIONS))).filter((name) => name.endsWith(".json")).sort();
  return { files: names.map((name) => ({ path: join(folder, SIMULATIONS, name), results, unit: resolve(results) })), runs: [results] };
}

const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Short names of files: their own, with as many folders before it as tell them apart. */
export function shortNames(paths: readonly string[]): Map<string, string> {
  const parts = new Map(paths.map((path) => [path, nameParts(path)]));
  const name = (path: string, depth: number) => (parts.get(path) as string[]).slice(-depth).join("/");
  const names = new Map<string, string>();
  for (const path of paths) {
    const longest = (parts.get(path) as string[]).length;
    let depth = 1;
    const isShared = () => paths.some((other) => resolve(other) !== resolve(path) && name(other, depth) === name(path, depth));
    while (depth < longest && isShared()) depth += 1;
    names.set(path, name(path, depth));
  }
  return names;
}

/** A run in a folder is called as its folder. */
function nameParts(path: string): string[] {
  const whole = resolve(path);
  return (basename(whole) === RESULTS ? dirname(whole) : whole.replace(/\.(jsonl?|ndjson|parquet)$/i, ""))
    .split("/")
    .filter((part) => part !== "");
}
