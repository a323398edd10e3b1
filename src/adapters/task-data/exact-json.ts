// Result files with nothing lost: ints and floats apart, keys in their order, arguments of calls as the text they are.
import { dumps, jsonString } from "#core/environment/python/format.ts";
import { isDict, isList, PyFloat, type PyValue } from "#core/environment/python/values.ts";

const ARGUMENTS: ReadonlySet<string> = new Set(["arguments", "kwargs"]);

/**
 * The value as plain data, to be checked by a schema. The arguments of calls become their JSON text, so that 100 and 100.0 stay apart and no digit is lost;
 * other numbers lose that difference, and ints beyond 2^53 their last digits.
 */
export function toPlain(value: PyValue): unknown {
  if (value instanceof PyFloat) return value.value;
  if (typeof value === "bigint") return Number(value);
  if (isList(value)) return value.map(toPlain);
  if (isDict(value))
    return Object.fromEntries(Array.from(value, ([key, item]) => [key, isArguments(key, item) ? exactText(item) : toPlain(item)]));
  return value;
}

/** As `dumps`, but for numbers that a double does not hold: these stay as they were written. */
function exactText(value: PyValue): string {
  if (value instanceof PyFloat) return value.text ?? dumps(value);
  if (isList(value)) return `[${value.map(exactText).join(", ")}]`;
  if (isDict(value)) return `{${Array.from(value, ([key, item]) => `${jsonString(key)}: ${exactText(item)}`).join(", ")}}`;
  return dumps(value);
}

const isArguments = (key: string, value: PyValue) => ARGUMENTS.has(key) && isDict(value);
