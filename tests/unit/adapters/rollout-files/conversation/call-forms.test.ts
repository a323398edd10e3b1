import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { knownTools } from "#adapters/rollout-files/conversation/readers.ts";
import { importMessages } from "#adapters/rollout-files/import-messages.ts";
import { importRolloutText } from "#adapters/rollout-files/read-rollouts.ts";
import { ChatMessage } from "#contracts/rollout-line.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { dumps } from "#environments/tau/python/format.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { hasForeignInputs, readForeignInput } from "../../../../support/foreign-inputs.ts";
import { FORMS, type Message, type Step, steps, words } from "../../../../support/written-conversations.ts";

const convert = (
  messages: readonly unknown[],
  ...more: Parameters<typeof importMessages> extends [unknown, ...infer Rest] ? Rest : never
) =>
  importMessages(
    messages.map((message) => ChatMessage.parse(message)),
    ...more,
  );
const SYSTEM = { role: "system", content: "policy" };
const opening = [SYSTEM, { role: "user", content: "hello" }];
const say = (content: string): Message => ({ role: "assistant", content });
const hear = (content: string): Message => ({ role: "user", content });

/** Calls with their arguments and results, and what was said and answered, as a reader should find them. */
function expected(all: readonly Step[]) {
  return all.map((step) =>
    step.type === "say"
      ? { calls: [], said: step.text, reply: step.reply }
      : { calls: step.calls.map(({ name, args, result }) => [name, dumps(args), result, true]), said: null, reply: null },
  );
}

function found(turns: ReturnType<typeof convert>["turns"]) {
  return turns.map(({ toolCalls, content, userReply }) => ({
    calls: toolCalls.map((call) => [call.name, dumps(parseJson(call.argumentsJson)), call.result, call.isExecuted]),
    said: toolCalls.length > 0 ? null : content,
    reply: userReply,
  }));
}

describe("a conversation in any form that calls are written in", () => {
  test.each(FORMS.map((form, index) => [`${index + 1}, ${form.reader}`, form] as const))(
    "form %s: is read as the same conversation",
    (_, form) => {
      fc.assert(
        fc.property(steps(form.isParallel), (all) => {
          const read = convert([...opening, ...all.flatMap(form.write)]);
          const hasCalls = all.some(({ type }) => type === "call");
          expect(found(read.turns)).toEqual(expected(all));
          expect(read.unreadable).toBeNull();
          if (hasCalls) expect(read.reader).toBe(form.reader);
        }),
      );
    },
  );

  test.each(FORMS.map((form, index) => [`${index + 1}, ${form.reader}`, form] as const))("form %s: loses no thought", (_, form) => {
    fc.assert(
      fc.property(steps(form.isParallel), (all) => {
        const text = JSON.stringify(convert([...opening, ...all.flatMap(form.write)]).turns);
        for (const step of all) {
          const isWritten = step.type === "call" && form.reader !== "act";
          if (isWritten) expect(text).toContain(JSON.stringify(step.thought).slice(1, -1));
        }
      }),
    );
  });
});

describe("text that is no call", () => {
  const DECOYS = [
    'The record is {"name": "Bo", "age": 3}.',
    '```json\n{"name": "get_order", "arguments": {"id": "7"}}\n```\nis what I would send.',
    "Action: I will look into it.",
    "My thought: none. Final words follow.",
    "Use JSON for that, in fenced blocks.",
  ];

  test("stays a message when nobody has run it", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...DECOYS), words), { minLength: 1, maxLength: 4 }), (exchanges) => {
        const read = convert([...opening, ...exchanges.flatMap(([text, reply]) => [say(text), hear(reply)])]);
        expect(read.reader).toBe("no-calls");
        expect(read.turns.map(({ content, userReply }) => [content, userReply])).toEqual(exchanges);
      }),
    );
  });

  test("beside calls in their own field stays a message, and is counted", () => {
    const called = { role: "assistant", content: null, tool_calls: [{ id: "1", name: "get", arguments: {} }] };
    const text = '<tool_call>{"name": "get", "arguments": {}}</tool_call>';
    const read = convert([...opening, called, { role: "tool", tool_call_id: "1", content: "x" }, say(text), hear("what?")]);
    expect(read.turns.map(({ toolCalls, content }) => [toolCalls.length, content])).toEqual([
      [1, null],
      [0, text],
    ]);
    expect(read.notes).toEqual({ "messages that look like a call and were not run (tool-call-tags)": 1 });
  });

  test("is a call when it names a known tool, though the conversation ends there", () => {
    const fenced = [...opening, say('```json\n{"name": "get_order", "arguments": {"id": "7"}}\n```')];
    expect(convert(fenced).turns[0]?.toolCalls).toEqual([]);
    expect(convert(fenced).notes).toEqual({ "messages that look like a call and were not run (fenced-json)": 1 });
    expect(convert(fenced, knownTools([], [{ name: "get_order" }])).turns[0]?.toolCalls).toMatchObject([
      { name: "get_order", isExecuted: false },
    ]);
  });
});

