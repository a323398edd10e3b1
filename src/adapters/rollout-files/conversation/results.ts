// Results that a harness hands to the model as messages of the user, since it knows no other role for them.

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
const BLOCKS = /<tool_response>\n?([\s\S]*?)\n?<\/tool_response>|\[TOOL_RESULTS\]\s?([\s\S]*?)\s?\[\/TOOL_RESULTS\]/g;

/** Null for a message that only a user can have said. */
export function resultsInUserMessage(text: string): UserMessageParts | null {
  for (const [prefix, isCertain] of [[API_OUTPUT, true] as const, [OBSERVATION, false] as const]) {
    const [mark] = prefix.exec(text) ?? [];
    if (mark !== undefined) return { results: [text.slice(mark.length)], said: null, isCertain };
  }
  const blocks = [...text.matchAll(BLOCKS)];
  if (blocks.length === 0) return null;
  const rest = text.replaceAll(BLOCKS, "").trim();
  return { results: blocks.map(([, tagged, bracketed]) => tagged ?? bracketed ?? ""), said: rest === "" ? null : rest, isCertain: true };
}
