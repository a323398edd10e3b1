// Python's operators on JSON values, with the words of CPython 3.11's exceptions. Only what the benchmark's tools use.
import { repr } from "./format.ts";
import { isDict, isInt, isList, PyDict, PyError, PyFloat, type PyList, type PyValue, toInt, typeName } from "./values.ts";

const typeError = (message: string) => new PyError("TypeError", message);
const unsupported = (operator: string, left: PyValue, right: PyValue) =>
  typeError(`unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`);

/** A dict key as Python checks it: lists and dicts cannot be one. Values that are no strings are in no JSON dict: null. */
function hashableKey(key: PyValue): string | null {
  if (typeof key === "string") return key;
  if (typeof key === "object" && key !== null && !(key instanceof PyFloat)) throw typeError(`unhashable type: '${typeName(key)}'`);
  return null;
}

/** `key in dict` */
export function has(container: PyDict, key: PyValue): key is string {
  const text = hashableKey(key);
  return text !== null && container.has(text);
}

/** `container[key]` for any container. Throws KeyError, TypeError or IndexError as Python does. */
export function getItem(container: PyValue, key: PyValue): PyValue {
  if (container instanceof PyDict) {
    const text = hashableKey(key);
    const value = text === null ? undefined : container.get(text);
    if (value === undefined) throw new PyError("KeyError", repr(key));
    return value;
  }
  if (isList(container)) return sequenceItem(container, key, "list", `list indices must be integers or slices, not ${typeName(key)}`);
  if (typeof container === "string") {
    return sequenceItem(Array.from(container), key, "string", `string indices must be integers, not '${typeName(key)}'`);
  }
  throw typeError(`'${typeName(container)}' object is not subscriptable`);
}

function sequenceItem(items: PyList, key: PyValue, kind: string, message: string): PyValue {
  const index = typeof key === "boolean" ? Number(key) : key;
  if (index === null || !isInt(index)) throw typeError(message);
  const value = items.at(Number(index));
  if (value === undefined || Number(index) < -items.length) throw new PyError("IndexError", `${kind} index out of range`);
  return value;
}

/** `len(value)` */
export function len(value: PyValue): number {
  if (isList(value)) return value.length;
  if (isDict(value)) return value.size;
  if (typeof value === "string") return codePointLength(value);
  throw typeError(`object of type '${typeName(value)}' has no len()`);
}

