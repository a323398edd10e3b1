// Python's slicing and int(text), as the flight search uses them.
import { repr } from "./format.ts";
import { isList, PyDict, PyError, type PyValue, typeName } from "./values.ts";

/** `value[start:]` */
export function sliceFrom(value: PyValue, start: number): PyValue {
  if (typeof value === "string") return Array.from(value).slice(start).join("");
  if (isList(value)) return value.slice(start);
  if (value instanceof PyDict) throw new PyError("TypeError", "unhashable type: 'slice'");
  throw new PyError("TypeError", `'${typeName(value)}' object is not subscriptable`);
}

const INTEGER = /^[+-]?\p{Nd}+(?:_\p{Nd}+)*$/u;
const PYTHON_SPACE = /^(?:[^\S\ufeff]|[\u001c-\u001f\u0085])+|(?:[^\S\ufeff]|[\u001c-\u001f\u0085])+$/gu;

/** `int(value)` of a short text. Throws ValueError or TypeError as Python does. */
export function parseInteger(value: PyValue): number {
  if (typeof value !== "string") {
    throw new PyError("TypeError", `int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`);
  }
  const text = value.replace(PYTHON_SPACE, "");
  if (!INTEGER.test(text)) throw new PyError("ValueError", `invalid literal for int() with base 10: ${repr(value)}`);
  return Number(text.replaceAll("_", "").replace(/\p{Nd}/gu, (digit) => String(digitValue(digit))));
}

/** Decimal digits stand in unbroken runs of tens, zero first. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  if (code < 0x80) return code - 0x30;
  let start = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(start - 1))) start -= 1;
  return (code - start) % 10;
}

/** `value.lower()` */
export function lower(value: PyValue): string {
  if (typeof value !== "string") throw new PyError("AttributeError", `'${typeName(value)}' object has no attribute 'lower'`);
  return value.toLowerCase();
}
