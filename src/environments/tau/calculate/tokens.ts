// Tokens of a Python expression over the characters 0-9 + - * / ( ) . and space, with the tokenizer errors of CPython 3.11.
import { intTooLong } from "../python/parse-json.ts";
import { PyError, PyFloat, type PyInt, toInt } from "../python/values.ts";

/** `level` is the number of brackets open after the token; "unclosed" stands at the end of a text with open brackets. */
export interface Token {
  readonly kind: "number" | "+" | "-" | "*" | "**" | "/" | "//" | "(" | ")" | "." | "..." | "end" | "unclosed";
  readonly value: PyInt | PyFloat;
  readonly level: number;
}

const TOKEN = / *(?:(\d+\.\d*|\.\d+|\d+)|(\.\.\.|\*\*|\/\/|[-+*/().]))/y;
const MAX_BRACKETS = 200;
const MAX_DIGITS = 4300;

/** `message` as a SyntaxError of `eval` prints. */
export function syntaxError(message: string, line = 1): PyError {
  return new PyError("SyntaxError", `${message} (<string>, line ${line})`);
}

/** All tokens, ended by "end" or "unclosed". Throws SyntaxError for an unmatched bracket, leading zeros and numbers that are too long. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let level = 0;
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [, lexeme, operator] = match;
    if (operator === "(" && level >= MAX_BRACKETS) throw syntaxError("too many nested parentheses");
    if (operator === ")" && level === 0) throw syntaxError("unmatched ')'");
    level += operator === "(" ? 1 : operator === ")" ? -1 : 0;
    const kind = operator === undefined ? "number" : (operator as Token["kind"]);
    tokens.push({ kind, value: lexeme === undefined ? 0 : numberValue(lexeme), level });
  }
  tokens.push({ kind: level === 0 ? "end" : "unclosed", value: 0, level });
  return tokens;
}

function numberValue(lexeme: string): PyInt | PyFloat {
  if (lexeme.includes(".")) return new PyFloat(Number(lexeme));
  if (/^0+[1-9]/.test(lexeme))
    throw syntaxError("leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers");
  if (lexeme.length > MAX_DIGITS) {
    throw syntaxError(`${intTooLong(lexeme.length)} - Consider hexadecimal for huge integer literals to avoid decimal conversion limits.`);
  }
  return toInt(BigInt(lexeme));
}