function codePointLength(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** The items of `for item in value`. */
export function iterate(value: PyValue): Iterable<PyValue> {
  if (isList(value)) return value;
  if (isDict(value)) return value.keys();
  if (typeof value === "string") return value;
  throw typeError(`'${typeName(value)}' object is not iterable`);
}

/** A number for arithmetic: booleans count as ints. Null for anything else. */
function numeric(value: PyValue): number | bigint | PyFloat | null {
  if (typeof value === "boolean") return Number(value);
  return isInt(value) || value instanceof PyFloat ? value : null;
}

/** `float(int)`. Throws OverflowError beyond a double. */
function intToFloat(value: number | bigint): number {
  const float = Number(value);
  if (!Number.isFinite(float)) throw new PyError("OverflowError", "int too large to convert to float");
  return float;
}

const toFloat = (value: number | bigint | PyFloat) => (value instanceof PyFloat ? value.value : intToFloat(value));

interface Arithmetic {
  readonly small: (left: number, right: number) => number;
  readonly big: (left: bigint, right: bigint) => bigint;
}
const ADD: Arithmetic = { small: (left, right) => left + right, big: (left, right) => left + right };
const SUBTRACT: Arithmetic = { small: (left, right) => left - right, big: (left, right) => left - right };
const MULTIPLY: Arithmetic = { small: (left, right) => left * right, big: (left, right) => left * right };

/** The result on numbers, or null when an operand is none. */
function arithmetic(operation: Arithmetic, leftValue: PyValue, rightValue: PyValue): PyValue {
  const left = numeric(leftValue);
  const right = numeric(rightValue);
  if (left === null || right === null) return null;
  if (left instanceof PyFloat || right instanceof PyFloat) return new PyFloat(operation.small(toFloat(left), toFloat(right)));
  if (typeof left === "number" && typeof right === "number") {
    const result = operation.small(left, right);
    if (Number.isSafeInteger(result)) return result === 0 ? 0 : result;
  }
  return toInt(operation.big(BigInt(left), BigInt(right)));
}

/** `left + right`; `operator` is "+" or "+=", which is how the exception names it. */
export function add(left: PyValue, right: PyValue, operator: "+" | "+=" = "+"): PyValue {
  const sum = arithmetic(ADD, left, right);
  if (sum !== null) return sum;
  if (typeof left === "string") {
    if (typeof right === "string") return left + right;
    throw typeError(`can only concatenate str (not "${typeName(right)}") to str`);
  }
  if (isList(left)) {
    if (isList(right)) return [...left, ...right];
    throw typeError(`can only concatenate list (not "${typeName(right)}") to list`);
  }
  throw unsupported(operator, left, right);
}

/** `left - right` */
export function subtract(left: PyValue, right: PyValue, operator: "-" | "-=" = "-"): PyValue {
  const difference = arithmetic(SUBTRACT, left, right);
  if (difference === null) throw unsupported(operator, left, right);
  return difference;
}

/** `left * right` with a number at least on one side; a sequence is repeated. */
export function multiply(left: PyValue, right: PyValue): PyValue {
  const product = arithmetic(MULTIPLY, left, right);
  if (product !== null) return product;
  if (isRepeatable(left)) return repeat(left, right);
  if (isRepeatable(right)) return repeat(right, left);
  throw unsupported("*", left, right);
}

const isRepeatable = (value: PyValue): value is string | PyList => typeof value === "string" || isList(value);

function repeat(sequence: string | PyList, times: PyValue): PyValue {
  const count = numeric(times);
  if (count === null || count instanceof PyFloat) throw typeError(`can't multiply sequence by non-int of type '${typeName(times)}'`);
  const copies = Math.max(0, Math.min(Number(count), 10_000));
  return typeof sequence === "string" ? sequence.repeat(copies) : Array.from({ length: copies }, () => sequence).flat();
}

/** `-value` */
export function negate(value: PyValue): PyValue {
  if (value instanceof PyFloat) return new PyFloat(-value.value);
  const number = numeric(value);
  if (number === null || number instanceof PyFloat) throw typeError(`bad operand type for unary -: '${typeName(value)}'`);
  return typeof number === "bigint" ? toInt(-number) : 0 - number;
}

/** `sum(values)` */
export function sum(values: Iterable<PyValue>): PyValue {
  let total: PyValue = 0;
  for (const value of values) total = add(total, value);
  return total;
}

/** `left == right` */
export function equals(left: PyValue, right: PyValue): boolean {
  if (left === right) return true;
  const leftNumber = numeric(left);
  const rightNumber = numeric(right);
  if (leftNumber !== null && rightNumber !== null) return isSameNumber(plain(leftNumber), plain(rightNumber));
  if (isList(left)) return isList(right) && left.length === right.length && left.every((item, index) => equals(item, right[index] ?? null));
  if (isDict(left))
    return (
      isDict(right) &&
      left.size === right.size &&
      Array.from(left).every(([key, item]) => right.has(key) && equals(item, right.get(key) ?? null))
    );
  return false;
}

/** JavaScript orders bigint and number by mathematical value, as Python does; NaN equals nothing. */
const isSameNumber = (left: number | bigint, right: number | bigint) => left <= right && left >= right;

const plain = (value: number | bigint | PyFloat) => (value instanceof PyFloat ? value.value : value);

/** `left < right` */
export function isLess(left: PyValue, right: PyValue, operator: "<" | ">" = "<"): boolean {
  const leftNumber = numeric(left);
  const rightNumber = numeric(right);
  if (leftNumber !== null && rightNumber !== null) return plain(leftNumber) < plain(rightNumber);
  if (typeof left === "string" && typeof right === "string") return compareStrings(left, right) < 0;
  if (isList(left) && isList(right)) return isLessList(left, right, operator);
  const [first, second] = operator === "<" ? [left, right] : [right, left];
  throw typeError(`'${operator}' not supported between instances of '${typeName(first)}' and '${typeName(second)}'`);
}

/** `left > right` */
export function isGreater(left: PyValue, right: PyValue): boolean {
  return isLess(right, left, ">");
}

function isLessList(left: PyList, right: PyList, operator: "<" | ">"): boolean {
  for (const [index, item] of left.entries()) {
    const other = right[index];
    if (other === undefined) return false;
    if (!equals(item, other)) return isLess(item, other, operator);
  }
  return left.length < right.length;
}

/** Order of strings by code point; JavaScript's own order differs beyond U+FFFF. */
export function compareStrings(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return surrogateLast(a) - surrogateLast(b);
  }
  return left.length - right.length;
}

const surrogateLast = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/** `bool(value)` */
export function isTruthy(value: PyValue): boolean {
  if (value === null || value === false) return false;
  if (isInt(value)) return value !== 0;
  if (value instanceof PyFloat) return value.value !== 0;
  if (typeof value === "string" || isList(value)) return value.length > 0;
  return !isDict(value) || value.size > 0;
}
