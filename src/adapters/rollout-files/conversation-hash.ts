// What a rollout is, however it is stored: what was said and done, and how it was graded. System prompt, ids of calls, reasoning, tokens and
// usage are left out, since not every format keeps them.
import type { Trajectory } from "#contracts/trajectory.ts";
import { sha256Hex } from "#core/canonical-json.ts";
import { composed } from "./canonical-text.ts";
import { canonicalArguments } from "./task-identity.ts";

export function conversationHash({ firstUserMessage, turns, outcome }: Pick<Trajectory, "firstUserMessage" | "turns" | "outcome">): string {
  const words = turns.map(({ content, toolCalls, userReply }) => [
    content ?? "",
    toolCalls.map((call) => [call.name, canonicalArguments(call.argumentsJson), call.isExecuted ? (call.result ?? "") : null]),
    userReply ?? "",
  ]);
  return sha256Hex(composed(JSON.stringify([firstUserMessage, words, outcome.reward])));
}
