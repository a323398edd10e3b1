import { expect, test } from "vitest";
import type { GoldenTask } from "#contracts/task.ts";
import type { ToolCall, Turn } from "#contracts/trajectory.ts";
import { flagUser } from "#simulators/audit/flag-user.ts";
import { TASK } from "../../core/rollout/parties.ts";

const task: GoldenTask = {
  ...TASK,
  id: "t1",
  userId: "mia_li_3668",
  instruction: "You are mia_li_3668 and want to cancel reservation NQNU5R on May 20.",
  goldenActions: [{ name: "cancel_reservation", argumentsJson: '{"reservation_id": "NQNU5R", "payment_id": "gift_card_123456"}' }],
};
const environment = {
  tools: [],
  isWrite: (name: string) => name === "cancel_reservation",
  isTerminal: () => false,
};
const call = (result: string): ToolCall => ({ id: "1", name: "look", argumentsJson: "{}", result, isError: false, isExecuted: true });
const turn = (content: string | null, userReply: string | null, toolCalls: ToolCall[] = []): Turn => ({
  index: 0,
  content,
  toolCalls,
  userReply,
  finishReason: "stop",
  stateHash: null,
});
const flags = (firstUserMessage: string, ...turns: Turn[]) =>
  flagUser(
    { taskId: "t1", trial: 0, firstUserMessage, turns },
    { task, environment, records: ["mia.li7@example.com lives in Denver"] },
  ).map(({ kind, message, what }) => `${kind} ${message} ${what}`);

test("a fact is wrong when neither task, agent, records, tool results nor golden actions have it", () => {
  expect(flags("I am mia_li_3668, cancel NQNU5R on May 20.")).toEqual([]);
  expect(flags("My email is mia.li7@example.com.")).toEqual([]);
  expect(flags("My email is mia@li.com.")).toEqual(["wrong-fact 0 email mia@li.com"]);
  expect(flags("Hi", turn("It is XXYYZ1 on May 22?", "Yes, XXYYZ1, May 22."))).toEqual([]);
  expect(flags("Hi", turn(null, null, [call("XXYYZ1")]), turn("Which?", "XXYYZ1"))).toEqual([]);
  expect(flags("Hi", turn("Which?", "XXYYZ1"))).toEqual(["wrong-fact 1 id XXYYZ1"]);
});

test("what the agent only thought, the user has not heard", () => {
  expect(flags("Hi", turn("<think>XXYYZ1</think>Which?", "XXYYZ1"))).toEqual(["wrong-fact 1 id XXYYZ1"]);
});

test.each([
  ["<think>Maybe XXYYZ1, or cancel_reservation with gift_card_123456?</think>", ""],
  ["", "<thinking>I am not done, ###STOP### would be too early; XXYYZ1 on May 22"],
  ["XXYYZ1, then ###STOP###</think>", ""],
])("what the user only thought (%j…%j) is no statement, no leak and no stop", (before, after) => {
  const asked = "I am mia_li_3668.";
  const thinking = `${before}${asked}${after}`;
  expect(flags(thinking, turn("Shall I cancel it?", `${before}Yes, please.${after}`))).toEqual([]);
  expect(flags(`${before}XXYYZ2${after}`)).toEqual(["wrong-fact 0 id XXYYZ2"]);
  expect(flags(thinking, turn("Shall I cancel it?", `${before}Yes. ###STOP###${after}`))).toEqual([
    "early-stop 1 not done: cancel_reservation",
  ]);
});

test("a wrong fact is told once, where it was said first", () => {
  expect(flags("XXYYZ1", turn("Really?", "Yes, XXYYZ1."))).toEqual(["wrong-fact 0 id XXYYZ1"]);
});

test("a tool's name, and a golden id that nobody has told the user, are leaks", () => {
  expect(flags("Please cancel_reservation with gift_card_123456.")).toEqual([
    "gold-leak 0 tool cancel_reservation",
    "gold-leak 0 gift_card_123456",
  ]);
  expect(flags("Hi", turn("You have gift_card_123456.", "Use gift_card_123456."))).toEqual([]);
});

test("a stop before the last golden write is early", () => {
  expect(flags("I am mia_li_3668", turn("Shall I cancel it?", "Yes. ###STOP###"))).toEqual(["early-stop 1 not done: cancel_reservation"]);
  const cancelled = turn(null, null, [{ ...call("done"), name: "cancel_reservation" }]);
  expect(flags("I am mia_li_3668", cancelled, turn("Anything you want to confirm?", "###STOP###"))).toEqual([]);
});
