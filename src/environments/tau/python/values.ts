// Python's JSON values in TypeScript, as far as the benchmark can tell them apart: int and float differ, and dicts keep key order.

/** A Python float. A plain number is always an int, a bigint an int beyond 2^53. */
export class PyFloat {
  readonly value: number;
  /** As it was written, where a double has not all of its digits; Python forgets that. */
  readonly text: string | null;
  constructor(value: number, text: string | null = null) {
    this.value = value;
    this.text = text;
  }
}

/** Values are immutable: whoever changes one makes a new one. */
export type PyList = readonly PyValue[];
export type PyInt = number | bigint;
export type PyValue = null | boolean | string | PyInt | PyFloat | PyList | PyDict;

/** An immutable Python dict with string keys in insertion order. */
export class PyDict {
  readonly entries: ReadonlyMap<string, PyValue>;
  /** Remembered by `dumps`. */
  jsonText: string | null = null;

  /** Takes the map over. */
  constructor(entries: ReadonlyMap<string, PyValue>) {
    this.entries = entries;
  }

  /** As `dict(entries)`: a later value of the same key takes the place of the earlier one. */
  static from(entries: Iterable<readonly [string, PyValue]>): PyDict {
    return new PyDict(new Map(entries));
  }

  get size(): number {
    return this.entries.size;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  get(key: string): PyValue | undefined {
    return this.entries.get(key);
  }

  keys(): string[] {
    return Array.from(this.entries.keys());
  }

  [Symbol.iterator](): MapIterator<[string, PyValue]> {
    return this.entries[Symbol.iterator]();
  }

  /** A copy with one key set; an existing key keeps its place. */
  with(key: string, value: PyValue): PyDict {
    return new PyDict(new Map(this.entries).set(key, value));
  }

  /** A copy without a key. */
  without(key: string): PyDict {
    const entries = new Map(this.entries);
    return entries.delete(key) ? new PyDict(entries) : this;
  }
}

/** An exception of the Python original; `message` is what `str(exception)` gives there. */
export class PyError extends Error {
  override readonly name = "PyError";
  readonly type:
    | "TypeError"
    | "KeyError"
    | "ValueError"
    | "AttributeError"
    | "IndexError"
    | "OverflowError"
    | "ZeroDivisionError"
    | "SyntaxError"
    | "RecursionError"
    | "ValidationError";

  constructor(type: PyError["type"], message: string) {
    // Nobody reads the trace of a simulated exception, and collecting it costs more than most tools.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
    this.type = type;
  }
}

export const isList = (value: PyValue): value is PyList => Array.isArray(value);
export const isDict = (value: PyValue): value is PyDict => value instanceof PyDict;
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
  if (typeof value === "object") return PyDict.from(Object.entries(value).map(([key, item]) => [key, fromPlain(item)]));
  throw new TypeError(`not a JSON value: ${typeof value}`);
}

/** A dict literal. */
export function dict(...entries: readonly (readonly [string, PyValue])[]): PyDict {
  return PyDict.from(entries);
}
