// The record in a local folder: blobs under their hash, manifests written once. Safe under any number of processes on one machine.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import type { ArtifactStore } from "#core/ports.ts";
import { copyTemporary, isErrno, linkOnce, replaceFile, writeTemporary } from "./durable-file.ts";
import { sha256Of } from "./hash.ts";
import { blobName, checkManifestName, checkName, isJournalName } from "./names.ts";

/** `ArtifactStore` below one folder. Throws store.unavailable when the disk refuses (full, read only, no permission). */
export class LocalArtifactStore implements ArtifactStore {
  readonly root: string;
  readonly #temporaryFolder: string;
  readonly #verified = new Set<string>();

  constructor(root: string) {
    this.root = resolve(root);
    this.#temporaryFolder = join(this.root, "tmp");
  }

  async putBlob(bytes: Uint8Array, schema: string): Promise<ArtifactRef> {
    const sha256 = sha256Of(bytes);
    const ref = { uri: blobName(sha256), sha256, numBytes: bytes.length, schema };
    await this.#guard(ref.uri, async () => {
      if (await this.#holds(ref)) return;
      await this.#placeBlob(await writeTemporary(this.#temporaryFolder, bytes), ref);
    });
    return ref;
  }

  async putBlobFile(path: string, schema: string): Promise<ArtifactRef> {
    return await this.#guard(path, async () => {
      const copy = await copyTemporary(this.#temporaryFolder, path);
      const ref = { uri: blobName(copy.sha256), sha256: copy.sha256, numBytes: copy.numBytes, schema };
      await this.#placeBlob(copy.path, ref);
      return ref;
    });
  }

  async getBlob(ref: ArtifactRef): Promise<Uint8Array> {
    const name = blobName(ref.sha256);
    const bytes = await this.#guard(name, () => readFile(join(this.root, name)));
    if (sha256Of(bytes) !== ref.sha256) throw corruptBlob(name);
    return bytes;
  }

  async localPath(ref: ArtifactRef): Promise<string> {
    const name = blobName(ref.sha256);
    const path = join(this.root, name);
    if (this.#verified.has(ref.sha256)) return path;
    const hash = createHash("sha256");
    await this.#guard(name, async () => {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    });
    if (hash.digest("hex") !== ref.sha256) throw corruptBlob(name);
    this.#verified.add(ref.sha256);
    return path;
  }

  async putOnce(name: string, value: unknown): Promise<void> {
    const path = join(this.root, checkManifestName(name));
    const bytes = Buffer.from(canonicalJson(value));
    await this.#guard(name, async () => {
      if (await linkOnce(await writeTemporary(this.#temporaryFolder, bytes), path)) return;
      if (!bytes.equals(await readFile(path))) {
        throw new CampaignError("store.conflict", `${name} is already written with other content; the record is written once`);
      }
    });
  }

  async read(name: string): Promise<unknown> {
    const path = join(this.root, checkName(name));
    try {
      return JSON.parse(await readFile(path, "utf8"));
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR")) return null;
      if (error instanceof SyntaxError) throw new CampaignError("store.corrupt", `${name} is not JSON: ${error.message}`, { cause: error });
      throw unavailable(name, error);
    }
  }

  async list(prefix: string): Promise<string[]> {
    const name = trimSlash(prefix);
    const path = join(this.root, name);
    return await this.#guard(prefix, async () => {
      const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
        if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
        throw error;
      });
      const names = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(this.root.length + 1));
      if (entries.length === 0 && (await isFile(path))) names.push(name);
      return names.filter((found) => !found.startsWith("tmp/")).sort(byCodeUnit);
    });
  }

  async listFolders(prefix: string): Promise<string[]> {
    return await this.#guard(prefix, async () => {
      const entries = await readdir(join(this.root, trimSlash(prefix)), { withFileTypes: true }).catch((error: unknown) => {
        if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
        throw error;
      });
      return entries
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort(byCodeUnit);
    });
  }

  async removeJournal(prefix: string): Promise<void> {
    const name = trimSlash(prefix);
    if (!isJournalName(name))
      throw new CampaignError("contract.invalid", `not below a turns/ folder, so it stays: ${JSON.stringify(prefix)}`);
    await this.#guard(name, () => rm(join(this.root, name), { recursive: true, force: true }));
  }

  async #holds(ref: ArtifactRef): Promise<boolean> {
    const info = await stat(join(this.root, ref.uri)).catch(() => null);
    return info !== null && info.size === ref.numBytes;
  }

  /** A file of another size under this hash is damaged: the good bytes take its place. */
  async #placeBlob(temporary: string, ref: ArtifactRef): Promise<void> {
    const path = join(this.root, ref.uri);
    const isDamaged = (await isFile(path)) && !(await this.#holds(ref));
    if (isDamaged) await replaceFile(temporary, path);
    else await linkOnce(temporary, path);
  }

  async #guard<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof CampaignError) throw error;
      if (isErrno(error, "ENOENT")) throw new CampaignError("store.missing", `not in the record: ${name}`, { cause: error });
      throw unavailable(name, error);
    }
  }
}

function trimSlash(prefix: string): string {
  const name = prefix.replace(/\/$/, "");
  return name === "" ? name : checkName(name);
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function corruptBlob(name: string): CampaignError {
  return new CampaignError("store.corrupt", `${name} does not hold the bytes of its hash`, {
    next: "restore the file from a backup; the blob is written again when the same bytes are stored again after its removal",
  });
}

function unavailable(name: string, error: unknown): CampaignError {
  return new CampaignError(
    "store.unavailable",
    `the record cannot be used at ${name}: ${error instanceof Error ? error.message : String(error)}`,
    {
      cause: error,
      next: "check free space and permissions of the record's folder",
    },
  );
}
