// Writing files so that a name either holds all of its bytes or does not exist, whatever dies in between.
import { createHash, randomUUID } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { chmod, copyFile, link, mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";

/** Writes bytes to a fresh temporary file in `folder` and flushes it to the disk. Answers its path. */
export async function writeTemporary(folder: string, bytes: Uint8Array): Promise<string> {
  return await createTemporary(folder, async (handle) => {
    await handle.writeFile(bytes);
  });
}

/** Copies a file into a fresh temporary file, chunk by chunk, hashing on the way. */
export async function copyTemporary(folder: string, source: string): Promise<{ path: string; sha256: string; numBytes: number }> {
  const hash = createHash("sha256");
  let numBytes = 0;
  const path = await createTemporary(folder, async (handle) => {
    await pipeline(createReadStream(source), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        numBytes += chunk.length;
        await handle.writeFile(chunk);
      }
    });
  });
  return { path, sha256: hash.digest("hex"), numBytes };
}

/** A snapshot of a file that shares its blocks until one of the two is written, where the file system can; null where it cannot. */
export async function cloneTemporary(folder: string, source: string): Promise<string | null> {
  const path = await temporaryPath(folder);
  try {
    await copyFile(source, path, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
  } catch (error) {
    if (isErrno(error, "ENOTSUP", "EOPNOTSUPP", "EXDEV", "EINVAL", "ENOSYS", "ENOTTY")) return null;
    throw error;
  }
  await seal(path);
  return path;
}

/** Another name of a file that nobody writes any more; null across file systems, and where there are no links. */
export async function linkTemporary(folder: string, source: string): Promise<string | null> {
  const path = await temporaryPath(folder);
  try {
    await link(source, path);
  } catch (error) {
    if (isErrno(error, "EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS")) return null;
    throw error;
  }
  await seal(path);
  return path;
}

/** Read only, and on the disk. */
async function seal(path: string): Promise<void> {
  await chmod(path, 0o444);
  await syncFolder(path);
}

/** The process that a temporary file belongs to; null when the name is not of a temporary file. */
export function ownerOf(temporaryName: string): number | null {
  const match = /^(\d+)-[0-9a-f-]{36}$/.exec(temporaryName);
  return match === null ? null : Number(match[1]);
}

async function temporaryPath(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return join(folder, `${process.pid}-${randomUUID()}`);
}

type FileHandle = Awaited<ReturnType<typeof open>>;

async function createTemporary(folder: string, fill: (handle: FileHandle) => Promise<void>): Promise<string> {
  const path = await temporaryPath(folder);
  const handle = await open(path, "wx", 0o444);
  try {
    await fill(handle);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await unlink(path);
    throw error;
  }
  await handle.close();
  return path;
}

/** Gives a temporary file its final name if that is still free, and removes the temporary name. False: the name was taken. */
export async function linkOnce(temporary: string, target: string): Promise<boolean> {
  try {
    return await linkWithFolder(temporary, target);
  } finally {
    await unlink(temporary);
  }
}

/** Gives a file one more name, if that is still free, for good. False: the name was taken. */
export async function linkWithFolder(source: string, target: string): Promise<boolean> {
  try {
    await makeFolder(dirname(target));
    await link(source, target);
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  }
  await syncFolder(dirname(target));
  return true;
}

/** Puts a temporary file in the place of another one. */
export async function replaceFile(temporary: string, target: string): Promise<void> {
  await rename(temporary, target);
  await syncFolder(dirname(target));
}

async function makeFolder(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true });
  if (firstMade !== undefined) await syncFolder(dirname(firstMade));
}

/** Flushes a folder's entries, or a file's bytes, to the disk. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** True when `error` is a system error with this code, e.g. ENOENT. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
