// JSON as Python's json.loads reads it: 1 and 1.0 stay apart, keys keep their order, error texts are CPython's.
// Differs on purpose: NaN, Infinity and numbers beyond a double are refused unless they are asked for, since the database has no form for
// them; so is text that is longer or nested deeper than any tool needs.
import { canonicalNumber } from "#core/exact-json.ts";
import { PyDict, PyError, PyFloat, type PyValue, toInt } from "./values.ts";

const MAX_DEPTH = 200;
const MAX_INT_DIGITS = 4300;
/** 15 digits, which any double keeps, and a point. */
const MAX_EXACT_LENGTH = 16;
const NUMBER = /(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?/y;
const NON_FINITE = ["NaN", "Infinity", "-Infinity"];
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export interface ParseOptions {
  /** Take NaN, Infinity and numbers beyond a double as floats, as Python reads and writes them. */
  readonly hasNonFinite?: boolean;
}

/**
 * The value of a JSON text.
 *
 * throws  PyError "ValueError" with the text of Python's JSONDecodeError, e.g. "Expecting value: line 1 column 1 (char 0)"
 */
export function parseJson(text: string, options: ParseOptions = {}): PyValue {
  const reader = new JsonReader(text, options);
  return reader.document();
}

class JsonReader {
  private readonly text: string;
  private at = 0;
  private depth = 0;
  private readonly hasNonFinite: boolean;

  constructor(text: string, { hasNonFinite = false }: ParseOptions) {
    this.text = text;
    this.hasNonFinite = hasNonFinite;
  }

  document(): PyValue {
    if (this.text.startsWith("\ufeff")) this.fail("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0);
    this.skipWhitespace();
    const value = this.value();
    this.skipWhitespace();
    if (this.at !== this.text.length) this.fail("Extra data", this.at);
    return value;
  }

  private value(): PyValue {
    switch (this.text.charCodeAt(this.at)) {
      case QUOTE:
        this.at += 1;
        return this.string();
      case OPEN_BRACE:
        this.enter();
        return this.object();
      case OPEN_BRACKET:
        this.enter();
        return this.array();
      case 0x6e:
        return this.literal("null", null);
      case 0x74:
        return this.literal("true", true);
      case 0x66:
        return this.literal("false", false);
      default:
        return this.number();
    }
  }

  private literal<Value extends PyValue>(word: string, value: Value): Value {
    if (!this.text.startsWith(word, this.at)) this.fail("Expecting value", this.at);
    this.at += word.length;
    return value;
  }

  private number(): PyValue {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) return this.notANumber();
    const [lexeme, integer = "", fraction, exponent] = match;
    this.at += lexeme.length;
    if (fraction === undefined && exponent === undefined) return integerValue(integer);
    const value = Number(lexeme);
    if (!Number.isFinite(value) && !this.hasNonFinite) throw new PyError("ValueError", `number out of range: ${lexeme}`);
    return floatOf(value, lexeme);
  }

  private notANumber(): PyFloat {
    const word = NON_FINITE.find((one) => this.text.startsWith(one, this.at));
    if (word === undefined) return this.fail("Expecting value", this.at);
    if (!this.hasNonFinite) throw new PyError("ValueError", `number out of range: ${word}`);
    this.at += word.length;
    return new PyFloat(Number(word));
  }

  private enter(): void {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw new PyError("ValueError", `JSON nested deeper than ${MAX_DEPTH} levels`);
    this.at += 1;
  }

  private array(): PyValue {
    const items: PyValue[] = [];
    this.skipWhitespace();
    if (this.text.charCodeAt(this.at) === CLOSE_BRACKET) this.at += 1;
    else {
      do items.push(this.value());
      while (this.hasNext(CLOSE_BRACKET));
    }
    this.depth -= 1;
    return items;
  }

  private object(): PyDict {
    const entries = new Map<string, PyValue>();
    this.skipWhitespace();
    if (this.text.charCodeAt(this.at) === CLOSE_BRACE) this.at += 1;
    else {
      do this.entry(entries);
      while (this.hasNext(CLOSE_BRACE));
    }
    this.depth -= 1;
    return new PyDict(entries);
  }

  private entry(entries: Map<string, PyValue>): void {
    if (this.text.charCodeAt(this.at) !== QUOTE) this.fail("Expecting property name enclosed in double quotes", this.at);
    this.at += 1;
    const key = this.string();
    this.skipWhitespace();
    if (this.text.charCodeAt(this.at) !== COLON) this.fail("Expecting ':' delimiter", this.at);
    this.at += 1;
    this.skipWhitespace();
    entries.set(key, this.value());
  }

  /** Reads a comma, or the end of an array or object. */
  private hasNext(end: number): boolean {
    this.skipWhitespace();
    const code = this.text.charCodeAt(this.at);
    this.at += 1;
    if (code === end) return false;
    if (code !== COMMA) this.fail("Expecting ',' delimiter", this.at - 1);
    this.skipWhitespace();
    return true;
  }

  /** The rest of a string, the opening quote being read. */
  private string(): string {
    const { text, at: start } = this;
    for (let end = start; ; end += 1) {
      const code = text.charCodeAt(end);
      if (code === QUOTE) {
        this.at = end + 1;
        return text.slice(start, end);
      }
      // A control character, a backslash, or the end of the text, where there is no code.
      if (!(code >= SPACE) || code === BACKSLASH) return this.carefulString();
    }
  }

  /** A string with escapes, or one that is no string. */
  private carefulString(): string {
    const begin = this.at - 1;
    let out = "";
    for (;;) {
      const next = this.text[this.at];
      if (next === undefined) this.fail("Unterminated string starting at", begin);
      this.at += 1;
      if (next === '"') return out;
      if (next === "\\") out += this.escape(begin);
      else if (next < " ") this.fail("Invalid control character at", this.at - 1);
      else out += next;
    }
  }

  private escape(begin: number): string {
    const letter = this.text[this.at];
    if (letter === undefined) this.fail("Unterminated string starting at", begin);
    this.at += 1;
    if (letter === "u") return String.fromCharCode(this.hexadecimal());
    const plain = ESCAPES[letter];
    return plain ?? this.fail("Invalid \\escape", this.at - 2);
  }

  private hexadecimal(): number {
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("Invalid \\uXXXX escape", this.at - 1);
    this.at += 4;
    return Number.parseInt(digits, 16);
  }

  private skipWhitespace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code > SPACE || !isWhitespace(code)) return;
      this.at += 1;
    }
  }

  private fail(message: string, position: number): never {
    const lines = this.text.slice(0, position).split("\n");
    const column = (lines.at(-1)?.length ?? 0) + 1;
    throw new PyError("ValueError", `${message}: line ${lines.length} column ${column} (char ${position})`);
  }
}

const isWhitespace = (code: number) => code === SPACE || code === 0x0a || code === 0x0d || code === 0x09;

/** The float of a text, which it remembers when the float, as it is written again, has not all of its digits. */
export function floatOf(value: number, lexeme: string): PyFloat {
  const isShort = lexeme.length <= MAX_EXACT_LENGTH && !/e/i.test(lexeme);
  const isExact = isShort || canonicalNumber(lexeme) === canonicalNumber(String(value));
  return new PyFloat(value, isExact ? null : lexeme);
}

function integerValue(lexeme: string): PyValue {
  const digits = lexeme.startsWith("-") ? lexeme.length - 1 : lexeme.length;
  if (digits <= 15) return Object.is(Number(lexeme), -0) ? 0 : Number(lexeme);
  if (digits > MAX_INT_DIGITS) throw new PyError("ValueError", intTooLong(digits));
  return toInt(BigInt(lexeme));
}

/** CPython's refusal to convert between a very long int and text. */
export function intTooLong(digits: number): string {
  return `Exceeds the limit (${MAX_INT_DIGITS} digits) for integer string conversion: value has ${digits} digits; use sys.set_int_max_str_digits() to increase the limit`;
}
