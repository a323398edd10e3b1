// Exact numbers: what people write for a fraction of two whole numbers.
import { bracketed, closingBrace, readArguments, splitOutside } from "./brackets.ts";

/** In lowest terms, the denominator positive. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const WHOLE = String.raw`\d{1,3}(?:,\d{3})+|\d+`;
const DECIMAL = new RegExp(
  String.raw`^(?:(${WHOLE})(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+)|\s*\*\s*10\s*\^\s*(?:\{\s*([+-]?\d+)\s*\}|([+-]?\d+)))?$`,
);
const REPEATING = /^(\d*)\.(\d*)\\overline\s*\{(\d+)\}$/;
const POWER_OF_TEN = /^10\s*\^\s*(?:\{\s*([+-]?\d+)\s*\}|([+-]?\d+))$/;
const MIXED = /^(\d+)(?:\s*(?=\\frac)|\s+(?=\d+\s*\/))(.+)$/s;
/** A power of ten beyond this, and a fraction in more fractions than this, are read as text. */
const [MAX_EXPONENT, MAX_DEPTH] = [1_000, 4];

/**
 * The number that a tidied text is, or null: `-1,234.50`, `1.2e-3`, `1.2 * 10^{3}`, `\frac{3}{4}`, `3/4`, `2\frac12`, `2 1/2`,
 * `0.1\overline{6}`. Sums, products, roots and powers are not worked out: who boxes the question has not answered it.
 */
export function parseRational(text: string, depth = 0): Rational | null {
  const [, sign = "", body = ""] = /^([+-]?)\s*(.*)$/s.exec(text.trim()) ?? [];
  if (depth > MAX_DEPTH || /^[+-]/.test(body)) return null;
  const value = parseUnsigned(body, depth);
  return value === null || sign !== "-" ? value : { ...value, numerator: -value.numerator };
}

function parseUnsigned(text: string, depth: number): Rational | null {
  return parseDecimal(text) ?? parseRepeating(text) ?? parseMixed(text, depth) ?? parseFraction(text, depth) ?? parseGroup(text, depth);
}

function parseDecimal(text: string): Rational | null {
  const power = POWER_OF_TEN.exec(text);
  if (power !== null) return scaled("1", power[1] ?? power[2] ?? "0");
  const [match, whole = "", fraction = "", onlyFraction = "", ...exponents] = DECIMAL.exec(text) ?? [];
  if (match === undefined) return null;
  const decimals = `${fraction}${onlyFraction}`;
  const exponent = exponents.find((one) => one !== undefined) ?? "0";
  return scaled(`${whole.replaceAll(",", "")}${decimals}`, exponent, decimals.length);
}

function scaled(digits: string, exponent: string, numDecimals = 0): Rational | null {
  const power = Number(exponent) - numDecimals;
  if (Math.abs(power) > MAX_EXPONENT) return null;
  return power >= 0 ? ratio(BigInt(digits) * 10n ** BigInt(power), 1n) : ratio(BigInt(digits), 10n ** BigInt(-power));
}

/** x = 0.ab(c): (abc - ab) / (10^3 - 10^2), by the length of what repeats. */
function parseRepeating(text: string): Rational | null {
  const [match, whole = "", fixed = "", repeated = ""] = REPEATING.exec(text) ?? [];
  if (match === undefined) return null;
  const [all, start] = [BigInt(`0${whole}${fixed}${repeated}`), BigInt(`0${whole}${fixed}`)];
  return ratio(all - start, 10n ** BigInt(fixed.length) * (10n ** BigInt(repeated.length) - 1n));
}

/** A whole number and a proper fraction; with an improper one it may be a product, and is none of ours. */
function parseMixed(text: string, depth: number): Rational | null {
  const [match, whole = "", rest = ""] = MIXED.exec(text) ?? [];
  const part = match === undefined ? null : parseFraction(rest, depth);
  if (part === null || part.numerator <= 0n || part.numerator >= part.denominator) return null;
  return ratio(BigInt(whole) * part.denominator + part.numerator, part.denominator);
}

function parseFraction(text: string, depth: number): Rational | null {
  const parts = text.startsWith("\\frac") ? fracArguments(text) : splitOutside(text, (token) => token === "/");
  if (parts?.length !== 2) return null;
  const [above, below] = parts.map((part) => parseRational(part, depth + 1));
  if (!above || !below || below.numerator === 0n) return null;
  return ratio(above.numerator * below.denominator, above.denominator * below.numerator);
}

function fracArguments(text: string): readonly string[] | null {
  const read = readArguments(text.slice("\\frac".length), 2);
  return read?.rest === "" ? read.values : null;
}

function parseGroup(text: string, depth: number): Rational | null {
  if (text.startsWith("{") && closingBrace(text, 0) === text.length - 1) return parseRational(text.slice(1, -1), depth + 1);
  const bracket = bracketed(text);
  return bracket?.open === "(" && bracket.close === ")" && !bracket.inside.includes(",") ? parseRational(bracket.inside, depth + 1) : null;
}

function ratio(numerator: bigint, denominator: bigint): Rational {
  const sign = denominator < 0n ? -1n : 1n;
  const divisor = greatestCommonDivisor(numerator < 0n ? -numerator : numerator, denominator * sign);
  return { numerator: (numerator * sign) / divisor, denominator: (denominator * sign) / divisor };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b];
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}
