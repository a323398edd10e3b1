// Results that a harness hands to the model as messages of the user, since it knows no other role for them.

import { takeBlocks } from "#core/blocks.ts";

export interface UserMessageParts {
  readonly results: readonly string[];
  /** What is left of the message; null when nothing is. */
  readonly said: string | null;
  /** False when people may begin a message so too. */
  readonly isCertain: boolean;
}

/** tau-bench's `react` and `act`. */
const API_OUTPUT = /^API output: ?/;
const OBSERVATION = /^\s*Observation:[ \t]*\n?/;
const OPENING = /<tool_response>\n?|\[TOOL_RESULTS\]\s?/g;
const closingOf = (opening: string) => (opening.startsWith("<") ? /\n?<\/tool_response>/g : /\s?\[\/TOOL_RESULTS\]/g);

/** How harnesses of other forms begin what they show to the model as words of the user. */
const RESULT_TAG =
  /^\s*<(?:information|obs|observations?|results?|outputs?|interpreter|feedback|(?:tool|function|execution|environment)_?(?:results?|responses?|outputs?|observations?))>/i;
const RESULT_HEADING =
  /^\s*(?:observation|\[?(?:tool|function|api|code|command|execution|environment)[ _](?:results?|responses?|outputs?|observations?)\b[^\n:]{0,80}):/im;

/** Whether a message of the user that no call asked for seems to be a result: an object or a list in JSON, or what begins as results do. */
export function looksLikeResult(text: string): boolean {
  return RESULT_TAG.test(text) || RESULT_HEADING.test(text) || (/^\s*(?:\{\s*"|\[\s*[[{])/.test(text) && isJson(text));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Null for a message that only a user can have said. */
export function resultsInUserMessage(text: string): UserMessageParts | null {
  for (const [prefix, isCertain] of [[API_OUTPUT, true] as const, [OBSERVATION, false] as const]) {
    const [mark] = prefix.exec(text) ?? [];
    if (mark !== undefined) return { results: [text.slice(mark.length)], said: null, isCertain };
  }
  const { blocks, rest: around } = takeBlocks(text, OPENING, closingOf);
  if (blocks.length === 0) return null;
  const rest = around.trim();
  return { results: blocks, said: rest === "" ? null : rest, isCertain: true };
}
