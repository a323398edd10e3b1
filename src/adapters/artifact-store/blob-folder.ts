// The blobs of a local record: placed once, made young by everybody who relies on them anew, and removed without a lock.
//
// A blob's age is its file's. Who stores bytes that are there already sets the time, and looks once more whether the file is still
// there. Who removes renames the file into trash/ first and looks at its time there: nobody can reach it by its name any more, so a
// time that was set is seen, and the file goes back. Between the two, readers find it in trash/ and put it back themselves. So a blob
// that was stored again is never lost, whoever dies at whatever point.
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, stat, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { StoredBlob } from "#core/ports.ts";
import { isErrno, linkWithFolder, replaceFile } from "./durable-file.ts";
import { blobName } from "./names.ts";

export class BlobFolder {
  readonly #root: string;
  readonly #trash: string;

  constructor(root: string) {
    this.#root = root;
    this.#trash = join(root, "trash");
  }

  /** True when the whole blob is there; it is young from now on. */
  async reuse({ sha256, numBytes }: Pick<ArtifactRef, "sha256" | "numBytes">): Promise<boolean> {
    return (await this.#touch(sha256))?.size === numBytes;
  }

  async touch(sha256: string): Promise<boolean> {
    return (await this.#touch(sha256)) !== null;
  }

  /** Gives a temporary file the blob's name, and removes the temporary one. A file of another size under that name is damaged: it is replaced. */
  async place(temporary: string, ref: ArtifactRef): Promise<void> {
    const path = this.#path(ref.sha256);
    try {
      const now = new Date();
      await utimes(temporary, now, now);
      while (!(await linkWithFolder(temporary, path))) {
        if (await this.reuse(ref)) return;
        const size = await sizeOf(path);
        if (size !== null && size !== ref.numBytes) return await replaceFile(temporary, path);
      }
    } finally {
      await unlink(temporary).catch(ignoreAbsent);
    }
  }

  /** Throws ENOENT when it is not there. */
  async read(sha256: string): Promise<Buffer> {
    try {
      return await readFile(this.#path(sha256));
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
      await this.#rescue(sha256);
      return await readFile(this.#path(sha256));
    }
  }

  /** The blob's path. Throws ENOENT when it is not there. */
  async locate(sha256: string): Promise<string> {
    const path = this.#path(sha256);
    if ((await sizeOf(path)) === null) await this.#rescue(sha256);
    await stat(path);
    return path;
  }

  async *list(): AsyncIterable<StoredBlob> {
    const folder = join(this.#root, "blobs", "sha256");
    for (const shard of await namesIn(folder)) {
      for (const sha256 of (await namesIn(join(folder, shard))).filter((name) => /^[0-9a-f]{64}$/.test(name))) {
        const info = await stat(join(folder, shard, sha256)).catch(ignoreAbsent);
        if (info?.isFile()) yield { sha256, numBytes: info.size, touchedAt: info.mtimeMs };
      }
    }
  }

  async remove(sha256: string, before: number): Promise<boolean> {
    const condemned = join(this.#trash, `${sha256}.${randomUUID()}`); // a name of its own: two removals never meet in one file
    await mkdir(this.#trash, { recursive: true });
    try {
      await rename(this.#path(sha256), condemned);
      if ((await stat(condemned)).mtimeMs > before) {
        await this.#restore(condemned, sha256);
        return false;
      }
      await unlink(condemned);
      return true;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return false; // somebody else removed it, or put it back
      throw error;
    }
  }

  async restoreAll(): Promise<void> {
    for (const name of await namesIn(this.#trash)) await this.#restore(join(this.#trash, name), hashOf(name));
  }

  async #touch(sha256: string) {
    const path = this.#path(sha256);
    const now = new Date();
    try {
      await utimes(path, now, now);
      return await stat(path);
    } catch (error) {
      if (isErrno(error, "ENOENT")) return null;
      throw error;
    }
  }

  async #rescue(sha256: string): Promise<void> {
    for (const name of await namesIn(this.#trash)) {
      if (hashOf(name) === sha256) await this.#restore(join(this.#trash, name), sha256);
    }
  }

  async #restore(condemned: string, sha256: string): Promise<void> {
    try {
      await linkWithFolder(condemned, this.#path(sha256)); // false: it has been stored again already
      await unlink(condemned);
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error; // somebody else has restored or removed it
    }
  }

  #path(sha256: string): string {
    return join(this.#root, blobName(sha256));
  }
}

const hashOf = (name: string): string => name.slice(0, 64);

async function sizeOf(path: string): Promise<number | null> {
  return (await stat(path).catch(ignoreAbsent))?.size ?? null;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(ignoreAbsent)) ?? [];
}

function ignoreAbsent(error: unknown): null {
  if (isErrno(error, "ENOENT", "ENOTDIR")) return null;
  throw error;
}
