// JSON as Python's json.loads reads it: 1 and 1.0 stay apart, keys keep their order, error texts are CPython's.
// Differs on purpose: NaN, Infinity and numbers beyond a double are refused, since the database has no form for them; so is text that is
// longer or nested deeper than any tool needs.
import { PyError, PyFloat, toInt, type PyDict, type PyValue } from "./values.ts";

const MAX_DEPTH = 200;
const MAX_INT_DIGITS = 4300;
const NUMBER = /(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?/y;
const STRING_CHUNK = /[^"\\\u0000-\u001f]*/y;
const WHITESPACE = /[ \t\n\r]*/y;
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/**
 * The value of a JSON text.
 *
 * throws  PyError "ValueError" with the text of Python's JSONDecodeError, e.g. "Expecting value: line 1 column 1 (char 0)"
 */
export function parseJson(text: string): PyValue {
  const reader = new JsonReader(text);
  return reader.document();
}

class JsonReader {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
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
    const { text, at } = this;
    switch (text[at]) {
      case '"':
        this.at += 1;
        return this.string();
      case "{":
        return this.nested(() => this.object());
      case "[":
        return this.nested(() => this.array());
      case "n":
        return this.literal("null", null);
      case "t":
        return this.literal("true", true);
      case "f":
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
    if (!Number.isFinite(value)) throw new PyError("ValueError", `number out of range: ${lexeme}`);
    return new PyFloat(value);
  }

  private notANumber(): never {
    for (const word of ["NaN", "Infinity", "-Infinity"]) {
      if (this.text.startsWith(word, this.at)) throw new PyError("ValueError", `number out of range: ${word}`);
    }
    return this.fail("Expecting value", this.at);
  }

  private nested(read: () => PyValue): PyValue {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw new PyError("ValueError", `JSON nested deeper than ${MAX_DEPTH} levels`);
    this.at += 1;
    const value = read();
    this.depth -= 1;
    return value;
  }

  private array(): PyValue {
    const items: PyValue[] = [];
    this.skipWhitespace();
    if (this.text[this.at] === "]") {
      this.at += 1;
      return items;
    }
    for (;;) {
      items.push(this.value());
      this.skipWhitespace();
      const separator = this.text[this.at];
      this.at += 1;
      if (separator === "]") return items;
      if (separator !== ",") this.fail("Expecting ',' delimiter", this.at - 1);
      this.skipWhitespace();
    }
  }

  private object(): PyDict {
    const entries = new Map<string, PyValue>();
    this.skipWhitespace();
    if (this.text[this.at] === "}") {
      this.at += 1;
      return entries;
    }
    for (;;) {
      if (this.text[this.at] !== '"') this.fail("Expecting property name enclosed in double quotes", this.at);
      this.at += 1;
      const key = this.string();
      this.skipWhitespace();
      if (this.text[this.at] !== ":") this.fail("Expecting ':' delimiter", this.at);
      this.at += 1;
      this.skipWhitespace();
      entries.set(key, this.value());
      this.skipWhitespace();
      const separator = this.text[this.at];
      this.at += 1;
      if (separator === "}") return entries;
      if (separator !== ",") this.fail("Expecting ',' delimiter", this.at - 1);
      this.skipWhitespace();
    }
  }

  /** The rest of a string, the opening quote being read. */
  private string(): string {
    const begin = this.at - 1;
    let out = "";
    for (;;) {
      STRING_CHUNK.lastIndex = this.at;
      const chunk = STRING_CHUNK.exec(this.text)?.[0] ?? "";
      this.at += chunk.length;
      out += chunk;
      const next = this.text[this.at];
      if (next === undefined) this.fail("Unterminated string starting at", begin);
      this.at += 1;
      if (next === '"') return out;
      if (next !== "\\") this.fail("Invalid control character at", this.at - 1);
      out += this.escape(begin);
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
    const code = this.text.charCodeAt(this.at);
    if (code > 32 || Number.isNaN(code)) return;
    WHITESPACE.lastIndex = this.at;
    this.at += WHITESPACE.exec(this.text)?.[0].length ?? 0;
  }

  private fail(message: string, position: number): never {
    const lines = this.text.slice(0, position).split("\n");
    const column = (lines.at(-1)?.length ?? 0) + 1;
    throw new PyError("ValueError", `${message}: line ${lines.length} column ${column} (char ${position})`);
  }
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
