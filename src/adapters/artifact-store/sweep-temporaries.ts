// What writers that were killed have left in the record's tmp/.
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { SweptFiles } from "#core/ports.ts";
import { isErrno, ownerOf } from "./durable-file.ts";

const HOUR = 3_600_000;
/** A process of another container that shares the folder looks dead from here, so a file must also have been left alone for a while. */
const DEAD_OWNER_MS = HOUR;
/** The owner's number may have gone to another process meanwhile. */
const ANY_OWNER_MS = 24 * HOUR;

/** Removes temporary files whose owner is dead and that nobody has written to for an hour, and those of a day ago. `isDryRun` only counts them. */
export async function sweepTemporaries(recordRoot: string, options: { now: number; isDryRun?: boolean }): Promise<SweptFiles> {
  const folder = join(recordRoot, "tmp");
  const names = await readdir(folder).catch(absent);
  let [count, numBytes] = [0, 0];
  for (const name of names ?? []) {
    const path = join(folder, name);
    const info = await stat(path).catch(absent);
    if (info === null || !info.isFile() || !isLeft(name, options.now - info.mtimeMs)) continue;
    if (options.isDryRun !== true && (await unlink(path).catch(absent)) === null) continue;
    count += 1;
    numBytes += info.nlink > 1 ? 0 : info.size; // another name of a file that stays frees nothing
  }
  return { count, numBytes };
}

function isLeft(name: string, age: number): boolean {
  const owner = ownerOf(name);
  return owner !== null && (age > ANY_OWNER_MS || (age > DEAD_OWNER_MS && !isAlive(owner)));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !isErrno(error, "ESRCH"); // somebody else's process is alive, too
  }
}

function absent(error: unknown): null {
  if (isErrno(error, "ENOENT", "ENOTDIR")) return null;
  throw error;
}
