// A database as immutable collections of records, and states of it that share everything they did not change.
import { dumps } from "./python/format.ts";
import { isDict, type PyDict, type PyValue } from "./python/values.ts";

/** One record with the texts that are derived from it, each made once. Records are shared by all states, so the texts are too. */
export class DatabaseRecord {
  readonly fields: PyDict;
  private texts: Map<(fields: PyDict) => string, string> | null = null;

  constructor(fields: PyDict) {
    this.fields = fields;
  }

  /** The record as the model reads it. */
  get json(): string {
    return dumps(this.fields);
  }

  /** `derive(fields)`, remembered by `derive`: pass a function that lives as long as the program. */
  text(derive: (fields: PyDict) => string): string {
    this.texts ??= new Map();
    const known = this.texts.get(derive);
    if (known !== undefined) return known;
    const text = derive(this.fields);
    this.texts.set(derive, text);
    return text;
  }
}

export type Collection = ReadonlyMap<string, DatabaseRecord>;

/** The data that all states of an environment start from. */
export class Database {
  readonly collections: ReadonlyMap<string, Collection>;
  readonly initialState: DatabaseState;

  constructor(collections: ReadonlyMap<string, Collection>) {
    this.collections = collections;
    this.initialState = new DatabaseState(this, []);
  }
}

/** A record that was written since the initial state. */
export interface Change {
  readonly collection: string;
  readonly id: string;
  readonly record: DatabaseRecord;
}

/** A state: the records that were written since the initial one. Never changes; `with` makes a new state. */
export class DatabaseState {
  readonly database: Database;
  /** One per written record, in the order of first writing; a record that was written back to its first value is still here. */
  readonly changes: readonly Change[];

  constructor(database: Database, changes: readonly Change[]) {
    this.database = database;
    this.changes = changes;
  }

  find(collection: string, id: string): DatabaseRecord | undefined {
    const place = this.placeOf(collection, id);
    return place < 0 ? this.database.collections.get(collection)?.get(id) : this.changes[place]?.record;
  }

  with(collection: string, id: string, record: DatabaseRecord): DatabaseState {
    const place = this.placeOf(collection, id);
    const change = { collection, id, record };
    return new DatabaseState(this.database, place < 0 ? [...this.changes, change] : this.changes.with(place, change));
  }

  /** A conversation writes a few records, so they are searched one by one. */
  private placeOf(collection: string, id: string): number {
    const { changes } = this;
    for (let place = 0; place < changes.length; place += 1) {
      const change = changes[place];
      if (change?.id === id && change.collection === collection) return place;
    }
    return -1;
  }
}

/** What a tool works on: one state that moves forward with every write. Writes before an exception stay, as in the benchmark. */
export class Draft {
  state: DatabaseState;

  constructor(state: DatabaseState) {
    this.state = state;
  }

  /** The record, or undefined when there is none under this id. */
  find(collection: string, id: string): DatabaseRecord | undefined {
    return this.state.find(collection, id);
  }

  /** Replaces or adds a record and returns it. */
  put(collection: string, id: string, fields: PyDict): DatabaseRecord {
    const record = new DatabaseRecord(fields);
    this.state = this.state.with(collection, id, record);
    return record;
  }
}

/** A collection from a JSON object of objects; null when it is something else. */
export function collectionFromJson(value: PyValue): Collection | null {
  if (!isDict(value)) return null;
  const records = new Map<string, DatabaseRecord>();
  for (const [id, fields] of value) {
    if (!isDict(fields)) return null;
    records.set(id, new DatabaseRecord(fields));
  }
  return records;
}
