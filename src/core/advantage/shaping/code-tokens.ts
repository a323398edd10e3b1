// The tokens of a Python program, for telling how alike two programs are. Any text has tokens, also one that is no Python.

const SPACE_OR_COMMENT = /(?:\s|\\\r?\n|#[^\n]*)+/y;
const STRING_START = /[rbuft]{0,2}("""|'''|"|')/iy;
const NAME_OR_NUMBER = /[\p{L}\p{N}_]+/uy;
const OPERATOR = /\*\*=?|\/\/=?|<<=?|>>=?|->|:=|[-+*/%@&|^=!<>]=|./suy;

/**
 * Names, numbers, whole string literals and operators, in order. Comments, white space, line breaks and indentation are none: a program
 * laid out in another way has the same tokens. A literal that is not closed ends with its line, or with the text when it is of three
 * quotes. Time is linear in the text, whatever it holds.
 */
export function codeTokens(program: string): string[] {
  const tokens: string[] = [];
  for (let at = endOf(SPACE_OR_COMMENT, program, 0); at < program.length; ) {
    const end = endOfToken(program, at);
    tokens.push(program.slice(at, end));
    at = endOf(SPACE_OR_COMMENT, program, end);
  }
  return tokens;
}

function endOfToken(program: string, at: number): number {
  STRING_START.lastIndex = at;
  const quote = STRING_START.exec(program)?.[1];
  if (quote !== undefined) return endOfString(program, STRING_START.lastIndex, quote);
  const name = endOf(NAME_OR_NUMBER, program, at);
  return name > at ? name : endOf(OPERATOR, program, at);
}

/** Where a literal ends that was opened by `quote` just before `at`. */
function endOfString(program: string, at: number, quote: string): number {
  for (let end = at; end < program.length; end += 1) {
    if (program.startsWith(quote, end)) return end + quote.length;
    if (program[end] === "\\") end += 1;
    else if (program[end] === "\n" && quote.length === 1) return end;
  }
  return program.length;
}

/** Where the match of a sticky pattern ends that begins at `at`; `at` when there is none. */
function endOf(pattern: RegExp, program: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(program) ? pattern.lastIndex : at;
}
