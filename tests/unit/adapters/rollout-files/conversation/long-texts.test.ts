// What a model that lost itself writes, and what somebody writes who wants a reader to hang: the same mark a hundred thousand times.
import { describe, expect, test } from "vitest";
import { importMessages } from "#adapters/rollout-files/import-messages.ts";
import type { ChatMessage } from "#contracts/rollout-line.ts";

const MARKS = [
  "<function=",
  "<function=a>",
  "<function=a><parameter=",
  "<invoke name=",
  "<tool_call>",
  "<tool_response>",
  "[TOOL_CALLS]a ",
  "[TOOL_RESULTS] ",
  "<think>",
  "[THINK]",
  "```json\n",
  "Action:\n",
  "Action: a\n",
  '{"name": "',
  "</think>",
];
/** What follows a mark once, and then goes on and on. */
const TAILS = [
  ["<function=", "a"],
  ["<function=a><parameter=", "a"],
  ["<function=a><parameter name=a ", "b "],
  ["[TOOL_CALLS]a", " "],
  ["[TOOL_CALLS]a[CALL_ID]", "b "],
  ["Action: a", "\n"],
  ["Action: a", "\n "],
  ["```json", " "],
  ["<tool_response>", "\n"],
] as const;
const LENGTH = 100_000;

const asked = (text: string): ChatMessage[] => [
  { role: "user", content: text },
  { role: "assistant", content: text },
  { role: "user", content: text },
];

describe("texts that repeat themselves are read to their end", () => {
  test.each(MARKS)("%j, again and again", (mark) => {
    const text = mark.repeat(LENGTH / 10);
    expect(importMessages(asked(text)).turns).toHaveLength(1);
  });

  test.each(TAILS)("%j and then %j without end", (mark, tail) => {
    expect(importMessages(asked(mark + tail.repeat(LENGTH))).turns).toHaveLength(1);
  });

  test("a conversation of very many calls keeps each result with its call, in any order and under ids that return", () => {
    const numTurns = 20_000;
    const messages = Array.from({ length: numTurns }, (_, turn): ChatMessage[] => [
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: `c${turn}`, name: "get", arguments: "{}" },
          { id: "again", name: "get", arguments: "{}" },
        ],
      },
      { role: "tool", tool_call_id: "again", content: `again ${turn}` },
      { role: "tool", tool_call_id: `c${turn}`, content: `own ${turn}` },
    ]).flat();
    const { turns, notes } = importMessages([{ role: "user", content: "go" }, ...messages]);
    expect(turns.every(({ toolCalls: [own, again] }, turn) => own?.result === `own ${turn}` && again?.result === `again ${turn}`)).toBe(
      true,
    );
    expect(notes).toEqual({});
  });
});
