// Hashes of whole databases, exact to the benchmarks, in milliseconds: texts of records are made once, unchanged stretches are hashed
// once, and a state is hashed from the first stretch that it changed.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Collection, Database, DatabaseState } from "./database.ts";
import { canonicalText, sortedJsonText, tauText } from "./hash-texts.ts";
import { dumps, stringRepr } from "./python/format.ts";
import { compareStrings } from "./python/operations.ts";
import type { PyDict } from "./python/values.ts";

/** A running sha256 that can be forked. */
export interface Sha256Stream {
  update(bytes: Uint8Array): void;
  copy(): Sha256Stream;
  hex(): string;
}

/** sha256 in plain TypeScript; an adapter may bring a faster one. */
function portableSha256(hash = sha256.create()): Sha256Stream {
  return {
    update: (bytes) => void hash.update(bytes),
    copy: () => portableSha256(hash.clone()),
    hex: () => bytesToHex(hash.clone().digest()),
  };
}

/** How a database becomes one text. `numEntries` decides the comma of a one-element tuple. */
export interface HashDialect {
  readonly recordText: (fields: PyDict) => string;
  readonly entry: (id: string, recordText: string) => string;
  readonly separator: string;
  readonly openCollection: (name: string, isFirst: boolean) => string;
  readonly closeCollection: (numEntries: number) => string;
  readonly open: string;
  readonly close: string;
}

/** tau-bench: `sha256(str(to_hashable(data)))`. */
export const TAU: HashDialect = {
  recordText: tauText,
  entry: (id, text) => `(${stringRepr(id)}, ${text})`,
  separator: ", ",
  openCollection: (name, isFirst) => `${isFirst ? "" : ", "}(${stringRepr(name)}, (`,
  closeCollection: (numEntries) => (numEntries === 1 ? ",))" : "))"),
  open: "(",
  close: ")",
};

/** Canonical JSON of the whole database. */
export const CANONICAL: HashDialect = {
  recordText: canonicalText,
  entry: (id, text) => `${JSON.stringify(id)}:${text}`,
  separator: ",",
  openCollection: (name, isFirst) => `${isFirst ? "" : ","}${JSON.stringify(name)}:{`,
  closeCollection: () => "}",
  open: "{",
  close: "}",
};

/** tau2-bench: `sha256(json.dumps(database, sort_keys=True))`. */
export const TAU2: HashDialect = {
  recordText: sortedJsonText,
  entry: (id, text) => `${dumps(id)}: ${text}`,
  separator: ", ",
  openCollection: (name, isFirst) => `${isFirst ? "" : ", "}${dumps(name)}: {`,
  closeCollection: () => "}",
  open: "{",
  close: "}",
};

const RECORDS_PER_STRETCH = 32;

/** Neighbouring records of one collection, in the order of the hash. */
interface Stretch {
  readonly collection: string;
  readonly ids: readonly string[];
  readonly bytes: Uint8Array;
  /** Of the text before this stretch in the initial state. */
  readonly before: Sha256Stream;
}

export class DatabaseHasher {
  private readonly database: Database;
  private readonly dialect: HashDialect;
  private readonly stretches: Stretch[] = [];
  private readonly initialHash: string;

  constructor(database: Database, dialect: HashDialect, newSha256: () => Sha256Stream = portableSha256) {
    this.database = database;
    this.dialect = dialect;
    const hash = newSha256();
    hash.update(utf8ToBytes(dialect.open));
    const names = Array.from(database.collections.keys()).sort(compareStrings);
    for (const [index, name] of names.entries()) {
      hash.update(utf8ToBytes(dialect.openCollection(name, index === 0)));
      this.addStretches(name, database.collections.get(name) ?? new Map(), hash);
    }
    hash.update(utf8ToBytes(dialect.close));
    this.initialHash = hash.hex();
  }

  private addStretches(collection: string, records: Collection, hash: Sha256Stream): void {
    const ids = Array.from(records.keys()).sort(compareStrings);
    for (let start = 0; start === 0 || start < ids.length; start += RECORDS_PER_STRETCH) {
      const stretchIds = ids.slice(start, start + RECORDS_PER_STRETCH);
      const bytes = utf8ToBytes(this.text(this.database.initialState, collection, stretchIds));
      this.stretches.push({ collection, ids: stretchIds, bytes, before: hash.copy() });
      if (start > 0) hash.update(utf8ToBytes(this.dialect.separator));
      hash.update(bytes);
    }
    hash.update(utf8ToBytes(this.dialect.closeCollection(ids.length)));
  }

  private text(state: DatabaseState, collection: string, ids: readonly string[]): string {
    const { dialect } = this;
    return ids.map((id) => dialect.entry(id, state.find(collection, id)?.text(dialect.recordText) ?? "")).join(dialect.separator);
  }

  /** The hash of a state of this database, 64 hexadecimal digits. */
  hash(state: DatabaseState): string {
    const touched = this.touched(state);
    const first = this.stretches.findIndex((stretch) => touched.has(stretch));
    const start = this.stretches[first];
    if (start === undefined) return this.initialHash;
    const hash = start.before.copy();
    for (let index = first; index < this.stretches.length; index += 1) this.update(hash, index, touched, state, index === first);
    hash.update(utf8ToBytes(this.dialect.close));
    return hash.hex();
  }

  private update(
    hash: Sha256Stream,
    index: number,
    touched: ReadonlyMap<Stretch, readonly string[]>,
    state: DatabaseState,
    isStart: boolean,
  ): void {
    const { dialect, stretches } = this;
    const stretch = stretches[index];
    if (stretch === undefined) return;
    const { collection } = stretch;
    const isFirst = stretches[index - 1]?.collection !== collection;
    if (isFirst && !isStart) hash.update(utf8ToBytes(dialect.openCollection(collection, index === 0)));
    if (!isFirst) hash.update(utf8ToBytes(dialect.separator));
    const ids = touched.get(stretch);
    hash.update(ids === undefined ? stretch.bytes : utf8ToBytes(this.text(state, collection, ids)));
    if (stretches[index + 1]?.collection !== collection) hash.update(utf8ToBytes(dialect.closeCollection(this.size(state, collection))));
  }

  /** The stretches that hold written records, each with all its ids in order, added ones included. */
  private touched(state: DatabaseState): Map<Stretch, readonly string[]> {
    const touched = new Map<Stretch, Set<string>>();
    for (const { collection, id } of state.changes) {
      const stretches = this.stretches.filter((stretch) => stretch.collection === collection);
      const home = stretches.findLast((stretch) => compareStrings(stretch.ids[0] ?? "", id) <= 0) ?? stretches[0];
      if (home !== undefined) touched.set(home, (touched.get(home) ?? new Set(home.ids)).add(id));
    }
    return new Map(Array.from(touched, ([stretch, ids]) => [stretch, Array.from(ids).sort(compareStrings)]));
  }

  private size(state: DatabaseState, collection: string): number {
    const base = this.database.collections.get(collection);
    const added = state.changes.filter((change) => change.collection === collection && base?.has(change.id) !== true);
    return (base?.size ?? 0) + added.length;
  }
}

const hashers = new WeakMap<Database, DatabaseHasher>();

/** tau-bench's `consistent_hash(to_hashable(data))`. */
export function tauHash(state: DatabaseState): string {
  const hasher = hashers.get(state.database) ?? new DatabaseHasher(state.database, TAU);
  hashers.set(state.database, hasher);
  return hasher.hash(state);
}
