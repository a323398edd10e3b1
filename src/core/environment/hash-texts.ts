// A record as text for a hash or a comparison. Three dialects: the benchmark's, the language-neutral one, and the state hash's own.
import { dumps, floatRepr, repr, stringRepr } from "./python/format.ts";
import { compareStrings } from "./python/operations.ts";
import { isDict, isList, PyFloat, type PyDict, type PyValue } from "./python/values.ts";

const sortedEntries = (value: PyDict) => Array.from(value).sort(([left], [right]) => compareStrings(left, right));

/** tau-bench's `str(to_hashable(value))`: dicts as sorted tuples of pairs, lists as tuples. Keeps 1 and 1.0 apart. */
export function tauText(value: PyValue): string {
  if (isDict(value)) return tuple(sortedEntries(value).map(([key, item]) => `(${stringRepr(key)}, ${tauText(item)})`));
  if (isList(value)) return tuple(value.map(tauText));
  return repr(value);
}

/** A Python tuple of printed elements. */
export function tuple(elements: readonly string[]): string {
  return elements.length === 1 ? `(${elements[0]},)` : `(${elements.join(", ")})`;
}

/** Canonical JSON: sorted keys, no spaces, every number as a double in ECMAScript form. Does not keep 1 and 1.0 apart. */
export function canonicalText(value: PyValue): string {
  if (value instanceof PyFloat) return JSON.stringify(value.value);
  if (typeof value === "bigint") return JSON.stringify(Number(value));
  if (isDict(value)) return `{${sortedEntries(value).map(([key, item]) => `${JSON.stringify(key)}:${canonicalText(item)}`).join(",")}}`;
  if (isList(value)) return `[${value.map(canonicalText).join(",")}]`;
  return JSON.stringify(value);
}

/** Canonical JSON with numbers as Python prints them, so that 1 and 1.0 differ. What state hashes are made of. */
export function typedCanonicalText(value: PyValue): string {
  if (value instanceof PyFloat) return floatRepr(value.value);
  if (typeof value === "bigint") return String(value);
  if (isDict(value)) return `{${sortedEntries(value).map(([key, item]) => `${JSON.stringify(key)}:${typedCanonicalText(item)}`).join(",")}}`;
  if (isList(value)) return `[${value.map(typedCanonicalText).join(",")}]`;
  return JSON.stringify(value);
}

/** tau2-bench's `json.dumps(value, sort_keys=True)`. */
export function sortedJsonText(value: PyValue): string {
  if (isDict(value)) return `{${sortedEntries(value).map(([key, item]) => `${dumps(key)}: ${sortedJsonText(item)}`).join(", ")}}`;
  if (isList(value)) return `[${value.map(sortedJsonText).join(", ")}]`;
  return dumps(value);
}
