// The arguments of a call as the JSON text of an object, whatever the harness made of them.
import { dumpsExact } from "#environments/tau/python/format.ts";
import { parseEither } from "#environments/tau/python/parse-literal.ts";
import { isDict, isList, PyDict, type PyValue } from "#environments/tau/python/values.ts";
import type { ReadingNote } from "./notes.ts";

export interface ReadArguments {
  /** JSON text of an object, in the words of the source where it was that; else the source's text. */
  readonly text: string;
  readonly note: ReadingNote | null;
}

/** What servers and templates write for a call without arguments. */
const NOTHING = /^\s*(null|None)?\s*$/;
const MAX_ENCODINGS = 3;

/** Arguments as they stand in a message of a file: an object, or text that should be one. */
export function readArguments(value: string | object | null | undefined): ReadArguments {
  if (typeof value !== "string") return { text: JSON.stringify(value ?? {}), note: null };
  if (NOTHING.test(value)) return { text: "{}", note: null };
  return readText(value, 0) ?? { text: value, note: "calls with arguments that are no object" };
}

/** Arguments as they stand in a call that was read from text. */
export function readArgumentsValue(value: PyValue | undefined): ReadArguments {
  if (typeof value === "string" || value === undefined || value === null) return readArguments(value);
  return { text: dumpsExact(value), note: isDict(value) ? null : "calls with arguments that are no object" };
}

/**
 * Arguments whose lists and objects are text once more (`{'ids': "['a', 'b']"}`): whoever wrote the whole as a Python literal did so with its parts.
 * Only where the tool's schema asks for a list or an object; text that the schema knows as text stays.
 */
export function unwrapValues(read: ReadArguments, schema: Readonly<Record<string, unknown>> | undefined): ReadArguments {
  const value = read.note === "calls with arguments as Python literals" ? parseEither(read.text)?.value : undefined;
  if (value === undefined || !isDict(value)) return read;
  const entries = Array.from(value, ([key, item]) => [key, unwrapValue(item, schemaType(schema, key))] as const);
  return { ...read, text: dumpsExact(PyDict.from(entries)) };
}

/** Whether such a part has no schema that says what it is: then it stays text, and equals no list. */
export function hasOpenValues(read: ReadArguments, schema: Readonly<Record<string, unknown>> | undefined): boolean {
  const value = read.note === "calls with arguments as Python literals" ? parseEither(read.text)?.value : undefined;
  if (value === undefined || !isDict(value)) return false;
  return Array.from(value, ([key, item]) => schemaType(schema, key) === undefined && isListText(item)).includes(true);
}

function isListText(item: PyValue): boolean {
  const inner = typeof item === "string" ? parseEither(item)?.value : undefined;
  return inner !== undefined && (isList(inner) || isDict(inner));
}

function unwrapValue(value: PyValue, type: unknown): PyValue {
  if (typeof value !== "string" || (type !== "array" && type !== "object")) return value;
  const inner = parseEither(value)?.value;
  return inner !== undefined && (type === "array" ? isList(inner) : isDict(inner)) ? inner : value;
}

/** The type of a parameter; undefined where the schema does not say. */
export function schemaType(schema: Readonly<Record<string, unknown>> | undefined, key: string): unknown {
  const properties = schema?.["properties"] as Readonly<Record<string, { readonly type?: unknown } | undefined>> | undefined;
  return properties?.[key]?.type;
}

function readText(text: string, numEncodings: number): ReadArguments | null {
  const parsed = parseEither(text);
  if (parsed === null) return null;
  const { value, isJson } = parsed;
  if (isDict(value)) return isJson ? { text, note: null } : { text: dumpsExact(value), note: "calls with arguments as Python literals" };
  if (typeof value !== "string" || numEncodings === MAX_ENCODINGS) return null;
  const inner = readText(value, numEncodings + 1);
  return inner === null ? null : { text: inner.text, note: "calls with arguments encoded twice" };
}
