// When two tool calls say the same thing. The canonical form of arguments drops empty values, reads numeric strings as numbers
// where the tool's schema does not ask for a string, and forgets the order of lists of objects. methods.md 13.6.
import { canonicalJson } from "../canonical-json.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Schema = Readonly<Record<string, unknown>> | undefined;

/** Canonical arguments: key -> canonical JSON text of its value. Null when the text is no JSON object. */
export type CanonicalArguments = ReadonlyMap<string, string> | null;

const NUMERIC = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/** Canonical form of a call's argument text under the JSON schema of its tool; without a schema every numeric string is a number. */
export function canonicalArguments(argumentsJson: string, schema?: Schema): CanonicalArguments {
  const parsed = parseJson(argumentsJson);
  if (parsed === undefined || !isObject(parsed)) return null;
  const properties = schemaMap(schema?.["properties"]);
  return new Map(
    Object.entries(parsed)
      .map(([key, value]) => [key, canonicalValue(value, properties[key])] as const)
      .filter(([, value]) => !isEmpty(value))
      .map(([key, value]) => [key, canonicalJson(value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** True when both are objects with the same canonical keys and values. Symmetric and reflexive; unparsable arguments equal nothing. */
export function equalArguments(a: CanonicalArguments, b: CanonicalArguments): boolean {
  if (a === null || b === null || a.size !== b.size) return false;
  return [...a].every(([key, value]) => b.get(key) === value);
}

/** Schema-aware equality of two JSON values: `1` equals `"1"` and `1.0`, never `true`. */
export function deepEqual(a: unknown, b: unknown, schema?: Schema): boolean {
  return canonicalJson(canonicalValue(a as Json, schema)) === canonicalJson(canonicalValue(b as Json, schema));
}

function canonicalValue(value: Json, schema: Schema): Json {
  if (typeof value === "string") return schema?.["type"] === "string" ? value.toWellFormed() : readNumber(value.toWellFormed());
  if (Array.isArray(value)) return canonicalList(value, schema);
  if (isObject(value)) return canonicalObject(value, schema);
  return value;
}

function readNumber(text: string): string | number {
  const value = NUMERIC.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : text;
}

function canonicalObject(value: { readonly [key: string]: Json }, schema: Schema): Json {
  const properties = schemaMap(schema?.["properties"]);
  const entries = Object.entries(value).map(([key, item]) => [key.toWellFormed(), canonicalValue(item, properties[key])] as const);
  return Object.fromEntries(entries.filter(([, item]) => !isEmpty(item)));
}

function canonicalList(list: readonly Json[], schema: Schema): Json {
  const items = list.map((item) => canonicalValue(item, schemaOf(schema?.["items"])));
  const isUnordered = schema?.["uniqueItems"] === true || items.every(isObject);
  return isUnordered
    ? items
        .map((item) => ({ item, text: canonicalJson(item) }))
        .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
        .map(({ item }) => item)
    : items;
}

function isEmpty(value: Json): boolean {
  if (value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function schemaOf(value: unknown): Schema {
  return typeof value === "object" && value !== null ? (value as Schema) : undefined;
}

function schemaMap(value: unknown): Readonly<Record<string, Schema>> {
  return (schemaOf(value) ?? {}) as Readonly<Record<string, Schema>>;
}
