// Reading records by ids that a model wrote: any JSON value, which Python treats as a dict key.
import type { DatabaseRecord, Draft } from "./database.ts";
import { repr } from "./python/format.ts";
import { has } from "./python/operations.ts";
import { dict, isList, type PyDict, PyError, type PyList, type PyValue, typeName } from "./python/values.ts";

const NO_KEYS = dict();

/** The record when `id in collection`. Throws TypeError for an unhashable id. */
export function findRecord(draft: Draft, collection: string, id: PyValue): DatabaseRecord | undefined {
  if (typeof id === "string") return draft.find(collection, id);
  has(NO_KEYS, id);
  return undefined;
}

/** The record of an id that the database itself holds. Throws KeyError as Python does when there is none. */
export function recordFields(draft: Draft, collection: string, id: PyValue): PyDict {
  const record = findRecord(draft, collection, id);
  if (record === undefined) throw new PyError("KeyError", repr(id));
  return record.fields;
}

/** `list.append(item)` or `list.extend(items)` on a value that a model may have made something else than a list. */
export function appendAll(list: PyValue, items: PyList, method: "append" | "extend"): PyList {
  if (!isList(list)) throw new PyError("AttributeError", `'${typeName(list)}' object has no attribute '${method}'`);
  return [...list, ...items];
}
