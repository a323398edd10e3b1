// What models and harnesses write into texts that is neither words nor a plain result: thoughts, errors in JSON, calls that nobody ran.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { importMessages, inferStopReason } from "#adapters/rollout-files/import-messages.ts";
import { importRolloutText } from "#adapters/rollout-files/read-rollouts.ts";
import { ChatMessage } from "#contracts/rollout-line.ts";
import { labelRollout } from "#core/reward/label-rollout.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { FORMS, steps } from "../../../../support/written-conversations.ts";

type Message = Record<string, unknown>;
const convert = (messages: readonly Message[]) => importMessages(messages.map((message) => ChatMessage.parse(message)));
const hear = (content: string): Message => ({ role: "user", content });
const say = (content: string): Message => ({ role: "assistant", content });
const call = { id: "c", name: "get_user_details", arguments: "{}" };
const opening = [{ role: "system", content: "policy" }, hear("hello")];
/** A conversation with one call and this result. */
const withResult = (content: string, more: Message = {}) =>
  convert([...opening, { role: "assistant", content: null, tool_calls: [call] }, { role: "tool", tool_call_id: "c", content, ...more }]);

const TAGS = [
  ["<think>", "</think>"],
  ["<thinking>", "</thinking>"],
  ["[THINK]", "[/THINK]"],
] as const;
const TRAPS = [
  "###STOP###",
  "plain",
  '{"name": "transfer_to_human_agents", "arguments": {"summary": "x"}}',
  '<tool_call>{"name": "think", "arguments": {}}</tool_call>',
  'Action:\n{"name": "think", "arguments": {"thought": "x"}}',
];
const thoughts = fc
  .tuple(fc.constantFrom(...TAGS), fc.constantFrom(...TRAPS))
  .map(([[open, close], trap]) => `${open}\nMaybe ${trap}? No.\n${close}\n\n`);

describe("thoughts in the text of messages", () => {
  test.each(FORMS.map((form, index) => [`${index + 1}, ${form.reader}`, form] as const))("form %s: no call is read from one", (_, form) => {
    fc.assert(
      fc.property(steps(form.isParallel), thoughts, (all, thought) => {
        const plain = all.flatMap(form.write);
        const thinking = plain.map((message) =>
          message["role"] === "assistant" && typeof message["content"] === "string"
            ? { ...message, content: `${thought}${message["content"]}` }
            : message,
        );
        const calls = (messages: readonly Message[]) =>
          convert([...opening, ...messages]).turns.map(({ toolCalls }) =>
            toolCalls.map(({ name, argumentsJson, result }) => [name, argumentsJson, result]),
          );
        expect(calls(thinking)).toEqual(calls(plain));
      }),
    );
  });

  test("of the user are no words of theirs, and are counted", () => {
    fc.assert(
      fc.property(thoughts, thoughts, (first, second) => {
        const { firstUserMessage, turns, notes } = convert([hear(`${first}cancel AAA111`), say("done"), hear(`${second}thank you`)]);
        expect(firstUserMessage).toBe("cancel AAA111");
        expect(turns[0]?.userReply).toBe("thank you");
        expect(notes["thoughts in messages of the user: dropped"]).toBe(2);
      }),
    );
  });

  test.each(["<think>\nI am done, so ###STOP###", "<think>done</think>\n\n###STOP###"])(
    "a user who ends the conversation ends it: %j",
    (last) => {
      const isTerminal = () => false;
      expect(inferStopReason(convert([...opening, say("done"), hear(last)]), isTerminal)).toBe("user-stop");
      expect(inferStopReason(convert([...opening, say("done"), hear(last), say("bye")]), isTerminal)).toBe("turn-cap");
    },
  );
});