test("a call that nothing answers was not run as far as anybody knows, which is counted", () => {
  const call = '<tool_call>{"name": "get", "arguments": {}}</tool_call>';
  const read = convert([...opening, say(call), hear('{"id": 7}'), say("bye")]);
  expect(read.turns[0]).toMatchObject({ toolCalls: [{ name: "get", isExecuted: false }], userReply: '{"id": 7}' });
  expect(read.notes).toEqual({
    "calls in text without a result: taken as not run": 1,
    "messages of the user that look like a result: taken as words": 1,
  });
});

test("golden actions that can equal no call are counted", () => {
  const golden_actions = [{ name: "get", arguments: "id=7" }];
  const line = JSON.stringify({ task_id: "t", outcome: 1, messages: [...opening, say("bye")], golden_actions });
  const { reading } = importRolloutText("x.jsonl", `${line}\n`, createToolCatalog({}));
  expect(reading.notes).toEqual({ "rollouts with golden arguments that are no object": 1 });
});

test("long runs of line breaks and of marks cost no more than their length", () => {
  const texts = [
    "\n".repeat(300_000),
    "```".repeat(100_000),
    "Thought:\n".repeat(50_000),
    "<tool_call>".repeat(30_000),
    `\`\`\`${" ".repeat(200_000)}x`,
  ];
  for (const text of texts) expect(convert([...opening, say(text), hear("?")]).turns[0]?.toolCalls).toEqual([]);
});

describe("tau-bench's react", () => {
  test("takes what is no JSON for words to the user, as its harness does, and keeps the thought apart", () => {
    const read = convert([
      ...opening,
      say('Thought:\nLook.\nAction:\n{"name": "get", "arguments": {}}'),
      hear("API output: 1"),
      say("Thought:\nDone.\nAction:\nIt is one."),
      hear("###STOP###"),
    ]);
    expect(read.reader).toBe("react");
    expect(read.turns.map(({ content, reasoning, userReply }) => [content, reasoning, userReply])).toEqual([
      [null, "Look.", null],
      ["It is one.", "Done.", "###STOP###"],
    ]);
  });

  test("reads JSON in a fence, among words or as a Python literal, where a result shows that it was run", () => {
    const spellings = [
      '```json\n{"name": "get", "arguments": {"a": 1}}\n```',
      'I do this: {"name": "get", "arguments": {"a": 1}}.',
      "{'name': 'get', 'arguments': {'a': 1}}",
    ];
    for (const spelling of spellings) {
      const read = convert([
        ...opening,
        say(`Thought: x\nAction: ${spelling}`),
        hear("API output: 1"),
        say("Action: bye"),
        hear("###STOP###"),
      ]);
      expect(read.turns[0]?.toolCalls).toMatchObject([{ name: "get", argumentsJson: '{"a": 1}', result: "1" }]);
      const before = [...opening, say('Thought: y\nAction: {"name": "get", "arguments": {}}'), hear("API output: 1")];
      const unanswered = convert([...before, say(`Thought: x\nAction: ${spelling}`), hear("pardon?")]);
      expect(unanswered.turns[1]).toMatchObject({ toolCalls: [], content: spelling, reasoning: "x", userReply: "pardon?" });
      expect(unanswered.notes).toMatchObject({ "messages that look like a call and were not run (react)": 1 });
    }
  });

  test("has a name and an input in its older form, and a final answer", () => {
    const read = convert([
      ...opening,
      say('Thought: look\nAction: search\nAction Input: {"q": "x"}'),
      hear("Observation: found"),
      say("Thought: I know\nFinal Answer: here it is"),
      hear("thanks"),
    ]);
    expect(read.turns).toMatchObject([
      { toolCalls: [{ name: "search", argumentsJson: '{"q": "x"}', result: "found" }], userReply: null },
      { toolCalls: [], content: "here it is", reasoning: "I know", userReply: "thanks" },
    ]);
  });
});

describe("values of XML parameters", () => {
  const call =
    "<tool_call>\n<function=pay>\n<parameter=id>\n00123\n</parameter>\n<parameter=n>\n2\n</parameter>\n<parameter=l>\n[1, 2]\n</parameter>\n</function>\n</tool_call>";
  const messages = [...opening, say(call), { role: "tool", content: "ok" }];

  test("are typed by the tool's schema", () => {
    const properties = { id: { type: "string" }, n: { type: "integer" }, l: { type: "array" } };
    const schema = { type: "function" as const, function: { name: "pay", description: "", parameters: { properties } } };
    const read = convert(messages, knownTools([schema]));
    expect(read.turns[0]?.toolCalls[0]?.argumentsJson).toBe('{"id": "00123", "n": 2, "l": [1, 2]}');
    expect(read.notes).toEqual({});
  });

  test("stay text without one, which is counted", () => {
    const read = convert(messages);
    expect(read.turns[0]?.toolCalls[0]?.argumentsJson).toBe('{"id": "00123", "n": "2", "l": [1, 2]}');
    expect(read.notes).toEqual({ "calls with values that may be text or numbers: kept as text": 1 });
  });
});

