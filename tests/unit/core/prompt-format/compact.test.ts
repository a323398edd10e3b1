import fc from "fast-check";
import { expect, test } from "vitest";
import type { GoldenTask } from "#contracts/task.ts";
import type { Turn } from "#contracts/trajectory.ts";
import type { Conversation } from "#core/ports.ts";
import { createSyntheticAirline, syntheticSource } from "#environments/synthetic-airline/airline.ts";
import { compactFormat, renderPieces } from "#environments/synthetic-airline/compact-format/compact.ts";
import { HandleTable } from "#environments/synthetic-airline/compact-format/handles.ts";
import { expertConversation } from "#environments/synthetic-airline/expert-conversation.ts";

const source = syntheticSource(1);
const { splits } = createSyntheticAirline(1);
const tasks = splits.train.slice(0, 150);
const conversationOf = (index: number, slipRate = 0.5): Conversation =>
  expertConversation(source, tasks[index] as GoldenTask, "s", slipRate).conversation;
const before = (conversation: Conversation, turn: number): Conversation => ({ ...conversation, turns: conversation.turns.slice(0, turn) });
const opened = (firstUserMessage: string): Conversation => ({ systemPrompt: "", tools: [], firstUserMessage, turns: [] });
const afterTool = (conversation: Conversation, name: string, args: object, result: string): Conversation => {
  const toolCalls = [{ id: "c", name, argumentsJson: JSON.stringify(args), result, isError: false, isExecuted: true }];
  const turn: Turn = {
    index: conversation.turns.length,
    content: null,
    toolCalls,
    userReply: null,
    finishReason: "tool_calls",
    stateHash: null,
  };
  return { ...conversation, turns: [...conversation.turns, { turn, tokens: null }] };
};
const lastText = (conversation: Conversation): string => renderPieces(conversation).at(-1)?.text ?? "";

test("parsing a rendered expert turn gives the expert's own calls and words", () => {
  for (let index = 0; index < tasks.length; index++) {
    const conversation = conversationOf(index);
    const trained = renderPieces(conversation).filter((piece) => piece.trained);
    for (const [number, { turn }] of conversation.turns.entries()) {
      const parsed = compactFormat.parseTurn((trained[number]?.text ?? "").replace(/<e>$/, ""), before(conversation, number));
      expect(parsed.parseError).toBeNull();
      expect(parsed.content).toBe(turn.content);
      expect(parsed.toolCalls.map(({ name, argumentsJson }) => [name, JSON.parse(argumentsJson)])).toEqual(
        turn.toolCalls.map(({ name, argumentsJson }) => [name, JSON.parse(argumentsJson)]),
      );
    }
  }
});

test("a later prompt extends the earlier prompt and its turn", () => {
  const conversation = conversationOf(3);
  const texts = (turns: number) =>
    compactFormat.renderPrompt(before(conversation, turns)).map((segment) => ("text" in segment ? segment.text : ""));
  for (let turns = 1; turns <= conversation.turns.length; turns++) expect(texts(turns).slice(0, 2 * turns - 1)).toEqual(texts(turns - 1));
});

test("sampled turns of the past come back as their token ids", () => {
  const conversation = conversationOf(0);
  const sampled = { promptTokenIds: [1], tokenIds: [5, 6, 0], logprobs: [0, 0, 0] };
  const turns = conversation.turns.map(({ turn }) => ({ turn, tokens: sampled }));
  expect(compactFormat.renderPrompt({ ...conversation, turns }).filter((segment) => "tokenIds" in segment)).toEqual(
    turns.map(() => ({ tokenIds: [5, 6, 0] })),
  );
});

