// A record as text for a hash or a comparison. Four dialects: the two benchmarks', the language-neutral one, and the state hash's own.
import { dumps, floatRepr, isPlainJson, repr, stringRepr } from "./python/format.ts";
import { compareStrings } from "./python/operations.ts";
import { isDict, isList, type PyDict, PyFloat, type PyValue } from "./python/values.ts";

/** tau-bench's `str(to_hashable(value))`: dicts as sorted tuples of pairs, lists as tuples. Keeps 1 and 1.0 apart. */
export function tauText(value: PyValue): string {
  if (isDict(value)) return tuple(sortedEntries(value, (key, item) => `(${stringRepr(key)}, ${tauText(item)})`));
  if (isList(value)) return tuple(value.map(tauText));
  return repr(value);
}

/** A Python tuple of printed elements. */
function tuple(elements: readonly string[]): string {
  return elements.length === 1 ? `(${elements[0]},)` : `(${elements.join(", ")})`;
}

/** Canonical JSON: sorted keys, no spaces, every number as a double in ECMAScript form. Does not keep 1 and 1.0 apart. */
export function canonicalText(value: PyValue): string {
  return canonical(value, (number) => JSON.stringify(Number(number instanceof PyFloat ? number.value : number)));
}

/** Canonical JSON with numbers as Python prints them, so that 1 and 1.0 differ. What state hashes are made of. */
export function typedCanonicalText(value: PyValue): string {
  return canonical(value, (number) => (number instanceof PyFloat ? floatRepr(number.value) : String(number)));
}

function canonical(value: PyValue, printNumber: (number: number | bigint | PyFloat) => string): string {
  if (typeof value === "string") return quote(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (isDict(value)) return `{${sortedEntries(value, (key, item) => `${quote(key)}:${canonical(item, printNumber)}`).join(",")}}`;
  if (isList(value)) return `[${value.map((item) => canonical(item, printNumber)).join(",")}]`;
  return printNumber(value);
}

const quote = (text: string) => (isPlainJson(text) ? `"${text}"` : JSON.stringify(text));

/** tau2-bench's `json.dumps(value, sort_keys=True)`. */
export function sortedJsonText(value: PyValue): string {
  if (isDict(value)) return `{${sortedEntries(value, (key, item) => `${dumps(key)}: ${sortedJsonText(item)}`).join(", ")}}`;
  if (isList(value)) return `[${value.map(sortedJsonText).join(", ")}]`;
  return dumps(value);
}

/** The printed entries in the code point order of their keys. */
function sortedEntries(dict: PyDict, print: (key: string, value: PyValue) => string): string[] {
  return dict
    .keys()
    .toSorted(compareStrings)
    .map((key) => print(key, dict.get(key) ?? null));
}
