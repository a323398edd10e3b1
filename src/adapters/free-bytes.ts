import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { isErrno } from "./artifact-store/durable-file.ts";

/** Bytes that this user may still write to the disk of `path`, which need not exist yet. */
export async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(path);
    if (isErrno(error, "ENOENT", "ENOTDIR") && parent !== path) return await freeBytes(parent);
    throw error;
  }
}
