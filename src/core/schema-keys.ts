// The keys that a schema knows at a path, and the one that a mistyped key most likely meant.
import type { z } from "zod";

type Schema = z.core.$ZodType;

/** Keys of the objects that may stand there; of a discriminated union those of the alternative that the value names. */
export function keysAt(schema: Schema, path: readonly PropertyKey[], value: unknown): string[] {
  let schemas = unwrap(schema, value);
  let inner = value;
  for (const key of path) {
    inner = typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined;
    schemas = schemas.flatMap((one) => childOf(one, key)).flatMap((one) => unwrap(one, inner));
  }
  return [...new Set(schemas.flatMap((one) => Object.keys(shapeOf(one) ?? {})))];
}

type Definition = z.core.$ZodTypes["_zod"]["def"];
const definitionOf = (schema: Schema): Definition => (schema as z.core.$ZodTypes)._zod.def;

function shapeOf(schema: Schema): Readonly<Record<string, Schema>> | null {
  const definition = definitionOf(schema);
  return definition.type === "object" ? definition.shape : null;
}

function childOf(schema: Schema, key: PropertyKey): Schema[] {
  const definition = definitionOf(schema);
  if (definition.type === "object") return key in definition.shape ? [definition.shape[String(key)] as Schema] : [];
  if (definition.type === "array") return [definition.element];
  if (definition.type === "tuple") return [definition.items[Number(key)] ?? definition.rest].filter((item): item is Schema => item != null);
  return definition.type === "record" ? [definition.valueType] : [];
}

/** Through defaults, options, transforms and unions to the schemas of the value itself. */
function unwrap(schema: Schema, value: unknown): Schema[] {
  const definition = definitionOf(schema);
  if ("innerType" in definition) return unwrap(definition.innerType as Schema, value);
  if (definition.type === "pipe") return [definition.in, definition.out].flatMap((end) => unwrap(end, value));
  if (definition.type === "lazy") return unwrap(definition.getter(), value);
  if (definition.type !== "union") return [schema];
  const all = definition.options.flatMap((option) => unwrap(option, value));
  const key = "discriminator" in definition ? String(definition.discriminator) : null;
  return key === null ? all : all.filter((option) => takes(shapeOf(option)?.[key], value, key));
}

function takes(schema: Schema | undefined, value: unknown, key: string): boolean {
  const definition = schema === undefined ? null : definitionOf(schema);
  const given = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  return definition?.type !== "literal" || (definition.values as unknown[]).includes(given);
}

/** The known key that differs from `key` by letter case, by separators or by at most two letters; null when none is near. */
export function nearest(key: string, known: readonly string[]): string | null {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const distances = known.map((candidate) => ({ candidate, distance: editDistance(plain(key), plain(candidate)) }));
  const [best] = distances.sort((one, other) => one.distance - other.distance);
  return best !== undefined && best.distance <= Math.min(2, Math.floor(plain(key).length / 3)) ? best.candidate : null;
}

/** Levenshtein's distance, after https://en.wikipedia.org/wiki/Levenshtein_distance (two rows). */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(one).entries()) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j += 1) {
      const replaced = (row[j] ?? 0) + (letter === other[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
