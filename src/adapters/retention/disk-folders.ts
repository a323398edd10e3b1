// Folders beside the record that can be made again from it, or that nobody asks for any more: policies on disk and the trainer's jobs.
import { randomUUID } from "node:crypto";
import { readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "../artifact-store/durable-file.ts";

export interface DiskFolder {
  readonly path: string;
  /** Bytes that go when it goes: files that have no other name elsewhere. */
  readonly numBytes: number;
  /** When it, or anything in it, was last changed: milliseconds since 1970. */
  readonly changedAt: number;
}

/** The folders directly below `root`, by name; hidden ones included. */
export async function foldersBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(none);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

export async function measureFolder(path: string): Promise<DiskFolder> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(none);
  let numBytes = 0;
  let changedAt = (await stat(path).catch(() => null))?.mtimeMs ?? 0;
  for (const entry of entries) {
    const info = await stat(join(entry.parentPath, entry.name)).catch(() => null);
    if (info === null) continue;
    if (info.isFile() && info.nlink === 1) numBytes += info.size;
    if (info.isFile() === false || info.nlink === 1) changedAt = Math.max(changedAt, info.mtimeMs); // a shared file is as young as its blob
  }
  return { path, numBytes, changedAt };
}

const GOING = ".going-";

/** Removes a folder: by another name first, so that whoever finds the old name finds it whole or not at all. */
export async function removeFolder(root: string, name: string): Promise<void> {
  const going = join(root, `${GOING}${randomUUID()}`);
  try {
    await rename(join(root, name), going);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return; // somebody else was faster
    throw error;
  }
  await rm(going, { recursive: true, force: true });
}

/** Removes a folder that holds nothing; one that holds something, or is not there, stays as it is. */
export async function removeEmptyFolder(path: string): Promise<void> {
  await rmdir(path).catch((error: unknown) => {
    if (!isErrno(error, "ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR")) throw error;
  });
}

/** What removals that were killed, and policies that were never finished, have left; `before`: milliseconds since 1970. */
export async function leftovers(root: string, before: number): Promise<DiskFolder[]> {
  const names = (await foldersBelow(root)).filter((name) => name.startsWith(GOING) || name.startsWith(".making-"));
  const found = await Promise.all(names.map((name) => measureFolder(join(root, name))));
  return found.filter(({ path, changedAt }) => path.includes(`/${GOING}`) || changedAt <= before);
}

function none(error: unknown): [] {
  if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
  throw error;
}
