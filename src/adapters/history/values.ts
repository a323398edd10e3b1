// DuckDB's values as JSON: what --json prints and what a table shows.
import type { Json } from "@duckdb/node-api";

export type PlainValue = string | number | boolean | null | readonly PlainValue[] | { readonly [name: string]: PlainValue };

/** Whole numbers stay numbers while they are exact, else text; instants are ISO 8601 in UTC; NaN and infinities are null. */
export function toPlain(value: unknown): PlainValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(toPlain);
  if (value instanceof Map) return [...value].map(([key, entry]) => ({ key: toPlain(key), value: toPlain(entry) }));
  if (isPlainObject(value)) return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, toPlain(entry)]));
  return String(value as Json);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}
