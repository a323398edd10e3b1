// A database as immutable collections of records, and states of it that share everything they did not change.
import { dumps } from "./python/format.ts";
import { isDict, type PyDict, type PyValue } from "./python/values.ts";

/** One record with the texts that are derived from it, each made once. Records are shared by all states, so the texts are too. */
export class DatabaseRecord {
  readonly fields: PyDict;
  private readonly texts = new Map<(fields: PyDict) => string, string>();

  constructor(fields: PyDict) {
    this.fields = fields;
  }

  /** The record as the model reads it. */
  get json(): string {
    return this.text(dumps);
  }

  /** `derive(fields)`, remembered by `derive`: pass a function that lives as long as the program. */
  text(derive: (fields: PyDict) => string): string {
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
    this.initialState = new DatabaseState(this, new Map());
  }
}

/** A state: the records that were written since the initial one. Never changes; `with` makes a new state. */
export class DatabaseState {
  readonly database: Database;
  /** By collection and id. A record that was written back to its first value is still here. */
  readonly written: ReadonlyMap<string, Collection>;

  constructor(database: Database, written: ReadonlyMap<string, Collection>) {
    this.database = database;
    this.written = written;
  }

  find(collection: string, id: string): DatabaseRecord | undefined {
    return this.written.get(collection)?.get(id) ?? this.database.collections.get(collection)?.get(id);
  }

  with(collection: string, id: string, record: DatabaseRecord): DatabaseState {
    const records = new Map(this.written.get(collection)).set(id, record);
    return new DatabaseState(this.database, new Map(this.written).set(collection, records));
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
