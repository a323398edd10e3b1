// When two tool calls say the same thing: when the tool would do the same. Empty values say nothing, the order of keys and of lists of
// objects neither, and numbers are equal by value, to the last digit. A string is read as a number only where the tool's schema says that
// the argument is one: "00123" and 123 are two ids to most tools. methods.md 13.6, narrowed by docs/decisions/2026-11-30-equal-arguments.md.
import { canonicalNumber, type ExactJson, type ExactObject, isExactObject, NumberText, parseArguments, parseExact } from "../exact-json.ts";
import { JsonSchema, type SchemaSource } from "./json-schema.ts";

/** Canonical arguments: key -> canonical text of its value. Null when the text is no JSON object. */
export type CanonicalArguments = ReadonlyMap<string, string> | null;

/**
 * What to do with a string whose type no schema tells and that is a number, a list or an object once more: `exact` takes it as the string
 * that it is, `lenient` as what stands in it. Calls that are equal in the lenient reading alone are in doubt.
 */
export type Reading = "exact" | "lenient";

const NUMERIC = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

const BRACKET = /^\s*[[{]/;

/** Canonical form of a call's argument text under the JSON schema of its tool, where one is known. */
export function canonicalArguments(argumentsJson: string, schema?: SchemaSource, reading: Reading = "exact"): CanonicalArguments {
  const parsed = parseArguments(argumentsJson);
  return parsed === null ? null : new Map(canonicalEntries(parsed, JsonSchema.of(schema), reading));
}

/** True when both are objects with the same canonical keys and values. Symmetric and transitive; unparsable arguments equal nothing. */
export function equalArguments(a: CanonicalArguments, b: CanonicalArguments): boolean {
  if (a === null || b === null || a.size !== b.size) return false;
  return [...a].every(([key, value]) => b.get(key) === value);
}

/** Canonical texts of the values that say nothing. */
const EMPTY: ReadonlySet<string> = new Set(["null", '""', "[]", "{}"]);

/** Keys in order, those whose values are empty left out. */
function canonicalEntries(object: ExactObject, schema: JsonSchema, reading: Reading): [string, string][] {
  return Object.entries(object)
    .map(([key, value]): [string, string] => [key, canonicalText(value, schema.property(key), reading)])
    .filter(([, text]) => !EMPTY.has(text))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function canonicalText(value: ExactJson, schema: JsonSchema, reading: Reading): string {
  if (typeof value === "string") return canonicalString(value, schema, reading);
  if (typeof value === "number" || value instanceof NumberText) return canonicalNumber(String(value));
  if (isExactObject(value)) {
    const entries = canonicalEntries(value, schema, reading);
    return `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}`;
  }
  return value === null || typeof value === "boolean" ? String(value) : canonicalList(value, schema, reading);
}

function canonicalString(text: string, schema: JsonSchema, reading: Reading): string {
  const isLenient = reading === "lenient" && !schema.isKnown;
  if ((schema.isNumber || isLenient) && NUMERIC.test(text)) return canonicalNumber(text);
  const inner = isLenient ? listOrObject(text) : null;
  return inner === null ? JSON.stringify(text) : canonicalText(inner, schema, reading);
}

/** Null for other text. */
function listOrObject(text: string): ExactJson | null {
  return BRACKET.test(text) ? (parseExact(text) ?? null) : null;
}

function canonicalList(list: readonly ExactJson[], schema: JsonSchema, reading: Reading): string {
  const texts = list.map((item) => canonicalText(item, schema.item(), reading));
  const isUnordered = schema.isSet || list.every(isExactObject);
  return `[${(isUnordered ? texts.sort() : texts).join(",")}]`;
}
