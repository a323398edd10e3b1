// The record in a local folder: blobs under their hash, manifests written once. Safe under any number of processes on one machine.
import { readdir, readFile, rm, stat, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import type { CollectableStore, PutFileOptions, StoredBlob, SweptFiles } from "#core/ports.ts";
import { BlobFolder } from "./blob-folder.ts";
import { cloneTemporary, copyTemporary, isErrno, linkOnce, linkTemporary, writeTemporary } from "./durable-file.ts";
import { conflictingName, corruptBlob, missingBlob, missingName, parseManifest } from "./failures.ts";
import { hashFile, sha256Of } from "./hash.ts";
import { blobName, checkManifestName, checkName, checkPrefix, isJournalName, isManifestName, RESERVED_FOLDERS } from "./names.ts";
import { sweepTemporaries } from "./sweep-temporaries.ts";

/** `ArtifactStore` below one folder. Throws store.unavailable when the disk refuses (full, read only, no permission). */
export class LocalArtifactStore implements CollectableStore {
  readonly root: string;
  readonly #temporaryFolder: string;
  readonly #blobs: BlobFolder;
  readonly #verified = new Set<string>();

  constructor(root: string) {
    this.root = resolve(root);
    this.#temporaryFolder = join(this.root, "tmp");
    this.#blobs = new BlobFolder(this.root);
  }

  async putBlob(bytes: Uint8Array, schema: string): Promise<ArtifactRef> {
    const sha256 = sha256Of(bytes);
    const ref = { uri: blobName(sha256), sha256, numBytes: bytes.length, schema };
    await this.#guard(ref.uri, async () => {
      if (await this.#blobs.reuse(ref)) return;
      await this.#blobs.place(await writeTemporary(this.#temporaryFolder, bytes), ref);
    });
    return ref;
  }

  async putBlobFile(path: string, schema: string, { isFinal = false }: PutFileOptions = {}): Promise<ArtifactRef> {
    return await this.#guard(path, async () => {
      const clone = await cloneTemporary(this.#temporaryFolder, path);
      if (clone !== null) return await this.#placeTemporary(clone, { ...(await hashFile(clone)), schema });
      const before = await stat(path, { bigint: true });
      const hash = await hashFile(path);
      const ref = { uri: blobName(hash.sha256), ...hash, schema };
      if (await this.#blobs.reuse(ref)) return ref;
      const linked = isFinal ? await linkTemporary(this.#temporaryFolder, path) : null;
      if (linked !== null) {
        const { ino, size, mtimeNs } = await stat(linked, { bigint: true });
        if (ino === before.ino && size === before.size && mtimeNs === before.mtimeNs)
          return await this.#placeTemporary(linked, { ...hash, schema });
        await unlink(linked); // it has changed since it was hashed: not as final as promised
      }
      const { path: copy, ...copied } = await copyTemporary(this.#temporaryFolder, path);
      return await this.#placeTemporary(copy, { ...copied, schema });
    });
  }

  async getBlob(ref: ArtifactRef): Promise<Uint8Array> {
    const name = blobName(ref.sha256);
    const bytes = await this.#guard(name, () => this.#orDropped(ref, () => this.#blobs.read(ref.sha256)));
    if (sha256Of(bytes) !== ref.sha256) throw corruptBlob(name);
    return bytes;
  }

  async localPath(ref: ArtifactRef): Promise<string> {
    const name = blobName(ref.sha256);
    return await this.#guard(name, () =>
      this.#orDropped(ref, async () => {
        const path = await this.#blobs.locate(ref.sha256);
        if (this.#verified.has(ref.sha256)) return path;
        if ((await hashFile(path)).sha256 !== ref.sha256) throw corruptBlob(name);
        this.#verified.add(ref.sha256);
        return path;
      }),
    );
  }

  async putOnce(name: string, value: unknown): Promise<void> {
    const path = join(this.root, checkManifestName(name));
    const bytes = Buffer.from(canonicalJson(value));
    await this.#guard(name, async () => {
      if (await linkOnce(await writeTemporary(this.#temporaryFolder, bytes), path)) return;
      if (!bytes.equals(await readFile(path))) throw conflictingName(name);
    });
  }

  async read(name: string): Promise<unknown> {
    const path = join(this.root, checkName(name));
    const text = await this.#guard(name, () => readFile(path, "utf8").catch(noFile));
    return text === null ? null : parseManifest(name, text);
  }

  async list(prefix: string): Promise<string[]> {
    const name = checkPrefix(prefix);
    const path = join(this.root, name);
    return await this.#guard(prefix, async () => {
      const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(noEntries);
      const names = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(this.root.length + 1));
      if (entries.length === 0 && (await isFile(path))) names.push(name);
      return names.filter((found) => !UNLISTED_FOLDERS.includes(found.split("/")[0] ?? "")).sort(byCodeUnit);
    });
  }

  async listFolders(prefix: string): Promise<string[]> {
    return await this.#guard(prefix, async () => {
      const entries = await readdir(join(this.root, checkPrefix(prefix)), { withFileTypes: true }).catch(noEntries);
      return entries
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .filter((found) => checkPrefix(prefix) !== "" || !UNLISTED_FOLDERS.includes(found))
        .sort(byCodeUnit);
    });
  }

  async removeJournal(prefix: string): Promise<void> {
    const name = checkPrefix(prefix);
    if (!isJournalName(name))
      throw new CampaignError("contract.invalid", `not below a turns/ folder, so it stays: ${JSON.stringify(prefix)}`);
    await this.#guard(name, () => rm(join(this.root, name), { recursive: true, force: true }));
  }

  async listManifests(): Promise<string[]> {
    const entries = await this.#guard("", () => readdir(this.root, { withFileTypes: true }).catch(noEntries));
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    const folders = entries.filter((entry) => entry.isDirectory() && !RESERVED_FOLDERS.includes(entry.name));
    const below = await Promise.all(folders.map(({ name }) => this.list(name)));
    return [...files, ...below.flat()].filter(isManifestName).sort(byCodeUnit);
  }

  listBlobs(): AsyncIterable<StoredBlob> {
    return this.#blobs.list();
  }

  async touchBlob(sha256: string): Promise<boolean> {
    return await this.#guard(blobName(sha256), () => this.#blobs.touch(sha256));
  }

  async removeBlob(sha256: string, before: number): Promise<boolean> {
    return await this.#guard(blobName(sha256), () => this.#blobs.remove(sha256, before));
  }

  async restoreRemovals(): Promise<void> {
    await this.#guard("trash", () => this.#blobs.restoreAll());
  }

  async sweepTemporaries(options: { readonly now: number; readonly isDryRun?: boolean }): Promise<SweptFiles> {
    return await this.#guard("tmp", () => sweepTemporaries(this.root, options));
  }

  /** The time of the file's own entry, which the system sets when it gets its name and nobody can set back. */
  async writtenAt(name: string): Promise<number | null> {
    const path = join(this.root, checkManifestName(name));
    return await this.#guard(name, async () => (await stat(path).catch(noFile))?.ctimeMs ?? null);
  }

  async #placeTemporary(temporary: string, blob: Omit<ArtifactRef, "uri">): Promise<ArtifactRef> {
    const ref = { uri: blobName(blob.sha256), ...blob };
    await this.#blobs.place(temporary, ref);
    return ref;
  }

  /** A blob that is not there because a retention let it go is told as that. */
  async #orDropped<T>({ sha256 }: ArtifactRef, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw isErrno(error, "ENOENT") ? await missingBlob(this, sha256, error) : error;
    }
  }

  async #guard<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof CampaignError) throw error;
      if (isErrno(error, "ENOENT")) throw missingName(name, error);
      throw unavailable(name, error);
    }
  }
}

/** What is in the making, or going. */
const UNLISTED_FOLDERS = ["tmp", "trash"];

function noEntries(error: unknown): [] {
  if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
  throw error;
}

function noFile(error: unknown): null {
  if (isErrno(error, "ENOENT", "ENOTDIR")) return null;
  throw error;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
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
