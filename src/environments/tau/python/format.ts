// How Python prints values: repr, str, json.dumps. Byte-exact, since the model and the benchmark's hash read these texts.
import { isNonPrintable } from "./printable.ts";
import { isDict, isList, type PyDict, PyFloat, type PyValue } from "./values.ts";

/** `repr(float)`: the shortest text that reads back, with an exponent below 1e-4 and from 1e16 on. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const magnitude = Math.abs(value);
  if (value === 0 || (magnitude >= 1e-4 && magnitude < 1e16)) {
    const text = String(value);
    return text.includes(".") ? text : `${text}.0`;
  }
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  return `${digits}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, "0")}`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const PLAIN_ASCII = /^[ !#-&(-[\]-~]*$/;

/** `repr(str)` */
export function stringRepr(text: string): string {
  if (PLAIN_ASCII.test(text)) return `'${text}'`;
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = quote;
  for (const character of text) out += reprCharacter(character, quote);
  return out + quote;
}

function reprCharacter(character: string, quote: string): string {
  if (character === quote) return `\\${quote}`;
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (!isNonPrintable(code)) return character;
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

const hex = (code: number, width: number) => code.toString(16).padStart(width, "0");

/** `repr(value)` */
export function repr(value: PyValue): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return stringRepr(value);
  if (value instanceof PyFloat) return floatRepr(value.value);
  if (isList(value)) return `[${value.map(repr).join(", ")}]`;
  if (isDict(value)) return `{${Array.from(value, ([key, item]) => `${stringRepr(key)}: ${repr(item)}`).join(", ")}}`;
  return String(value);
}

/** `str(value)`, also what an f-string prints. */
export function str(value: PyValue): string {
  return typeof value === "string" ? value : repr(value);
}

const PLAIN_JSON = /^[ !#-[\]-~]*$/;

/** True for text that stands in JSON as it is, between quotes. */
export function isPlainJson(text: string): boolean {
  return PLAIN_JSON.test(text);
}

/** `json.dumps(text)`: everything beyond ASCII escaped per UTF-16 unit. */
export function jsonString(text: string): string {
  if (isPlainJson(text)) return `"${text}"`;
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);
}

/** `json.dumps(value)` with the default separators, in insertion order. Dicts remember their text, so an unchanged part is printed once. */
export function dumps(value: PyValue): string {
  if (typeof value === "string") return jsonString(value);
  if (value === null) return "null";
  if (typeof value !== "object") return String(value);
  if (isDict(value)) {
    value.jsonText ??= dumpsDict(value);
    return value.jsonText;
  }
  if (value instanceof PyFloat) return jsonFloat(value.value);
  return `[${value.map(dumps).join(", ")}]`;
}

/** `dumps`, but numbers that a double does not hold stay as they were written: for whoever compares what was said, not what Python reads. */
export function dumpsExact(value: PyValue): string {
  if (value instanceof PyFloat) return value.text ?? dumps(value);
  if (isList(value)) return `[${value.map(dumpsExact).join(", ")}]`;
  if (isDict(value)) return `{${Array.from(value, ([key, item]) => `${jsonString(key)}: ${dumpsExact(item)}`).join(", ")}}`;
  return dumps(value);
}

/** Joined at once: a text that grows by appending is a tree that the first reader must flatten. */
function dumpsDict({ entries }: PyDict): string {
  return `{${Array.from(entries, ([key, item]) => `${jsonString(key)}: ${dumps(item)}`).join(", ")}}`;
}

function jsonFloat(value: number): string {
  if (Number.isFinite(value)) return floatRepr(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}
