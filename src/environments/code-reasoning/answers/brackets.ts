// Brackets of LaTeX: `{ }` groups, `( )`, `[ ]` and `\{ \}` are written.

/** Index of the brace that closes the group opened at `start`, or -1. What a backslash precedes opens and closes nothing. */
export function closingBrace(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "{") depth += 1;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

const TOKEN = /\\[{}]|\\[a-zA-Z]+|[\s\S]/g;
const OPENING = new Set(["(", "[", "{", "\\{"]);
const CLOSING = new Set([")", "]", "}", "\\}"]);

/** The parts of a text between separators that stand in no bracket; one part when a bracket is not matched. Half-open intervals match. */
export function splitOutside(text: string, isSeparator: (token: string) => boolean): string[] {
  const parts = [""];
  let depth = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    if (OPENING.has(token)) depth += 1;
    if (CLOSING.has(token)) depth -= 1;
    if (depth < 0) return [text];
    if (depth === 0 && isSeparator(token)) parts.push("");
    else parts[parts.length - 1] += token;
  }
  return depth === 0 ? parts : [text];
}

export interface Bracketed {
  readonly open: "(" | "[" | "\\{";
  readonly close: string;
  readonly inside: string;
}

/** A text that is one bracket from its start to its end, or null. */
export function bracketed(text: string): Bracketed | null {
  const [, open = "", inside = "", close = ""] = /^(\(|\[|\\\{)([\s\S]*?)(\\\}|\)|\])$/.exec(text) ?? [];
  if (open === "" || (open === "\\{") !== (close === "\\}")) return null;
  let depth = 1;
  for (const [token] of inside.matchAll(TOKEN)) {
    if (OPENING.has(token)) depth += 1;
    if (CLOSING.has(token)) depth -= 1;
    if (depth === 0) return null;
  }
  return depth === 1 ? { open: open as Bracketed["open"], close, inside } : null;
}

/** The arguments of a command: groups in braces or single characters. Null when the text has fewer, or more after them than `rest` takes. */
export function readArguments(text: string, count: number): { readonly values: readonly string[]; readonly rest: string } | null {
  const values: string[] = [];
  let rest = text.trimStart();
  while (values.length < count) {
    const end = rest[0] === "{" ? closingBrace(rest, 0) : (/^(?:\\[a-zA-Z]+|[^\s{}])/.exec(rest)?.[0].length ?? 0) - 1;
    if (end < 0) return null;
    values.push(rest[0] === "{" ? rest.slice(1, end) : rest.slice(0, end + 1));
    rest = rest.slice(end + 1).trimStart();
  }
  return { values, rest };
}
