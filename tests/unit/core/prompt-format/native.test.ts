import { describe, expect, test } from "vitest";
import type { Turn } from "#contracts/trajectory.ts";
import { chatMessages, parseChatMessage } from "#core/prompt-format/native.ts";

const call = (id: string, name: string, argumentsJson: string) => ({
  id,
  type: "function" as const,
  function: { name, arguments: argumentsJson },
});
const turn = (more: Partial<Turn>): { turn: Turn; tokens: null } => ({
  turn: { index: 0, content: null, toolCalls: [], userReply: null, finishReason: "stop", stateHash: null, ...more },
  tokens: null,
});

test("a conversation becomes chat messages in order; only the executed call of a message is shown again", () => {
  const executed = { id: "c1", name: "book", argumentsJson: '{"a":1}', result: "booked", isError: false, isExecuted: true };
  const skipped = { ...executed, id: "c2", result: null, isExecuted: false };
  const turns = [
    turn({ content: "hello", userReply: "book it" }),
    turn({ content: "one moment", toolCalls: [executed, skipped] }),
    turn({ content: "done" }),
  ];
  expect(chatMessages({ systemPrompt: "policy", tools: [], firstUserMessage: "hi", turns })).toEqual([
    { role: "system", content: "policy" },
    { role: "user", content: "hi" },
    { role: "assistant", content: "hello" },
    { role: "user", content: "book it" },
    { role: "assistant", content: "one moment", tool_calls: [call("c1", "book", '{"a":1}')] },
    { role: "tool", tool_call_id: "c1", content: "booked" },
    { role: "assistant", content: "done" },
  ]);
});

test("all executed calls of a message are shown again, each with its result", () => {
  const made = (id: string, argumentsJson: string) => ({
    id,
    name: "add",
    argumentsJson,
    result: `sum of ${id}`,
    isError: false,
    isExecuted: true,
  });
  const turns = [turn({ toolCalls: [made("c1", '{"a":1}'), made("c2", "{not json")] })];
  expect(chatMessages({ systemPrompt: "policy", tools: [], firstUserMessage: "hi", turns }).slice(2)).toEqual([
    { role: "assistant", content: null, tool_calls: [call("c1", "add", '{"a":1}'), call("c2", "add", "{}")] },
    { role: "tool", tool_call_id: "c1", content: "sum of c1" },
    { role: "tool", tool_call_id: "c2", content: "sum of c2" },
  ]);
});

describe("an assistant message", () => {
  test("keeps the model's own argument text", () => {
    const parsed = parseChatMessage(null, [call("c1", "pay", '{"amount": 1.0}')]);
    expect(parsed).toEqual({ content: null, toolCalls: [{ id: "c1", name: "pay", argumentsJson: '{"amount": 1.0}' }], parseError: null });
  });

  test.each(["{", "[1]", "1", '"x"'])("with the arguments %j is unparsable", (text) => {
    expect(parseChatMessage(null, [call("c1", "pay", text)]).parseError).toContain("pay");
  });

  test.each(["", " ", "null", "{}"])("with %j for no arguments is a call, which the model sees again as one", (text) => {
    const parsed = parseChatMessage(null, [call("c1", "list", text)]);
    expect(parsed).toEqual({ content: null, toolCalls: [{ id: "c1", name: "list", argumentsJson: text }], parseError: null });
    const executed = {
      ...parsed.toolCalls[0],
      id: "c1",
      name: "list",
      argumentsJson: text,
      result: "ok",
      isError: false,
      isExecuted: true,
    };
    const turn = { index: 0, content: null, toolCalls: [executed], userReply: null, finishReason: "tool_calls", stateHash: null } as const;
    const shown = chatMessages({ systemPrompt: "", firstUserMessage: "", turns: [{ turn, tokens: null }] } as never)[2];
    expect(shown).toMatchObject({ tool_calls: [{ function: { name: "list", arguments: "{}" } }] });
  });

  test("with blank text beside a call has no text", () => {
    expect(parseChatMessage(" \n", [call("c1", "pay", "{}")]).content).toBeNull();
  });
});