test("lists that are Python's text in a literal stay text where no schema tells, and are counted", () => {
  const args = `{'id': '7', 'items': "['a', 'b']"}`;
  const messages = [...opening, { role: "assistant", content: null, tool_calls: [{ ...call, arguments: args }] }].map((message) =>
    ChatMessage.parse(message),
  );
  const schemaOf = (type: string) => ({
    names: new Set<string>(),
    schemaOf: () => ({ properties: { id: { type: "string" }, items: { type } } }),
  });
  const note = "calls with lists or objects as Python's text, where no schema tells: kept as text";
  expect(importMessages(messages).notes).toMatchObject({ "calls with arguments as Python literals": 1, [note]: 1 });
  for (const [type, items] of [
    ["array", ["a", "b"]],
    ["string", "['a', 'b']"],
  ] as const) {
    const { notes, turns } = importMessages(messages, schemaOf(type));
    expect(notes).toMatchObject({ "calls with arguments as Python literals": 1 });
    expect(JSON.parse(turns[0]?.toolCalls[0]?.argumentsJson ?? "")).toEqual({ id: "7", items });
  }
});

const NOT_RUN = "messages that look like a call and were not run";
describe("calls in text that nobody ran", () => {
  const json = '{"name": "cancel_reservation", "arguments": {"reservation_id": "AAA111"}}';
  test.each([json, `One moment.\n\n${json}`, `I do it now: ${json}`, `<tools>\n${json}\n</tools>`])("are counted: %j", (text) => {
    const { notes, turns } = convert([...opening, say(text), hear("Thank you for looking")]);
    expect(Object.entries(notes).filter(([note]) => note.startsWith(NOT_RUN))).toMatchObject([[expect.any(String), 1]]);
    expect(turns[0]).toMatchObject({ toolCalls: [], content: text, userReply: "Thank you for looking" });
  });

  test.each(["Your name is {Ann}.", 'The record says {"name": "Ann", "status": "gold"}.'])("words are none: %j", (text) => {
    expect(convert([...opening, say(text), hear("ok")]).notes).toEqual({});
  });
});

const IN_JSON = "results that are an error in JSON or between tags: taken as failed calls";
const LIKELY = "results that look like an error and do not say so: taken as they stand";
describe("results of failed calls", () => {
  test.each([
    ['{"error": "reservation not found"}', true, IN_JSON],
    ['{"error": {"code": 404}, "status": "error"}', true, IN_JSON],
    ['{"isError": true, "content": [{"type": "text", "text": "no"}]}', true, IN_JSON],
    ['{"success": false, "reservation": null}', false, LIKELY],
    ["Tool execution failed: no such reservation", false, LIKELY],
    ["Traceback (most recent call last):\n  File x", false, LIKELY],
    ["ValueError: no such user", false, LIKELY],
    ["Error: user not found", true, null],
    ['"Error: user not found"', true, IN_JSON],
    ["<tool_response>\nError: user not found\n</tool_response>", true, IN_JSON],
    ['<tool_response>{"name": "get", "content": {"error": "no such user"}}</tool_response>', true, IN_JSON],
    ["Observation: Error: user not found", true, IN_JSON],
    ["[TOOL_RESULTS] Error: user not found[/TOOL_RESULTS]", true, IN_JSON],
    ['[{"type": "text", "text": "Error: user not found"}]', true, IN_JSON],
    ['{"type": "text", "text": "Error: user not found"}', true, IN_JSON],
    ['{"content": [{"type": "text", "text": "Error: user not found"}]}', true, IN_JSON],
    ['{"tool_call_id": "c", "name": "get", "content": "Error: user not found"}', true, IN_JSON],
    ['{"result": "Traceback (most recent call last): x"}', false, LIKELY],
    ['"cancelled"', false, null],
    ['[{"type": "text", "text": "cancelled"}]', false, null],
    ['{"name": "Error Bear", "content": "a toy"}', false, null],
    ['{"result": {"status": "ok"}}', false, null],
    ['{"error": null, "status": "ok"}', false, null],
    ['{"failed_login": 3}', false, null],
    ["No error was found", false, null],
  ])("%j", (result, isError, note) => {
    const { turns, notes } = withResult(result);
    expect(turns[0]?.toolCalls[0]?.isError).toBe(isError);
    expect(notes).toEqual(note === null ? {} : { [note]: 1 });
  });

  test("a word of the file on it stands above its text", () => {
    for (const error of [true, false]) {
      const { turns, notes } = withResult('{"error": "x"}', { error });
      expect(turns[0]?.toolCalls[0]?.isError).toBe(error);
      expect(notes).toEqual({});
    }
  });
});