describe("lists that are text inside a Python literal", () => {
  const given = `{'ids': "['00123', '7']", 'note': "['x']", 'n': '7'}`;
  const properties = { ids: { type: "array" }, note: { type: "string" }, n: { type: "number" } };
  const schema = { type: "function" as const, function: { name: "f", description: "", parameters: { properties } } };
  const argumentsOf = (text: string, ...schemas: (typeof schema)[]) => {
    const call = { role: "assistant", content: null, tool_calls: [{ id: "1", function: { name: "f", arguments: text } }] };
    return convert([...opening, call], knownTools(schemas)).turns[0]?.toolCalls[0]?.argumentsJson;
  };

  test("are lists where the tool's schema asks for one, and nowhere else", () => {
    expect(argumentsOf(given, schema)).toBe(`{"ids": ["00123", "7"], "note": "['x']", "n": "7"}`);
    expect(argumentsOf(given)).toBe(`{"ids": "['00123', '7']", "note": "['x']", "n": "7"}`);
  });

  test("stay what they are in arguments that are JSON: the tool was given text", () => {
    const json = `{"ids": "['00123']"}`;
    expect(argumentsOf(json, schema)).toBe(json);
  });
});

describe("calls that were run and cannot be read", () => {
  const UNREADABLE: readonly (readonly [string, Message[]])[] = [
    ["unknown form", [say("get_order(id=7)"), { role: "tool", content: "x" }]],
    ["react", [say('Thought: x\nAction: {"name": "get", "arguments": {'), hear("API output: x")]],
    ["tool-call-tags", [say('<tool_call>{"name": "get", </tool_call>'), hear("<tool_response>x</tool_response>")]],
    ["tool tokens", [say("<｜tool▁calls▁begin｜>get"), { role: "tool", content: "x" }]],
    ["DSML tags", [say('<｜DSML｜function_calls>\n<｜DSML｜invoke name="get">'), { role: "tool", content: "x" }]],
    [
      "arg_key tags",
      [say("<tool_call>get\n<arg_key>id</arg_key>\n<arg_value>7</arg_value>\n</tool_call>"), hear("<tool_response>x</tool_response>")],
    ],
    ["Python calls", [say("[get(id=7)]"), { role: "tool", content: "x" }]],
    ["Python calls", [say("```tool_code\nprint(get(id=7))\n```"), { role: "tool", content: "x" }]],
    ["Python calls", [say("<function_calls>\nget(id=7)\n</function_calls>"), { role: "tool", content: "x" }]],
    ["harmony", [say('<|channel|>commentary to=functions.get <|constrain|>json<|message|>{"id": 7}'), { role: "tool", content: "x" }]],
    ["functionary", [say('>>>get\n{"id": 7}'), { role: "tool", content: "x" }]],
  ];

  test.each(UNREADABLE)("leave the conversation out, under the name of their form: %s", (form, messages) => {
    expect(convert([...opening, ...messages, say("bye"), hear("###STOP###")]).unreadable).toBe(form);
    const line = (all: Message[]) => JSON.stringify({ task_id: "t", outcome: 1, messages: [...opening, ...all] });
    const { rollouts, reading } = importRolloutText("x.jsonl", `${line(messages)}\n${line([say("bye")])}\n`, createToolCatalog({}));
    expect(rollouts).toHaveLength(1);
    expect(reading.excluded).toEqual({ [`with calls that cannot be read (${form})`]: 1 });
  });
});

describe.skipIf(!hasForeignInputs)("files of other people", () => {
  const read = (name: string) => importRolloutText(name, readForeignInput(name), createToolCatalog({}));

  test.each([
    ["02-react.json", { react: 6 }],
    ["02-act.json", { act: 6 }],
    ["12-calls-in-text.jsonl", { "tool-call-tags": 4 }],
    ["12-legacy-function-role.jsonl", { "function-call": 4 }],
    ["12-legacy-function-call-tool-role.jsonl", { "function-call": 4 }],
    ["32-python-literal-arguments.json", { "tool-calls": 2 }],
  ])("%s: every call is read, with arguments and result", (name, readers) => {
    const { rollouts, reading } = read(name);
    expect(reading.readers).toEqual(readers);
    for (const { trajectory } of rollouts) {
      const calls = trajectory.turns.flatMap(({ toolCalls }) => toolCalls);
      expect(calls.map((call) => call.name)).toEqual(["get_reservation_details", "cancel_reservation"]);
      for (const call of calls) expect([Object.keys(JSON.parse(call.argumentsJson)), call.isExecuted]).toEqual([["reservation_id"], true]);
      expect(trajectory.turns.map(({ userReply }) => userReply)).toEqual([null, "yes", null, "###STOP###"]);
    }
  });

  test("arguments as Python literals are counted, and a call without arguments has an empty object", () => {
    expect(read("32-python-literal-arguments.json").reading.notes).toEqual({ "calls with arguments as Python literals": 2 });
    const calls = read("21-noargs-empty.json").rollouts.flatMap(({ trajectory }) => trajectory.turns.flatMap(({ toolCalls }) => toolCalls));
    expect(calls.map(({ argumentsJson }) => argumentsJson)).toEqual(["{}", "{}"]);
  });
});
