// npm packages: `npm ci`, unless what is installed is already what the lock file says.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { changedFile, largeFiles, readJson, sha256, writeJson } from "../files.mjs";
import { npmCi } from "../npm.mjs";
import * as places from "../places.mjs";
import { lastLines } from "../processes.mjs";
import { SetupError } from "../step.mjs";

const LOCK = join(places.REPOSITORY, "package-lock.json");
const MODULES = join(places.REPOSITORY, "node_modules");
/** npm writes this one last, so an interrupted install has none. */
const INSTALLED = join(MODULES, ".package-lock.json");
const STAMP = join(places.STAMPS, "packages.json");
const NEXT = "check that npm reaches its registry (npm ping), then run npm run setup again; after a change of package.json run npm install";

/** @type {import("../step.mjs").Step} */
export const packagesStep = {
  name: "packages",
  missing() {
    const difference = packageDifference(readJson(LOCK), readJson(INSTALLED), places.REPOSITORY);
    if (difference !== null) return difference;
    const lock = sha256(readFileSync(LOCK));
    const stamp = readJson(STAMP);
    // A developer's own `npm install` leaves the right packages and an old stamp: take them as they are.
    if (stamp?.lock !== lock) writeJson(STAMP, { lock, files: largeFiles(MODULES) });
    const changed = stamp?.lock === lock ? changedFile(MODULES, stamp.files) : null;
    return changed && `node_modules/${changed} is damaged`;
  },
  async make(say) {
    say("npm ci");
    rmSync(STAMP, { force: true });
    const npm = await npmCi(places.REPOSITORY, say);
    const difference = await packagesStep.missing();
    if (npm.code !== 0 || difference !== null) {
      const after = difference === null ? [] : [`after it, ${difference}`];
      throw new SetupError("could not install the npm packages", {
        tried: [`npm ci ended with ${npm.code}:\n${lastLines(npm.output)}`, ...after],
        next: NEXT,
      });
    }
    return `${Object.keys(readJson(INSTALLED).packages).length} npm packages`;
  },
};

/**
 * The first way in which installed packages differ from the lock file, or null.
 *
 * @param {any} lock package-lock.json
 * @param {any} installed node_modules/.package-lock.json
 * @param {string} folder
 * @returns {string | null}
 */
export function packageDifference(lock, installed, folder) {
  if (lock === null) return "package-lock.json cannot be read";
  if (installed === null) return "node_modules is missing or unfinished";
  for (const [path, wanted] of Object.entries(lock.packages)) {
    const there = installed.packages[path];
    // Packages for other platforms stay away.
    if (path === "" || (there === undefined && (wanted.optional || wanted.devOptional || wanted.peer))) continue;
    if (there === undefined) return `${path} is missing`;
    if (there.version !== wanted.version || there.integrity !== wanted.integrity)
      return `${path} is ${there.version}, wanted ${wanted.version}`;
    if (!existsSync(join(folder, path, "package.json"))) return `${path} is damaged`;
  }
  return null;
}
