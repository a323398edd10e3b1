// Blocks between marks. A regular expression with `[\s\S]*?` looks for the closing mark from every opening one, which takes hours on a text
// that a model filled with openings; here every character is read once for each kind of mark.

export interface Blocks {
  /** What stands inside, in order. */
  readonly blocks: string[];
  /** The text without the blocks and their marks. */
  readonly rest: string;
}

/**
 * Every block from an opening mark to the next mark that closes it. An opening mark that nothing closes is text like any other.
 *
 * opening    global
 * closingOf  the global pattern that closes the block; the same source for equal marks
 */
export function takeBlocks(text: string, opening: RegExp, closingOf: (opening: string) => RegExp): Blocks {
  const blocks: string[] = [];
  const unclosed = new Set<string>();
  let rest = "";
  let end = 0;
  for (const match of text.matchAll(opening)) {
    if (match.index < end) continue;
    const closing = closingOf(match[0]);
    if (unclosed.has(closing.source)) continue;
    const start = match.index + match[0].length;
    closing.lastIndex = start;
    const closed = closing.exec(text);
    if (closed === null) {
      unclosed.add(closing.source);
      continue;
    }
    blocks.push(text.slice(start, closed.index));
    rest += text.slice(end, match.index);
    end = closing.lastIndex;
  }
  return { blocks, rest: rest + text.slice(end) };
}
