// One text for values that any writer may have written differently: keys in order, 100.0 as 100, letters with their accents as one.
import { floatRepr, jsonString } from "#environments/tau/python/format.ts";
import { isDict, isList, PyFloat, type PyValue } from "#environments/tau/python/values.ts";

/** One of the forms in which Unicode writes the same letters (NFC). */
export const composed = (text: string): string => text.normalize("NFC");

export function canonicalText(value: PyValue): string {
  if (typeof value === "string") return jsonString(composed(value));
  if (isList(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (value instanceof PyFloat) return value.text ?? (Number.isSafeInteger(value.value) ? String(value.value) : floatRepr(value.value));
  if (!isDict(value)) return String(value);
  const entries = Array.from(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${jsonString(composed(key))}:${canonicalText(item)}`).join(",")}}`;
}
