// Demonstrations for supervised training: expert conversations in the compact format, trained on the agent's turns alone.
import type { SftRow } from "#contracts/sft.ts";
import { deriveSeed } from "#core/rng.ts";
import { renderPieces } from "./compact-format/compact.ts";
import { expertConversation } from "./expert-conversation.ts";
import { generateTask, type Split, type TaskSource } from "./tasks.ts";

/** Ordinary text that is one token each: handles, tool names, and the JSON between arguments. */
export const COMPACT_ATOMIC_TOKENS: readonly string[] = [
  ...(
    [
      ["r", 12],
      ["p", 9],
      ["f", 24],
      ["a", 12],
      ["d", 9],
      ["u", 2],
    ] as const
  ).flatMap(([kind, count]) => Array.from({ length: count }, (_, index) => `@${kind}${index + 1}`)),
  "get_user_details",
  "get_reservation_details",
  "cancel_reservation",
  "search_direct_flight",
  "search_onestop_flight",
  "send_certificate",
  "update_reservation_baggages",
  "update_reservation_flights",
  "update_reservation_passengers",
  "book_reservation",
  "list_all_airports",
  "transfer_to_human_agents",
  "calculate",
  "think",
  '{"user":"',
  '{"trip":"',
  '{"from":"',
  '","to":"',
  '","date":"',
  '","cabin":"',
  '","flights":"',
  '","pay":"',
  ',"pay":"',
  '","bags":',
  ',"extra":',
  '","amount":',
  '"}',
];

/** The expert's conversation about task `index` of a split as a training row. Every index is a fresh task. */
export function demonstration<State>(
  source: TaskSource<State>,
  split: Split,
  index: number,
  slipRate: number,
): { row: SftRow; isPassed: boolean } {
  const task = generateTask(source, split, index);
  const { conversation, isPassed } = expertConversation(source, task, deriveSeed(source.seed, "demonstration", split, index), slipRate);
  const pieces = renderPieces(conversation);
  const end = pieces.findLastIndex(({ trained }) => trained) + 1;
  return { row: { segments: pieces.slice(0, end).map(({ text, trained }) => ({ text, trained })) }, isPassed };
}
