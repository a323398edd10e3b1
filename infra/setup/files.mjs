// Files that are whole or absent: written under a temporary name, then renamed; checked by hash or by size.
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** @param {string | Buffer} bytes */
export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** @param {string} path @returns {Promise<string>} */
export async function sha256File(path) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}

/** @param {string} path @returns {any} null when the file is missing or not JSON */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

/** @param {string} path @param {unknown} value */
export function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 1)}\n`);
  renameSync(temporary, path);
}

/** @param {string} path @returns {number | null} bytes, or null when there is no such file */
export function sizeOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? stat.size : null;
}

/**
 * Sizes of the large files below a folder: native libraries, the ones that a broken download or a full disk cuts short.
 * Walking is slow, comparing is not, so set-up walks once and stamps the answer.
 *
 * @param {string} folder
 * @param {number} [minimumBytes]
 * @returns {Record<string, number>} bytes by path relative to the folder
 */
export function largeFiles(folder, minimumBytes = 1_000_000) {
  /** @type {Record<string, number>} */
  const sizes = {};
  /** @param {string} below */
  const walk = (below) => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = join(below, entry.name);
      if (entry.isDirectory()) walk(path);
      if (!entry.isFile()) continue;
      const bytes = sizeOf(join(folder, path)) ?? 0;
      if (bytes >= minimumBytes) sizes[path] = bytes;
    }
  };
  walk("");
  return sizes;
}

/** The first file whose size is no longer the stamped one, or null. @param {string} folder @param {Record<string, number>} sizes */
export function changedFile(folder, sizes) {
  for (const [path, bytes] of Object.entries(sizes)) {
    if (sizeOf(join(folder, path)) !== bytes) return path;
  }
  return null;
}
