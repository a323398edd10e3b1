// From what a person names to the files to read: a folder is all files in it that may hold rollouts, and tau2 keeps one run in a folder.
import { readdir, realpath, stat } from "node:fs/promises";
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
  /** What lies in a folder under the name of such a file and cannot be read as one, and why. */
  readonly unread: [path: string, why: string][];
}

/** Throws config.file-missing for what does not exist, and for a folder without such files. */
export async function expandPaths(paths: readonly string[]): Promise<RolloutPaths> {
  const found = merge(await Promise.all(paths.map(expand)));
  return { ...found, runs: [...new Set(found.runs)] };
}

const NOTHING: RolloutPaths = { files: [], runs: [], unread: [] };
const merge = (parts: readonly RolloutPaths[]): RolloutPaths => ({
  files: parts.flatMap(({ files }) => files),
  runs: parts.flatMap(({ runs }) => runs),
  unread: parts.flatMap(({ unread }) => unread),
});

async function expand(path: string): Promise<RolloutPaths> {
  const kind = await stat(path).catch((cause: Error) => {
    throw new CampaignError("config.file-missing", `cannot read ${path}: ${cause.message}`, { cause, next: "check the path" });
  });
  if (!kind.isDirectory()) return ofFile(path);
  const found = await ofFolder(path, []);
  if (found.files.length === 0 && found.runs.length === 0 && found.unread.length === 0) {
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
    return { ...NOTHING, files: [{ path, results, unit: resolve(results) }] };
  }
  return alone(path);
}

const alone = (path: string): RolloutPaths => ({ ...NOTHING, files: [{ path, results: null, unit: resolve(path) }] });

/** `above` are the real paths of the folders that it lies in: links may lead back to one of them. */
async function ofFolder(folder: string, above: readonly string[]): Promise<RolloutPaths> {
  if ((await exists(join(folder, RESULTS))) && (await isFolder(join(folder, SIMULATIONS)))) return ofRun(folder);
  const here = await realpath(folder);
  if (above.includes(here)) return NOTHING;
  const names = (await readdir(folder)).sort();
  return merge(await Promise.all(names.map((name) => ofEntry(join(folder, name), [...above, here]))));
}

/** A link is what it leads to. A pipe would be waited for without end, and nobody named it. */
async function ofEntry(path: string, above: readonly string[]): Promise<RolloutPaths> {
  const isNamed = EXTENSION.test(path);
  const kind = await stat(path).catch((cause: Error) => cause);
  if (kind instanceof Error) return isNamed ? { ...NOTHING, unread: [[path, `cannot read ${path}: ${kind.message}`]] } : NOTHING;
  if (kind.isDirectory()) return ofFolder(path, above);
  if (!isNamed) return NOTHING;
  return kind.isFile() ? alone(path) : { ...NOTHING, unread: [[path, `${path} is no file but a pipe, a socket or a device`]] };
}

/** A run that tau2 keeps in a folder: results.json with the tasks, one file for each simulation. */
async function ofRun(folder: string): Promise<RolloutPaths> {
  const results = join(folder, RESULTS);
  const names = (await readdir(join(folder, SIMULATIONS))).filter((name) => name.endsWith(".json")).sort();
  const files = names.map((name) => ({ path: join(folder, SIMULATIONS, name), results, unit: resolve(results) }));
  return { ...NOTHING, files, runs: [results] };
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
