// A virtual environment that uv makes from a hashed lock: whole or made again.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { changedFile, readJson, sha256, writeJson } from "../files.mjs";
import * as places from "../places.mjs";
import { lastLines, run } from "../processes.mjs";
import { SetupError } from "../step.mjs";
import { damagedDistribution, installedDistributions, sitePackages, stampedSizes } from "./environment.mjs";
import { findPython } from "./interpreter.mjs";
import { uvEnvironment } from "./uv.mjs";

/**
 * @typedef {object} LockedEnvironment
 * @property {string} name for messages, e.g. "Python environment"
 * @property {string} folder
 * @property {string} lock a file that names every package by version and hashes
 * @property {string} stamp a file that says what was installed; there when the environment is whole
 */

export const pythonOf = (/** @type {string} */ folder) => join(folder, "bin", "python");

/** Why it must be made, or null when it is whole. Milliseconds. @param {LockedEnvironment} environment @returns {string | null} */
export function whyMissing({ name, folder, lock, stamp: path }) {
  if (!existsSync(pythonOf(folder))) return `there is no ${name}`;
  const stamp = readJson(path);
  if (stamp === null) return `the ${name} is unfinished`;
  if (stamp.lock !== sha256(readFileSync(lock))) return `${basename(lock)} has changed`;
  const packages = sitePackages(folder);
  if (packages === null) return `the ${name} has no packages`;
  const there = new Set(installedDistributions(packages));
  const gone = stamp.distributions.find((/** @type {string} */ distribution) => !there.has(distribution));
  if (gone !== undefined) return `${gone} is gone`;
  const changed = changedFile(packages, stamp.files);
  return changed && `${changed} is damaged`;
}

/**
 * Answers the number of packages. `install` puts what the lock names into it; `notes` go into the stamp.
 *
 * @param {LockedEnvironment} environment @param {string} uv @param {() => Promise<void>} install @param {(what: string) => void} say @param {object} [notes]
 */
export async function makeLocked(environment, uv, install, say, notes = {}) {
  const { folder, lock, stamp } = environment;
  rmSync(stamp, { force: true });
  await makeEnvironment(environment, uv, say);
  await install();
  const packages = /** @type {string} */ (sitePackages(folder));
  await repair(uv, install, packages, say);
  const distributions = installedDistributions(packages);
  writeJson(stamp, { lock: sha256(readFileSync(lock)), ...notes, distributions, files: stampedSizes(packages) });
  return distributions.length;
}

/** Keeps a whole environment (uv then changes only what differs) and replaces a damaged or too old one. @param {LockedEnvironment} environment @param {string} uv @param {(what: string) => void} say */
async function makeEnvironment({ name, folder }, uv, say) {
  const packages = sitePackages(folder);
  if (existsSync(pythonOf(folder)) && packages !== null && damagedDistribution(packages) === null) {
    const version = await run(pythonOf(folder), ["--version"], { timeoutSeconds: 20 });
    if (version.code === 0 && places.atLeast(places.versionIn(version.answer), places.MINIMUM_PYTHON)) return;
  }
  const python = await findPython();
  say(`${name} with ${python.version}`);
  mkdirSync(dirname(folder), { recursive: true });
  const made = await run(uv, ["venv", "--clear", "--python", python.path, folder], { env: uvEnvironment(), onLine: say });
  if (made.code === 0) return;
  throw new SetupError(`could not make the ${name}`, {
    tried: [`uv venv with ${python.path} ended with ${made.code}:\n${lastLines(made.output)}`],
    next: `remove ${folder}, then run npm run setup again`,
  });
}

/**
 * uv links files from its cache, so a file that was cut short there is cut short here: those packages are fetched anew.
 *
 * @param {string} uv @param {() => Promise<void>} install @param {string} packages @param {(what: string) => void} say
 */
async function repair(uv, install, packages, say) {
  const repaired = new Set();
  for (let damaged = damagedDistribution(packages); damaged !== null; damaged = damagedDistribution(packages)) {
    const name = /** @type {string} */ (damaged.split("-")[0]);
    if (repaired.has(name)) {
      throw new SetupError(`${name} is damaged right after its installation`, {
        tried: [`uv cache clean ${name}, then installing it again`],
        next: "check the free disk space, then run npm run setup again",
      });
    }
    repaired.add(name);
    say(`${name} is damaged: fetching it anew`);
    await run(uv, ["cache", "clean", name.replaceAll("_", "-")], { env: uvEnvironment() });
    rmSync(join(packages, damaged), { recursive: true, force: true });
    await install();
  }
}

/** Makes the environment hold what a lock names, and nothing else. @param {string} uv @param {string} folder @param {string} lock @param {(what: string) => void} say */
export async function syncLock(uv, folder, lock, say) {
  must(await run(uv, ["pip", "sync", "--require-hashes", "--python", pythonOf(folder), lock], { env: uvEnvironment(), onLine: say }));
}

/** @param {{ code: number | null, output: string }} result */
export function must(result) {
  if (result.code === 0) return;
  throw new SetupError("could not install the Python packages", {
    tried: [`uv pip ended with ${result.code}:\n${lastLines(result.output)}`],
    next: "check that the package index answers and that 6 GB are free, then run npm run setup again: what is already fetched is kept",
  });
}
