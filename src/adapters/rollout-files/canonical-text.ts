// One text for values that any JSON writer may have written differently: keys in order, and 100.0 as 100.
import { floatRepr, jsonString } from "#environments/tau/python/format.ts";
import { isDict, isList, PyFloat, type PyValue } from "#environments/tau/python/values.ts";

export function canonicalText(value: PyValue): string {
  if (typeof value === "string") return jsonString(value);
  if (isList(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (value instanceof PyFloat) return value.text ?? (Number.isSafeInteger(value.value) ? String(value.value) : floatRepr(value.value));
  if (!isDict(value)) return String(value);
  const entries = Array.from(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${jsonString(key)}:${canonicalText(item)}`).join(",")}}`;
}
