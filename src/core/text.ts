// Text of people and models, cut between characters. A limit counts UTF-16 code units, as JavaScript, JSON schemas and the earlier records
// count them; a cut never leaves half of a surrogate pair, which has no UTF-8, no canonical JSON and no place in MLflow. Graphemes are for
// the terminal alone (src/cli/output.ts): where they end depends on the Unicode version, and what is hashed must not.

/** The longest start of a text that has at most `limit` code units and ends between characters. */
export function startOf(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return text.slice(0, isInsidePair(text, limit) ? limit - 1 : limit);
}

/** The longest end of a text that has at most `limit` code units and begins between characters. */
export function endOf(text: string, limit: number): string {
  const at = text.length - limit;
  if (at <= 0) return text;
  return text.slice(isInsidePair(text, at) ? at + 1 : at);
}

/** The text, or its start with an ellipsis: at most `limit` code units in all. */
export function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${startOf(text, limit - 1)}…`;
}

/** The text, or its start and its end around an ellipsis. */
export function shortenMiddle(text: string, limit: number): string {
  const half = Math.floor((limit - 3) / 2);
  return text.length <= limit ? text : `${startOf(text, half)} … ${endOf(text, half)}`;
}

/** Whether a cut before the code unit at `index` would part the halves of one character. */
function isInsidePair(text: string, index: number): boolean {
  return (text.codePointAt(index - 1) ?? 0) > 0xffff;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };
const writtenOut = (character: string) => SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const COLOUR_OR_CONTROL = /\u001b\[\d{1,2}m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Text from a model or a file made safe for one line of a terminal: control characters are written out. */
export function plainText(text: string): string {
  return text.replace(CONTROL, writtenOut);
}

/** The same for text of several lines, in which line ends, tabs and the codes of colours are ours. JSON stays the same JSON. */
export function plainLines(text: string): string {
  return text.replace(COLOUR_OR_CONTROL, (found) => (found.length > 1 ? found : writtenOut(found)));
}
