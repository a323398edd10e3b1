// The keys of dicts, in order: dicts with the same field names share one list of them, and what follows from it.

/** From this many keys on, a list of keys that is not shared is searched through an index instead of key by key. */
const INDEXED_SIZE = 24;
/** Longer lists of keys are not shared; those of records and arguments are short. */
const MAX_SHARED_KEYS = 32;
/** Data and tools have some dozens of shapes; beyond this many, whoever makes up more of them gets unshared ones. */
const MAX_SHAPES = 2000;
let numShapes = 0;
/** Ids have several digits in a row, field names have not; and a shared key stands in JSON as it is. */
const NO_FIELD = /\d{2}|["\\\u0000-\u001f]/;

export class Shape {
  readonly names: readonly string[];
  readonly isShared: boolean;
  /** For `dumps`: each key as it stands before its value. */
  prefixes: readonly string[] | null = null;
  /** The shape with one more key that was asked for last, and what its key looks like in JSON after the opening quote. */
  latest: Shape | null = null;
  readonly quoted: string;
  private next: Map<string, Shape> | null = null;
  private places: ReadonlyMap<string, number> | null = null;

  /** `names` are distinct. */
  constructor(names: readonly string[], isShared = false) {
    this.names = names;
    this.isShared = isShared;
    this.quoted = isShared ? `${names.at(-1)}"` : "";
  }

  placeOf(key: string): number {
    const { names } = this;
    if (this.places === null) {
      if (!this.isShared && names.length < INDEXED_SIZE) return names.indexOf(key);
      this.places = new Map(names.map((name, place) => [name, place]));
    }
    return this.places.get(key) ?? -1;
  }

  /** The shared shape with this key added behind; null when there is none: the key is there already, or is no field name. */
  with(key: string): Shape | null {
    const known = this.next?.get(key);
    if (known !== undefined) {
      this.latest = known;
      return known;
    }
    const isField = this.isShared && this.names.length < MAX_SHARED_KEYS && !NO_FIELD.test(key);
    if (!isField || numShapes >= MAX_SHAPES || this.placeOf(key) >= 0) return null;
    numShapes += 1;
    // As a property name the engine keeps one string for all equal ones, which it then compares by address.
    const [name = key] = Object.keys({ [key]: null });
    const shape = new Shape([...this.names, name], true);
    this.next ??= new Map();
    this.next.set(name, shape);
    this.latest = shape;
    return shape;
  }
}

/** The shape of the empty dict, from which all shared ones come. */
export const EMPTY_SHAPE = new Shape([], true);

/** The shape of these distinct keys, shared where it can be. */
export function shapeOf(names: readonly string[]): Shape {
  let shape = EMPTY_SHAPE;
  for (const name of names) {
    const next = shape.with(name);
    if (next === null) return new Shape(names);
    shape = next;
  }
  return shape;
}