const catalog = createToolCatalog({});
const entry = (reward: number, trial: number) => ({
  task_id: 0,
  trial,
  reward,
  info: { task: { user_id: "u", instruction: "cancel", actions: [], outputs: [] } },
  traj: [...opening, say(`done ${trial}`), hear("###STOP###")],
});

test("rewards between 0 and 1 are kept, those outside earn nothing, and 1 alone is a pass; all that is not plain is counted", () => {
  const rewards = fc.array(fc.oneof(fc.constantFrom(0, 1, 1 - 1e-9, 1e-9), fc.double({ min: -3, max: 3, noNaN: true })), { minLength: 1 });
  fc.assert(
    fc.property(rewards, (all) => {
      const { rollouts, reading } = importRolloutText("f.json", JSON.stringify(all.map(entry)), catalog);
      const near = (reward: number, value: number) => Math.abs(reward - value) <= 1e-6;
      const odd = all.filter((reward) => !near(reward, 0) && !near(reward, 1));
      const graded = odd.filter((reward) => reward > 0 && reward < 1);
      expect(reading.notes["rewards between 0 and 1: kept, counted as failed"] ?? 0).toBe(graded.length);
      expect(reading.notes["rewards below 0 or above 1: counted as failed, with reward 0"] ?? 0).toBe(odd.length - graded.length);
      const kept = rollouts.map(({ trajectory }) => trajectory.outcome.reward);
      expect(kept).toEqual(all.map((reward) => (near(reward, 1) ? 1 : graded.includes(reward) ? reward : 0)));
      expect(rollouts.map(({ trajectory }) => trajectory.outcome.passed)).toEqual(all.map((reward) => near(reward, 1)));
    }),
  );
});

test("items of the Responses API are left out by their name, whatever else the file holds", () => {
  const line = (messages: readonly Message[]) => JSON.stringify({ task_id: "t", outcome: 1, messages });
  const items = [
    hear("hi"),
    { type: "function_call", call_id: "c", name: "think", arguments: "{}" },
    { type: "function_call_output", call_id: "c", output: "" },
  ];
  const text = `${line([hear("hi"), say("ho")])}\n${line(items)}\n`;
  const { rollouts, reading } = importRolloutText("f.jsonl", text, catalog);
  expect(rollouts).toHaveLength(1);
  expect(Object.keys(reading.excluded)).toEqual([expect.stringContaining("Responses API (function_call)")]);
});

test("a Git LFS pointer is called one", () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  expect(() => importRolloutText("f.json", pointer, catalog)).toThrow(/Git LFS pointer/);
});

test("calls under LangChain's name for arguments, results that say they failed in other words, and calls that nobody answered are read as what they are", () => {
  const call = { id: "c1", name: "cancel_reservation", args: { reservation_id: "AAA111" }, type: "tool_call" };
  const line = (result: object | null) =>
    JSON.stringify({
      task_id: "a",
      outcome: 1,
      golden_actions: [{ name: "cancel_reservation", arguments: { reservation_id: "AAA111" } }],
      messages: [
        { role: "user", content: "cancel it" },
        { role: "assistant", content: null, tool_calls: [call] },
        ...(result === null ? [] : [{ role: "tool", tool_call_id: "c1", content: "not allowed", ...result }]),
        { role: "assistant", content: "It is cancelled." },
      ],
    });
  const tiersOf = (result: object | null) => {
    const { rollouts, reading } = importRolloutText("x.jsonl", line(result), createToolCatalog({}));
    const tiers = rollouts.flatMap(({ trajectory, task }) =>
      labelRollout(trajectory, task, "finer/1", createToolCatalog({})).turns.map(({ tier }) => tier),
    );
    return [tiers, Object.keys(reading.notes)];
  };
  expect(tiersOf({})).toEqual([["gold_write", "message"], []]);
  expect(tiersOf({ status: "success" })).toEqual([["gold_write", "message"], []]);
  for (const failed of [{ status: "error" }, { is_error: true }, { error: true }])
    expect(tiersOf(failed)).toEqual([["error", "message"], []]);
  expect(tiersOf(null)).toEqual([["message", "message"], ["turns of calls without any result: taken as not run"]]);
});
