// One set-up at a time: a lock file that names its owner. A lock whose owner is gone is taken over.
import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readJson } from "./files.mjs";
import { processStart } from "./processes.mjs";

/**
 * Takes the lock, waiting as long as another process holds it.
 *
 * @param {string} path
 * @param {(pid: number) => void} onWait called once when the lock is held by somebody else
 * @returns {Promise<() => void>} gives the lock back
 */
export async function takeLock(path, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  const own = `${path}.${process.pid}.${randomUUID()}`;
  writeFileSync(own, JSON.stringify({ pid: process.pid, start: processStart(process.pid) }));
  let told = false;
  try {
    while (!link(own, path)) {
      const owner = readJson(path);
      if (owner === null || processStart(owner.pid) !== owner.start) {
        removeStale(path);
        continue;
      }
      if (!told) onWait(owner.pid);
      told = true;
      await sleep(200);
    }
  } finally {
    rmSync(own, { force: true });
  }
  return () => rmSync(path, { force: true });
}

/** @param {string} from @param {string} to */
function link(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    return false;
  }
}

/** Renaming first lets only one of several waiters remove it. @param {string} path */
function removeStale(path) {
  const aside = `${path}.stale.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  rmSync(aside, { force: true });
}
