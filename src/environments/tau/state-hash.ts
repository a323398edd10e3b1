// The hash of a state in microseconds. Definition, in terms of any language:
//   record digest  = sha256 of the record's canonical JSON, numbers printed as Python prints them (1 and 1.0 differ)
//   database       = sha256 of the lines ["collection","id","record digest"] of all records, sorted by collection and id, each ended by \n
//   state          = sha256 of the database's hash and \n, then the same lines for the records that differ from the initial ones
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Change, Database, DatabaseState } from "./database.ts";
import { typedCanonicalText } from "./hash-texts.ts";
import { compareStrings } from "./python/operations.ts";
import type { PyDict } from "./python/values.ts";

const sha256Hex = (text: string) => bytesToHex(sha256(utf8ToBytes(text)));
const digest = (fields: PyDict) => sha256Hex(typedCanonicalText(fields));
const databaseHashes = new WeakMap<Database, string>();

/** Equal states have equal hashes, however they were reached. 64 hexadecimal digits. */
export function stateHash(state: DatabaseState): string {
  const { database, changes } = state;
  const differing = changes.filter(({ collection, id, record }) => {
    return database.collections.get(collection)?.get(id)?.text(digest) !== record.text(digest);
  });
  return sha256Hex(`${databaseHash(database)}\n${lines(differing)}`);
}

/** The hash of the initial database, made once. */
export function databaseHash(database: Database): string {
  const known = databaseHashes.get(database);
  if (known !== undefined) return known;
  const all = Array.from(database.collections, ([collection, records]) =>
    Array.from(records, ([id, record]) => ({ collection, id, record })),
  );
  const hash = sha256Hex(lines(all.flat()));
  databaseHashes.set(database, hash);
  return hash;
}

function lines(records: readonly Change[]): string {
  const sorted = records.toSorted((left, right) => compareStrings(left.collection, right.collection) || compareStrings(left.id, right.id));
  return sorted.map(({ collection, id, record }) => `${JSON.stringify([collection, id, record.text(digest)])}\n`).join("");
}

/** True when both states hold the same records, compared by `recordText`. Looks at written records only. */
export function isSameDatabase(left: DatabaseState, right: DatabaseState, recordText: (fields: PyDict) => string): boolean {
  return coversChanges(left, right, recordText) && coversChanges(right, left, recordText);
}

function coversChanges(left: DatabaseState, right: DatabaseState, recordText: (fields: PyDict) => string): boolean {
  return left.changes.every(({ collection, id, record }) => {
    const other = right.find(collection, id);
    return other === record || other?.text(recordText) === record.text(recordText);
  });
}
