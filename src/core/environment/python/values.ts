// Python's JSON values in TypeScript, as far as the benchmark can tell them apart: int and float differ, and dicts keep key order.

/** A Python float. A plain number is always an int, a bigint an int beyond 2^53. */
export class PyFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** Values are immutable: whoever changes one makes a new one. */
export type PyList = readonly PyValue[];
export type PyDict = ReadonlyMap<string, PyValue>;
export type PyInt = number | bigint;
export type PyValue = null | boolean | string | PyInt | PyFloat | PyList | PyDict;

/** An exception of the Python original; `message` is what `str(exception)` gives there. */
export class PyError extends Error {
  override readonly name = "PyError";
  readonly type: "TypeError" | "KeyError" | "ValueError" | "AttributeError" | "IndexError" | "OverflowError" | "ZeroDivisionError" | "SyntaxError" | "RecursionError" | "ValidationError";

  constructor(type: PyError["type"], message: string) {
    super(message);
    this.type = type;
  }
}

export const isList = (value: PyValue): value is PyList => Array.isArray(value);
export const isDict = (value: PyValue): value is PyDict => value instanceof Map;
export const isInt = (value: PyValue): value is PyInt => typeof value === "number" || typeof value === "bigint";

/** `type(value).__name__` */
export function typeName(value: PyValue): string {
  if (value === null) return "NoneType";
  switch (typeof value) {
    case "string":
      return "str";
    case "boolean":
      return "bool";
    case "number":
    case "bigint":
      return "int";
    default:
      return value instanceof PyFloat ? "float" : isList(value) ? "list" : "dict";
  }
}

/** An int in its one representation: a number when it is safe, a bigint beyond. */
export function toInt(value: bigint): PyInt {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** Plain data (objects, arrays, numbers) as Python would read it from JSON: whole numbers are ints. */
export function fromPlain(value: unknown): PyValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : new PyFloat(value);
  if (Array.isArray(value)) return value.map(fromPlain);
  if (typeof value === "object") return new Map(Object.entries(value).map(([key, item]) => [key, fromPlain(item)]));
  throw new TypeError(`not a JSON value: ${typeof value}`);
}

/** A dict literal. */
export function dict(...entries: (readonly [string, PyValue])[]): PyDict {
  return new Map(entries);
}

/** A copy with one key set; an existing key keeps its place. */
export function withKey(base: PyDict, key: string, value: PyValue): PyDict {
  return new Map(base).set(key, value);
}

/** A copy without a key. */
export function withoutKey(base: PyDict, key: string): PyDict {
  const copy = new Map(base);
  copy.delete(key);
  return copy;
}
