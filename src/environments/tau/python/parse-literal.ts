// Python's literals as `ast.literal_eval` reads them, as far as JSON has a value for them: what `str(dict)` writes where JSON was meant.
// JSON's own words true, false and null are read too, since hands mix them. Sets, bytes, complex numbers, nan and inf have no JSON value.
import { canonicalNumber } from "#core/exact-json.ts";
import { floatOf, parseJson } from "./parse-json.ts";
import { PyDict, PyError, type PyValue, toInt } from "./values.ts";

const MAX_DEPTH = 200;
const MAX_INT_DIGITS = 4300;
const BLANK = /\s*/y;
const NUMBER = /([-+]?)(?:(\d+(?:_\d+)*)(?![\d.eE_jJ])|((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\d.jJ_]))/y;
const WORD = /[A-Za-z_]+/y;
const PLAIN = /[^'"\\\n]+/y;
const WORDS: Readonly<Record<string, null | boolean>> = { None: null, null: null, True: true, true: true, False: false, false: false };
const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * The value of a literal; tuples become lists, and of equal keys the later one counts.
 *
 * throws  PyError "ValueError" with the place where the text stops being a literal that JSON has a value for
 */
export function parseLiteral(text: string): PyValue {
  return new LiteralReader(text).document();
}

/** The value of a text that is JSON or, failing that, a Python literal, and which of the two it was; null when it is neither. */
export function parseEither(text: string): { readonly value: PyValue; readonly isJson: boolean } | null {
  const json = attempt(parseJson, text);
  if (json !== undefined) return { value: json, isJson: true };
  const literal = attempt(parseLiteral, text);
  return literal === undefined ? null : { value: literal, isJson: false };
}

function attempt(parse: (text: string) => PyValue, text: string): PyValue | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof PyError) return undefined;
    throw error;
  }
}

class LiteralReader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): PyValue {
    const value = this.value(0);
    this.skip();
    if (this.at < this.text.length) this.fail();
    return value;
  }

  private value(depth: number): PyValue {
    if (depth > MAX_DEPTH) this.fail();
    this.skip();
    const next = this.text[this.at];
    if (next === "{") return this.dict(depth);
    if (next === "[" || next === "(") return this.list(depth, next === "[" ? "]" : ")");
    if (next === "'" || next === '"') return this.string(next);
    const word = this.match(WORD)?.[0];
    if (word === undefined) return this.number();
    const value = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    return value === undefined ? this.fail() : value;
  }

  private dict(depth: number): PyDict {
    const entries: [string, PyValue][] = [];
    this.sequence("}", () => {
      this.skip();
      const quote = this.text[this.at];
      if (quote !== "'" && quote !== '"') return this.fail();
      const key = this.string(quote);
      this.expect(":");
      entries.push([key, this.value(depth + 1)]);
    });
    return PyDict.from(entries);
  }

  /** In brackets, one item without a comma is no tuple but the item itself: JSON has no list for it. */
  private list(depth: number, end: "]" | ")"): PyValue {
    const items: PyValue[] = [];
    const hasComma = this.sequence(end, () => items.push(this.value(depth + 1)));
    return end === ")" && items.length === 1 && !hasComma ? (items[0] ?? null) : items;
  }

  /** Items up to `end`, with commas between them and perhaps behind the last one. True when there was a comma. */
  private sequence(end: string, item: () => void): boolean {
    this.at += 1;
    let hasComma = false;
    for (;;) {
      this.skip();
      if (this.text[this.at] === end) break;
      item();
      this.skip();
      if (this.text[this.at] !== ",") break;
      hasComma = true;
      this.at += 1;
    }
    this.expect(end);
    return hasComma;
  }

  private string(quote: string): string {
    this.at += 1;
    let value = "";
    for (;;) {
      value += this.match(PLAIN)?.[0] ?? "";
      const next = this.text[this.at];
      if (next === undefined || next === "\n") return this.fail();
      this.at += 1;
      if (next === quote) return value;
      value += next === "\\" ? this.escape() : next;
    }
  }

  private escape(): string {
    const letter = this.text[this.at] ?? this.fail();
    this.at += 1;
    const numDigits = HEX_DIGITS[letter];
    if (numDigits !== undefined) return this.hexadecimal(numDigits);
    return ESCAPES[letter] ?? (/[0-7N]/.test(letter) ? this.fail() : `\\${letter}`);
  }

  private hexadecimal(numDigits: number): string {
    const digits = this.text.slice(this.at, this.at + numDigits);
    const code = /^[0-9a-fA-F]+$/.test(digits) && digits.length === numDigits ? Number.parseInt(digits, 16) : Number.NaN;
    if (!(code <= 0x10ffff)) return this.fail();
    this.at += numDigits;
    return code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code);
  }

  private number(): PyValue {
    const [, sign = "", integer, float] = this.match(NUMBER) ?? this.fail();
    if (integer !== undefined) {
      const digits = integer.replaceAll("_", "");
      if (digits.length > MAX_INT_DIGITS || /^0+[1-9]/.test(digits)) return this.fail();
      return toInt(BigInt(`${sign === "-" ? "-" : ""}${digits}`));
    }
    const value = Number(`${sign}${float}`);
    return Number.isFinite(value) ? floatOf(value, canonicalNumber(`${sign}${float}`)) : this.fail();
  }

  private expect(character: string): void {
    this.skip();
    if (this.text[this.at] !== character) this.fail();
    this.at += 1;
  }

  private skip(): void {
    this.match(BLANK);
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at = pattern.lastIndex;
    return found;
  }

  private fail(): never {
    throw new PyError("ValueError", `no literal with a JSON value: char ${this.at}`);
  }
}
