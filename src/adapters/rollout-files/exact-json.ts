// Result files with nothing lost: ints and floats apart, keys in their order, arguments of calls as the text they are.
import { dumpsExact } from "#environments/tau/python/format.ts";
import { isDict, isList, PyFloat, type PyValue } from "#environments/tau/python/values.ts";

const ARGUMENTS: ReadonlySet<string> = new Set(["arguments", "kwargs", "args"]);

/**
 * The value as plain data, to be checked by a schema. The arguments of calls become their JSON text, so that 100 and 100.0 stay apart and no digit is lost;
 * of other numbers, ints beyond 2^53 become their text, so that ids keep their digits, and floats what a double holds.
 */
export function toPlain(value: PyValue): unknown {
  if (value instanceof PyFloat) return value.value;
  if (typeof value === "bigint") return String(value);
  if (isList(value)) return value.map(toPlain);
  if (isDict(value))
    return Object.fromEntries(Array.from(value, ([key, item]) => [key, isArguments(key, item) ? dumpsExact(item) : toPlain(item)]));
  return value;
}

const isArguments = (key: string, value: PyValue) => ARGUMENTS.has(key) && isDict(value);
