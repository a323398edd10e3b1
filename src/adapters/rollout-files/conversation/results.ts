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