test("parseTurn never throws: any text is a message, a call, or has a parse error", () => {
  const conversation = conversationOf(1, 0);
  const calls = fc
    .tuple(fc.constantFrom("get_user_details", "search_direct_flight", "update_reservation_flights", "nothing"), fc.json())
    .map(([name, json]) => name + json);
  const odd = fc
    .tuple(
      fc.constantFrom('update_reservation_flights{"flights":', 'search_direct_flight{"trip":', 'send_certificate{"amount":'),
      fc.json(),
    )
    .map(([head, json]) => `${head}${json}}`);
  fc.assert(
    fc.property(fc.oneof(fc.string(), calls, odd), (text) => {
      const { content, toolCalls, parseError } = compactFormat.parseTurn(text, conversation);
      expect([content !== null, toolCalls.length > 0, parseError !== null].filter(Boolean)).toHaveLength(1);
      for (const call of toolCalls) expect(JSON.parse(call.argumentsJson)).toBeTypeOf("object");
    }),
    { numRuns: 500 },
  );
});

test("rendering never throws, whatever a tool answers", () => {
  const names = fc.constantFrom(
    "get_user_details",
    "get_reservation_details",
    "search_direct_flight",
    "search_onestop_flight",
    "cancel_reservation",
    "calculate",
    "x",
  );
  fc.assert(
    fc.property(names, fc.oneof(fc.string(), fc.json()), fc.string(), (name, result, words) => {
      const rendered = lastText(afterTool(opened(words), name, { user_id: "a_b_1234" }, result));
      expect(rendered).toMatch(/^<t>[^<>]*<a>$/s);
    }),
    { numRuns: 500 },
  );
});

test("no one but the format writes control tokens", () => {
  expect(lastText(opened("hello <e><a>cancel_reservation{}"))).toBe("<u>hello eacancel_reservation{}<a>");
});

test("unknown handles pass as they are, so that the tool answers with its own error", () => {
  const { toolCalls } = compactFormat.parseTurn('cancel_reservation{"trip":"@r7"}', opened("hi"));
  expect(toolCalls[0]).toEqual({ id: "call-0", name: "cancel_reservation", argumentsJson: '{"reservation_id":"@r7"}' });
});

test("broken JSON after a tool name is a parse error", () => {
  expect(compactFormat.parseTurn('cancel_reservation{"trip":"@r1"', opened("hi")).parseError).toMatch(/cancel_reservation/);
  expect(compactFormat.parseTurn("", opened("hi")).parseError).toBe("empty turn");
});

test("handles count up by kind in order of appearance, and a known id keeps its handle", () => {
  const table = new HandleTable();
  expect(table.compress("mei_brown_7075 flies PEP4E0 and JG7FMM, PEP4E0 from JFK to SEA on May 20th, 2024-05-21", true)).toBe(
    "@u1 flies @r1 and @r2, @r1 from @a1 to @a2 on @d1, @d2",
  );
  expect(table.expand("@r2 @d1 @a2 @r9")).toBe("JG7FMM 2024-05-20 SEA @r9");
});

test("words in lower case are never taken for ids", () => {
  expect(new HandleTable().compress("please cancel my flight", true)).toBe("please cancel my flight");
});

test("flights of a search become handles from early to late and expand to number and date", () => {
  const option = (flight_number: string, scheduled_departure_time_est: string) => ({
    flight_number,
    scheduled_departure_time_est,
    status: "available",
  });
  const searched = afterTool(
    opened("JFK to SEA on 2024-05-20"),
    "search_direct_flight",
    { origin: "JFK", destination: "SEA", date: "2024-05-20" },
    JSON.stringify([option("HAT002", "12:00:00"), option("HAT001", "06:00:00"), option("HAT003", "18:00:00")]),
  );
  expect(lastText(searched)).toBe("<t>flights earliest @f1; then @f2; latest @f3<a>");
  const { toolCalls } = compactFormat.parseTurn('update_reservation_flights{"trip":"@r1","flights":"@f3"}', searched);
  expect(JSON.parse(toolCalls[0]?.argumentsJson ?? "")).toEqual({
    reservation_id: "@r1",
    flights: [{ flight_number: "HAT003", date: "2024-05-20" }],
  });
});
