// What is neither number nor collection, in one form: words, and formulas as they are written.
import { closingBrace, readArguments } from "./brackets.ts";

const WORDS = /^(?=.*\p{L}{2})\p{L}[\p{L}\p{N}'’ -]*$/u;
const COMMANDS = /\\frac(?![a-zA-Z])|\\sqrt(?![a-zA-Z[])|[\^_]/;
/** A formula nested deeper than this is compared as it is written. */
const MAX_DEPTH = 20;

/** Words without regard to case and spaces; a formula without spaces, its fractions as `a/b`, its arguments in braces. */
export function canonicalExpression(text: string): string {
  const said = text
    .replace(/\\text\s*\{([^{}]*)\}/g, " $1 ")
    .trim()
    .replace(/\s+/g, " ");
  const bare = said.replace(/[.!]+$/, "");
  if (WORDS.test(bare)) return bare.toLowerCase();
  return withArguments(said, 0)
    .replace(/\s/g, "")
    .replace(/(?<!\d)\*|\*(?!\d)/g, "");
}

function withArguments(text: string, depth: number): string {
  let done = "";
  let rest = text;
  for (let match = COMMANDS.exec(rest); match !== null && depth < MAX_DEPTH; match = COMMANDS.exec(rest)) {
    const [command] = match;
    const read = readArguments(rest.slice(match.index + command.length), command === "\\frac" ? 2 : 1);
    if (read === null) break;
    const [first = "", second = ""] = read.values.map((value) => withArguments(value, depth + 1).trim());
    done += rest.slice(0, match.index) + (command === "\\frac" ? `${above(first)}/${below(second)}` : `${command}{${first}}`);
    rest = read.rest === "" || !/\s$/.test(rest.slice(0, rest.length - read.rest.length)) ? read.rest : ` ${read.rest}`;
  }
  return done + rest;
}

const above = (text: string): string => (/[-+/]/.test(text) ? `(${text})` : text);

/** One number, letter or command needs no brackets below a stroke. */
function below(text: string): string {
  const [command] = /^\\[a-zA-Z]+/.exec(text) ?? [""];
  const isOne = /^(?:[\d.]+|[a-zA-Z])$/.test(text) || (command !== "" && isGroupOrNothing(text.slice(command.length)));
  return isOne ? text : `(${text})`;
}

const isGroupOrNothing = (text: string): boolean => text === "" || (text.startsWith("{") && closingBrace(text, 0) === text.length - 1);
