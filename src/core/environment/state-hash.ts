// The hash of a state in microseconds. Definition, in terms of any language:
//   record digest  = sha256 of the record's canonical JSON, numbers printed as Python prints them (1 and 1.0 differ)
//   database       = sha256 of the lines ["collection","id","record digest"] of all records, sorted by collection and id, each ended by \n
//   state          = sha256 of the database's hash and \n, then the same lines for the records that differ from the initial ones
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Collection, Database, DatabaseState } from "./database.ts";
import { typedCanonicalText } from "./hash-texts.ts";
import { compareStrings } from "./python/operations.ts";
import type { PyDict } from "./python/values.ts";

const sha256Hex = (text: string) => bytesToHex(sha256(utf8ToBytes(text)));
const digest = (fields: PyDict) => sha256Hex(typedCanonicalText(fields));
const databaseHashes = new WeakMap<Database, string>();

/** Equal states have equal hashes, however they were reached. 64 hexadecimal digits. */
export function stateHash(state: DatabaseState): string {
  const lines = recordLines(state.written, (collection, id, text) => {
    return state.database.collections.get(collection)?.get(id)?.text(digest) === text;
  });
  return sha256Hex(`${databaseHash(state.database)}\n${lines}`);
}

/** The hash of the initial database, made once. */
export function databaseHash(database: Database): string {
  const known = databaseHashes.get(database);
  if (known !== undefined) return known;
  const hash = sha256Hex(recordLines(database.collections, () => false));
  databaseHashes.set(database, hash);
  return hash;
}

function recordLines(collections: ReadonlyMap<string, Collection>, isSkipped: (collection: string, id: string, digest: string) => boolean): string {
  let lines = "";
  for (const name of Array.from(collections.keys()).sort(compareStrings)) {
    const records = collections.get(name) ?? new Map();
    for (const id of Array.from(records.keys()).sort(compareStrings)) {
      const text = records.get(id)?.text(digest) ?? "";
      if (!isSkipped(name, id, text)) lines += `${JSON.stringify([name, id, text])}\n`;
    }
  }
  return lines;
}

/** True when both states hold the same records, compared by `recordText`. Looks at written records only. */
export function isSameDatabase(left: DatabaseState, right: DatabaseState, recordText: (fields: PyDict) => string): boolean {
  return coversChanges(left, right, recordText) && coversChanges(right, left, recordText);
}

function coversChanges(left: DatabaseState, right: DatabaseState, recordText: (fields: PyDict) => string): boolean {
  for (const [collection, records] of left.written) {
    for (const [id, record] of records) {
      const other = right.find(collection, id);
      if (other !== record && other?.text(recordText) !== record.text(recordText)) return false;
    }
  }
  return true;
}
