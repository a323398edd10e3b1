// A record in the memory of one process, for tests and trials: everything that a store must do, in its simplest form.
import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { conflictingName, corruptBlob, missingBlob, missingName, parseManifest } from "#adapters/artifact-store/failures.ts";
import { ChainedJournal } from "#adapters/artifact-store/journal-chain.ts";
import { blobName, checkJournalName, checkManifestName, checkName, checkPrefix } from "#adapters/artifact-store/names.ts";
import type { OpenedStore } from "#adapters/record/open-record.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import type { CollectableStore, StoredBlob, SweptFiles } from "#core/ports.ts";

interface Item<Content> {
  readonly content: Content;
  /** Of a manifest: when it was written. Of a blob: when it was last stored or touched. Milliseconds since 1970. */
  readonly at: number;
}

/** What outlives its stores: hand the same one to several, and they are one record. */
export class MemoryPlace {
  readonly blobs = new Map<string, Item<Uint8Array>>();
  readonly manifests = new Map<string, Item<string>>();
  readonly journals = new Map<string, string>();
}

/** `openRecord("memory:", { ...STORES, "memory:": () => openMemory(place) })` is a record in `place`. */
export function openMemory(place: MemoryPlace): OpenedStore {
  return { store: new MemoryStore(place), journals: { open: (name) => new ChainedJournal(linesIn(place, checkJournalName(name))) } };
}

/** The chain says what belongs together: all that a journal needs is a text that grows. */
const linesIn = ({ journals }: MemoryPlace, name: string) => ({
  read: () => Promise.resolve(journals.get(name) ?? ""),
  append: async (text: string) => void journals.set(name, (journals.get(name) ?? "") + text),
});

class MemoryStore implements CollectableStore {
  readonly #place: MemoryPlace;

  constructor(place: MemoryPlace) {
    this.#place = place;
  }

  async putBlob(bytes: Uint8Array, schema: string): Promise<ArtifactRef> {
    const sha256 = sha256Of(bytes);
    this.#place.blobs.set(sha256, { content: Uint8Array.from(bytes), at: Date.now() }); // a copy: the caller may go on writing into its own
    return { uri: blobName(sha256), sha256, numBytes: bytes.length, schema };
  }

  async putBlobFile(path: string, schema: string): Promise<ArtifactRef> {
    const bytes = await readFile(path).catch((error: unknown) => {
      throw missingName(path, error);
    });
    return await this.putBlob(bytes, schema);
  }

  async getBlob({ sha256 }: ArtifactRef): Promise<Uint8Array> {
    const name = blobName(sha256);
    const bytes = this.#place.blobs.get(sha256)?.content;
    if (bytes === undefined) throw await missingBlob(this, sha256);
    if (sha256Of(bytes) !== sha256) throw corruptBlob(name);
    return Uint8Array.from(bytes);
  }

  async localPath(ref: ArtifactRef): Promise<string> {
    const path = join(await mkdtemp(join(tmpdir(), "turnwise-memory-")), randomUUID());
    await writeFile(path, await this.getBlob(ref), { mode: 0o444 });
    return path;
  }

  async touchBlob(sha256: string): Promise<boolean> {
    const blob = this.#place.blobs.get(sha256);
    if (blob !== undefined) this.#place.blobs.set(sha256, { ...blob, at: Date.now() });
    return blob !== undefined;
  }

  async putOnce(name: string, value: unknown): Promise<void> {
    const text = canonicalJson(value);
    const found = this.#place.manifests.get(checkManifestName(name))?.content;
    if (found === undefined) this.#place.manifests.set(name, { content: text, at: Date.now() });
    else if (found !== text) throw conflictingName(name);
  }

  async read(name: string): Promise<unknown> {
    const text = this.#place.manifests.get(checkName(name))?.content;
    return text === undefined ? null : parseManifest(name, text);
  }

  async list(prefix: string): Promise<string[]> {
    const { blobs, manifests, journals } = this.#place;
    const folder = checkPrefix(prefix);
    const names = [...[...blobs.keys()].map(blobName), ...manifests.keys(), ...journals.keys()].sort();
    return names.filter((name) => folder === "" || name === folder || name.startsWith(`${folder}/`));
  }

  async listFolders(prefix: string): Promise<string[]> {
    const folder = checkPrefix(prefix);
    const below = (await this.list(folder)).map((name) => (folder === "" ? name : name.slice(folder.length + 1)));
    return [...new Set(below.flatMap((name) => (name.includes("/") ? [name.slice(0, name.indexOf("/"))] : [])))];
  }

  async removeJournal(prefix: string): Promise<void> {
    const folder = checkJournalName(checkPrefix(prefix));
    for (const name of await this.list(folder)) this.#place.journals.delete(name);
  }

  async listManifests(): Promise<string[]> {
    return [...this.#place.manifests.keys()].sort();
  }

  async writtenAt(name: string): Promise<number | null> {
    return this.#place.manifests.get(checkManifestName(name))?.at ?? null;
  }

  async *listBlobs(): AsyncIterable<StoredBlob> {
    for (const [sha256, { content, at }] of this.#place.blobs) yield { sha256, numBytes: content.length, touchedAt: at };
  }

  async removeBlob(sha256: string, before: number): Promise<boolean> {
    const blob = this.#place.blobs.get(sha256);
    return blob !== undefined && blob.at <= before && this.#place.blobs.delete(sha256);
  }

  /** A removal here is one step, so none is ever half done. */
  async restoreRemovals(): Promise<void> {}

  /** Nothing here is written piece by piece. */
  async sweepTemporaries(): Promise<SweptFiles> {
    return { count: 0, numBytes: 0 };
  }
}

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
