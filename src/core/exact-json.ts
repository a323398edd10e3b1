// JSON that keeps its numbers as they are written: `JSON.parse` rounds 2512292042121000001 to another ticket, and turns 1.0 into 1.

/** Standard in the language, not yet in TypeScript's library. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

/** A number that a double would write otherwise, as its text. `String` and `JSON.stringify` write that text back. */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
  toJSON(): object {
    return rawJSON(this.text);
  }
}

export type ExactJson = null | boolean | string | number | NumberText | readonly ExactJson[] | ExactObject;
export interface ExactObject {
  readonly [key: string]: ExactJson;
}

export function isExactObject(value: ExactJson): value is ExactObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

/** The value of a JSON text, or undefined when it is none. */
export function parseExact(text: string): ExactJson | undefined {
  return parseNumbers(text, (written) => (String(Number(written)) === written ? Number(written) : new NumberText(written))) as
    | ExactJson
    | undefined;
}

/** True for the texts by which endpoints say that a call has no arguments: "", white space and null. They mean what `{}` means. */
export function isNoArguments(text: string): boolean {
  return /^\s*(?:null\s*)?$/.test(text);
}

/** The arguments of a call; null when they are no JSON object. */
export function parseArguments(text: string): ExactObject | null {
  if (isNoArguments(text)) return {};
  const value = parseExact(text);
  return value !== undefined && isExactObject(value) ? value : null;
}

/** As `parseArguments`, for putting arguments into words: numbers are plain text, 2.0 being "2". */
export function spokenArguments(text: string): Readonly<Record<string, unknown>> {
  const value = parseNumbers(text, canonicalNumber);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

function parseNumbers(text: string, read: (number: string) => unknown): unknown {
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" ? read(context?.source ?? String(value)) : value;
  try {
    return JSON.parse(text, revive);
  } catch {
    return undefined;
  }
}

const NUMBER = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/;
/** Beyond this many digits before or after its point a number is written with an exponent. */
const MAX_PLAIN_DIGITS = 100n;

/**
 * The one text of a decimal number, exact however many digits it has: equal values, equal text. `1.0`, `+1` and `10e-1` are `1`; `-0` is
 * `0`. `text` is a number as JSON writes it, or with a sign, leading zeros or a bare point.
 */
export function canonicalNumber(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return "0";
  let length = digits.length;
  while (digits[length - 1] === "0") length -= 1;
  /** Digits before the point, were there no exponent. */
  const point = BigInt(digits.length - fraction.length) + BigInt(exponent);
  return `${sign === "-" ? "-" : ""}${withPoint(digits.slice(0, length), point)}`;
}

/** 0.SIGNIFICANT times ten to the power of `point`. */
function withPoint(significant: string, point: bigint): string {
  const length = BigInt(significant.length);
  if (point > length + MAX_PLAIN_DIGITS || point < -MAX_PLAIN_DIGITS) return `${significant}e${point - length}`;
  const place = Number(point);
  if (place <= 0) return `0.${"0".repeat(-place)}${significant}`;
  if (place >= significant.length) return significant.padEnd(place, "0");
  return `${significant.slice(0, place)}.${significant.slice(place)}`;
}
