// Writing files so that a name either holds all of its bytes or does not exist, whatever dies in between.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, open, rename, unlink } from "node:fs/promises";
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

type FileHandle = Awaited<ReturnType<typeof open>>;

async function createTemporary(folder: string, fill: (handle: FileHandle) => Promise<void>): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${process.pid}-${randomUUID()}`);
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
    await makeFolder(dirname(target));
    await link(temporary, target);
    await syncFolder(dirname(target));
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
}

/** Puts a temporary file in the place of a damaged one. */
export async function replaceFile(temporary: string, target: string): Promise<void> {
  await rename(temporary, target);
  await syncFolder(dirname(target));
}

async function makeFolder(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true });
  if (firstMade !== undefined) await syncFolder(dirname(firstMade));
}

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
