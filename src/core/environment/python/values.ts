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
export type PyInt = number | bigint;
export type PyValue = null | boolean | string | PyInt | PyFloat | PyList | PyDict;

/** From this many keys on, a dict is searched through an index instead of key by key. */
const INDEXED_SIZE = 24;

/**
 * An immutable Python dict with string keys in insertion order. Two flat arrays: most dicts here have a handful of keys, and a changed
 * copy is then a copy of two short arrays.
 */
export class PyDict {
  private readonly names: readonly string[];
  private readonly items: readonly PyValue[];
  private index: ReadonlyMap<string, number> | null = null;
  /** Remembered by `dumps`. */
  jsonText: string | null = null;

  /** Takes both arrays over; names are distinct. */
  constructor(names: readonly string[], items: readonly PyValue[]) {
    this.names = names;
    this.items = items;
  }

  /** As `dict(entries)`: a later value of the same key takes the place of the earlier one. */
  static from(entries: Iterable<readonly [string, PyValue]>): PyDict {
    const distinct = new Map(entries);
    return new PyDict(Array.from(distinct.keys()), Array.from(distinct.values()));
  }

  get size(): number {
    return this.names.length;
  }

  has(key: string): boolean {
    return this.find(key) >= 0;
  }

  get(key: string): PyValue | undefined {
    const place = this.find(key);
    return place < 0 ? undefined : this.items[place];
  }

  keys(): readonly string[] {
    return this.names;
  }

  values(): readonly PyValue[] {
    return this.items;
  }

  *[Symbol.iterator](): Generator<readonly [string, PyValue]> {
    for (const [place, name] of this.names.entries()) yield [name, this.items[place] ?? null];
  }

  /** A copy with one key set; an existing key keeps its place. */
  with(key: string, value: PyValue): PyDict {
    const place = this.find(key);
    if (place < 0) return new PyDict([...this.names, key], [...this.items, value]);
    const items = this.items.slice();
    items[place] = value;
    const copy = new PyDict(this.names, items);
    copy.index = this.index;
    return copy;
  }

  /** A copy without a key. */
  without(key: string): PyDict {
    const place = this.find(key);
    return place < 0 ? this : new PyDict(this.names.toSpliced(place, 1), this.items.toSpliced(place, 1));
  }

  private find(key: string): number {
    const { names } = this;
    if (names.length < INDEXED_SIZE) {
      for (let place = 0; place < names.length; place += 1) {
        const name = names[place] ?? "";
        // Lengths differ for most names and are compared without a call.
        if (name === key) return place;
      }
      return -1;
    }
    this.index ??= new Map(this.names.map((name, place) => [name, place]));
    return this.index.get(key) ?? -1;
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
  if (typeof value === "object") return new PyDict(Object.keys(value), Object.values(value).map(fromPlain));
  throw new TypeError(`not a JSON value: ${typeof value}`);
}

/** A dict literal; its keys are distinct. */
export function dict(...entries: readonly (readonly [string, PyValue])[]): PyDict {
  return new PyDict(
    entries.map(([key]) => key),
    entries.map(([, value]) => value),
  );
}
