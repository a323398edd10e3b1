// What was newly written to a record, by any process: a feed of names with a cursor that outlives its reader.
//
// The feed is built on names alone: what is listed and was not told yet is told. The times of the store only keep the cursor short: it
// says "everything before this moment, and these names were it". When those are no longer the names before that moment (a clock was set
// back, a record was copied or restored), nobody knows what the reader has missed, and it is told everything again.
// So every name is told at least once, whatever the clocks do; and since a manifest is written after the blobs that it names, whoever is
// told of it can read them.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CampaignError } from "#core/errors.ts";
import type { CollectableStore } from "#core/ports.ts";

export interface Change {
  /** Of a manifest. */
  readonly name: string;
  /** Where to go on after this one. */
  readonly cursor: string;
}

export interface ChangesOptions {
  /** The cursor of the last change that was dealt with; null: from the beginning. */
  readonly after: string | null;
  /** Ends the feed. */
  readonly signal: AbortSignal;
  /** Between two looks at the record. At least, and by default, one second. */
  readonly intervalSeconds?: number;
}

const MIN_INTERVAL_SECONDS = 1;

type ManifestTimes = Pick<CollectableStore, "listManifests" | "writtenAt">;

interface Written {
  readonly name: string;
  /** Milliseconds since 1970, by the store's clock. */
  readonly at: number;
}

/**
 * At once what was written after the cursor (also when that is nothing: the reader is up to date), with what nobody can rule out; from then on
 * what each look finds anew, until the signal ends it. Names come in the order of writing, as far as the store's clock tells.
 * Throws contract.invalid for a cursor that is none, and store.* when the store cannot be read: go on from the last cursor.
 */
export async function* followChanges(store: ManifestTimes, options: ChangesOptions): AsyncGenerator<readonly Change[], void, void> {
  const { after, signal, intervalSeconds = MIN_INTERVAL_SECONDS } = options;
  const cursor = after === null ? null : parseCursor(after);
  const known = new Map<string, Written>();
  let told: Set<string> | null = null;
  while (!signal.aborted) {
    const written = await look(store, known);
    const changes: Change[] = [...changesIn(written, told ?? toldBefore(written, cursor))];
    if (changes.length > 0 || told === null) yield changes;
    told = new Set(known.keys());
    await sleep(Math.max(intervalSeconds, MIN_INTERVAL_SECONDS) * 1000, undefined, { signal }).catch(() => undefined);
  }
}

/** All manifests in the order of writing. A time is asked for once. */
async function look(store: ManifestTimes, known: Map<string, Written>): Promise<Written[]> {
  for (const name of await store.listManifests()) {
    const at = known.has(name) ? null : await store.writtenAt(name);
    if (at !== null) known.set(name, { name, at });
  }
  return [...known.values()].sort((one, other) => one.at - other.at || (one.name < other.name ? -1 : 1));
}

/** Those not told yet. A cursor stands before the first name of its moment: names of one moment are told again rather than not at all. */
function* changesIn(written: readonly Written[], told: ReadonlySet<string>): Generator<Change> {
  const before = createHash("sha256");
  let cursor = "";
  for (const [index, { name, at }] of written.entries()) {
    if (index === 0 || written[index - 1]?.at !== at) cursor = formatCursor({ at, digest: before.copy().digest("hex") });
    if (!told.has(name)) yield { name, cursor };
    before.update(`${name}\n`);
  }
}

/** What a cursor has behind it; nothing when it is not the cursor of this record as it is. */
function toldBefore(written: readonly Written[], cursor: Cursor | null): Set<string> {
  const before = written.filter(({ at }) => cursor !== null && at < cursor.at).map(({ name }) => name);
  const digest = createHash("sha256")
    .update(before.map((name) => `${name}\n`).join(""))
    .digest("hex");
  return new Set(digest === cursor?.digest ? before : []);
}

interface Cursor {
  readonly at: number;
  /** sha256 of the names before that moment, in order. */
  readonly digest: string;
}

const formatCursor = ({ at, digest }: Cursor): string => `${at}-${digest}`;

function parseCursor(text: string): Cursor {
  const [, at, digest] = /^(\d+(?:\.\d+)?)-([0-9a-f]{64})$/.exec(text) ?? [];
  if (at !== undefined && digest !== undefined) return { at: Number(at), digest };
  throw new CampaignError("contract.invalid", `not a cursor of a record's changes: ${JSON.stringify(text)}`, {
    next: "give the cursor of a change as it was told, or null for all of them",
  });
}
