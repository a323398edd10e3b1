// Conversations in the forms of other vendors and frameworks: what can be read is, under whatever name it stands; what cannot is left out
// under the name of where it stands. A turn is never empty, a call never without its arguments, because nobody looked.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { importRolloutText } from "#adapters/rollout-files/read-rollouts.ts";
import { labelRollout } from "#core/reward/label-rollout.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";

const catalog = createToolCatalog({});
type Message = Readonly<Record<string, unknown>>;
const NAME = "cancel_reservation";
const ARGS = { reservation_id: "AAA111" };
const CALL = { id: "c1", type: "function", function: { name: NAME, arguments: JSON.stringify(ARGS) } };
const hear = (content: string): Message => ({ role: "user", content });
const say = (content: string): Message => ({ role: "assistant", content });
const calling = (...tool_calls: object[]): Message => ({ role: "assistant", content: "", tool_calls });
const answer = (content: string): Message => ({ role: "tool", tool_call_id: "c1", content });
const GOLDEN = [{ name: NAME, arguments: ARGS }];

const lineOf = (messages: readonly Message[], more: object = {}) =>
  JSON.stringify({ task_id: "a", outcome: 1, golden_actions: GOLDEN, messages, ...more });
const task = { user_id: "u", instruction: "cancel", actions: [], outputs: [] };
const FILES: Readonly<Record<string, (messages: readonly Message[]) => string>> = {
  JSONL: lineOf,
  "tau-bench": (traj) => JSON.stringify([{ task_id: 0, reward: 1, info: { task }, traj }]),
  tau2: (messages) =>
    JSON.stringify({
      tasks: [{ id: "0", user_scenario: "cancel", evaluation_criteria: null }],
      simulations: [{ task_id: "0", termination_reason: "user_stop", reward_info: { reward: 1 }, messages }],
    }),
};
const read = (text: string) => {
  const { rollouts, reading } = importRolloutText("x", text, catalog);
  const tiers = rollouts.map((rollout) => labelRollout(rollout.trajectory, rollout.task, "finer/1", catalog).turns.map(({ tier }) => tier));
  return { excluded: reading.excluded, notes: reading.notes, rollouts, tiers };
};

const PART = { functionCall: { name: NAME, args: ARGS } };
/** The agent's message in the form, and the name under which it is left out. */
const FOREIGN: readonly (readonly [string, Message, string])[] = [
  ["Gemini's contents", { role: "model", parts: [PART] }, "with calls that cannot be read (functionCall in parts)"],
  ["Gemini's words", { role: "model", parts: [{ text: "Done." }] }, "with messages whose words stand in parts"],
  [
    "OpenTelemetry",
    { role: "assistant", parts: [{ type: "tool_call", name: NAME }] },
    "with calls that cannot be read (tool_call in parts)",
  ],
  ["Vercel", { ...say("Done."), toolInvocations: [{ toolName: NAME }] }, "with calls that cannot be read (toolInvocations)"],
  ["Vercel, later", { role: "assistant", parts: [{ type: `tool-${NAME}` }] }, `with calls that cannot be read (tool-${NAME} in parts)`],
  [
    "Vercel's core",
    { role: "assistant", content: [{ type: "tool-call", toolName: NAME }] },
    "with calls that cannot be read (tool-call in content)",
  ],
  [
    "Anthropic",
    { role: "assistant", content: [{ type: "tool_use", name: NAME, input: ARGS }] },
    "with calls that cannot be read (tool_use in content)",
  ],
  ["Bedrock", { role: "assistant", content: [{ toolUse: { name: NAME } }] }, "with calls that cannot be read (toolUse in content)"],
  ["camel case", { ...say(""), toolCalls: [CALL] }, "with calls that cannot be read (toolCalls)"],
  [
    "LangChain",
    { ...say(""), additional_kwargs: { tool_calls: [CALL] } },
    "with calls that cannot be read (tool_calls in additional_kwargs)",
  ],
  ["LlamaIndex", { role: "assistant", blocks: [{ block_type: "text", text: "Done." }] }, "with messages whose words stand in blocks"],
  ["ShareGPT's value", { role: "assistant", value: "Done." }, "with messages whose words stand in value"],
  ["a text", { role: "assistant", content: null, text: "Done." }, "with messages whose words stand in text"],
  ["LangChain's types", { type: "ai", content: "Done." }, "with messages that have a type (ai) and no role"],
  ["the Responses API", { type: "function_call", name: NAME, arguments: "{}" }, "with items of the Responses API (function_call)"],
];

/** Forms that keep the result with the call, in a file without messages of the role tool. */
const WITH_RESULTS: readonly (readonly [string, Message, string])[] = [
  ["beside the calls", { ...calling(CALL), tool_results: [{ id: "c1", result: "ok" }] }, "with results that cannot be read (tool_results)"],
  ["in the call", calling({ ...CALL, result: "ok" }), "with results that cannot be read (result in tool_calls)"],
  [
    "as its output",
    calling({ id: "c1", name: NAME, arguments: ARGS, output: "ok" }),
    "with results that cannot be read (output in tool_calls)",
  ],
];
test.each(WITH_RESULTS)("results %s are none of nobody: the conversation is left out by their name", (_, message, why) => {
  expect(Object.keys(read(lineOf([hear("Cancel it."), message, say("Done.")])).excluded)).toEqual([expect.stringContaining(why)]);
  expect(read(lineOf([hear("Cancel it."), message, answer("ok"), say("Done.")])).tiers).toEqual([["gold_write", "message"]]);
});

test("where some messages hold words and some calls that cannot be read, it is the calls that are named", () => {
  const messages = [
    { role: "user", parts: [{ text: "Cancel it." }] },
    { role: "model", parts: [PART] },
  ];
  expect(Object.keys(read(lineOf(messages)).excluded)).toEqual(["with calls that cannot be read (functionCall in parts)"]);
});

describe.each(Object.keys(FILES))("in a file of %s", (format) => {
  test.each(FOREIGN)("%s: the conversation is left out, under the name of where its words or calls stand", (_, message, why) => {
    fc.assert(
      fc.property(fc.shuffledSubarray([say("One moment."), hear("Yes."), answer("ok")]), (more) => {
        const { rollouts, excluded } = read((FILES[format] as NonNullable<(typeof FILES)[string]>)([hear("Cancel it."), message, ...more]));
        expect(rollouts).toEqual([]);
        expect(Object.keys(excluded)).toEqual([expect.stringContaining(why)]);
      }),
    );
  });
});

const NOT_READ = "not read, and there are no arguments";
describe("arguments", () => {
  const NAMES = ["arguments", "args", "kwargs", "parameters", "input", "tool_input"];
  const calls = (key: string) => [
    { id: "c1", name: NAME, [key]: ARGS },
    { id: "c1", type: "function", function: { name: NAME, [key]: JSON.stringify(ARGS) } },
  ];
  test.each(NAMES)("of calls and of golden actions may be called %s, nested or flat", (key) => {
    for (const call of calls(key)) {
      const messages = [hear("Cancel it."), calling(call), answer("ok")];
      expect(read(lineOf(messages)).tiers).toEqual([["gold_write"]]);
      expect(read(lineOf(messages, { golden_actions: [call] })).tiers).toEqual([["gold_write"]]);
    }
  });

  test("under any other name are refused, not taken for none", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (key) => {
        fc.pre(!["id", "type", "function", "name", "__proto__", ...NAMES].includes(key));
        for (const call of calls(key)) {
          const messages = [hear("Cancel it."), calling(call), answer("ok")];
          const isObject = call.function === undefined;
          if (isObject) expect(() => read(lineOf(messages))).toThrow(NOT_READ);
          if (isObject) expect(() => read(lineOf([hear("hi"), say("ho")], { golden_actions: [call] }))).toThrow(NOT_READ);
        }
      }),
    );
  });

  test("no arguments are none", () => {
    for (const call of [
      { id: "c1", name: "think" },
      { id: "c1", name: "think", arguments: "" },
      { id: "c1", name: "think", index: 0, extra: {} },
    ])
      expect(read(lineOf([hear("hi"), calling(call), answer("")])).rollouts[0]?.trajectory.turns[0]?.toolCalls[0]?.argumentsJson).toBe(
        "{}",
      );
  });

  test.each(["parameters", "input_schema", "inputSchema"])("have their schema under %s", (key) => {
    const schema = { type: "object", properties: { reservation_id: { type: "string" }, n: { type: "integer" } } };
    for (const tool of [
      { name: NAME, [key]: schema },
      { type: "function", function: { name: NAME, [key]: schema } },
    ]) {
      const { rollouts } = read(lineOf([hear("hi"), say("ho")], { tools: [tool] }));
      expect(rollouts[0]?.tools).toEqual([{ type: "function", function: { name: NAME, description: "", parameters: schema } }]);
    }
  });
});

describe("results", () => {
  const other = { id: "c2", function: { name: "get_user_details", arguments: '{"user_id": "u"}' } };
  const results = [
    ["c2", "get_user_details", "Error: no such user"],
    ["c1", NAME, "ok"],
  ] as const;
  const resultsOf = (messages: readonly Message[]) =>
    read(lineOf([hear("Cancel it."), calling(CALL, other), ...messages])).rollouts.flatMap(({ trajectory }) =>
      trajectory.turns.flatMap(({ toolCalls }) => toolCalls.map(({ result, isError }) => [result, isError])),
    );
  const RIGHT = [
    ["ok", false],
    ["Error: no such user", true],
  ];

  test.each(["tool_call_id", "toolCallId", "call_id", "tool_use_id"])("belong to the call that %s names, in any order", (key) => {
    expect(resultsOf(results.map(([id, , content]) => ({ role: "tool", [key]: id, content })))).toEqual(RIGHT);
  });

  test.each(["name", "tool_name", "toolName"])("belong to the call of the tool that %s names", (key) => {
    expect(resultsOf(results.map(([, name, content]) => ({ role: "tool", [key]: name, content })))).toEqual(RIGHT);
  });

  test("of several calls may stand in one message, as AutoGen writes them", () => {
    const tool_responses = results.map(([id, , content]) => ({ tool_call_id: id, role: "tool", content }));
    expect(resultsOf([{ role: "tool", name: "user", content: "Error: no such user\n\nok", tool_responses }])).toEqual(RIGHT);
  });

  test("of several calls may stand in one message, each between its tags", () => {
    const both = "<tool_response>\nok\n</tool_response>\n<tool_response>\nError: no such user\n</tool_response>";
    expect(resultsOf([{ role: "tool", content: both }])).toEqual(RIGHT);
  });

  test.each(["error", "is_error", "isError"])("failed where %s says so", (key) => {
    expect(read(lineOf([hear("Cancel it."), calling(CALL), { ...answer("not found"), [key]: true }])).tiers).toEqual([["error"]]);
  });
});

test("what a model says where it declines are words", () => {
  for (const message of [
    { role: "assistant", content: null, refusal: "No." },
    { role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
  ]) {
    const { rollouts, notes } = read(lineOf([hear("Cancel it."), message]));
    expect(rollouts[0]?.trajectory.turns[0]?.content).toBe("No.");
    expect(notes).toEqual({});
  }
});

test("an agent that says nothing, and one that never came to speak, are counted", () => {
  const empty = { "messages of the agent without words or calls": 1 };
  expect(read(lineOf([hear("hi"), { role: "assistant" }])).notes).toEqual(empty);
  expect(read(lineOf([hear("hi"), say("")])).notes).toEqual(empty);
  expect(read(lineOf([hear("hi")])).notes).toEqual({ "conversations in which the agent has no turn": 1 });
});

test("an agent of which only thoughts are known is counted, be they set apart or not", () => {
  const thought = { "messages of the agent that are thought alone": 1 };
  const call = `<tool_call>${JSON.stringify({ name: NAME, arguments: ARGS })}</tool_call>`;
  for (const message of [
    { role: "assistant", content: null, reasoning_content: call },
    { role: "assistant", content: "", reasoning: "I should cancel it." },
    say(`<think>I should cancel it. ${call}</think>`),
  ])
    expect(read(lineOf([hear("Cancel it."), message, hear("Hello?"), say("Yes?")])).notes).toEqual(thought);
  expect(read(lineOf([hear("Cancel it."), { ...calling(CALL), reasoning: "I should." }, answer("{}")])).notes).toEqual({});
});

describe.each(Object.keys(FILES))("fields of messages that nobody reads, in a file of %s", (format) => {
  const notesOf = (messages: readonly Message[]) => read((FILES[format] ?? lineOf)(messages)).notes;
  const unread = (field: string, count = 1) => ({ [`fields of messages that are not read: dropped (${field})`]: count });
  const withField = (field: string, value: unknown) => notesOf([hear("Cancel it."), { ...say("Done."), [field]: value }, hear("Thanks.")]);
  const plain = notesOf([hear("Cancel it."), say("Done."), hear("Thanks.")]);

  test.each([
    ["apis", [{ request: { api_name: NAME, parameters: ARGS }, response: {}, exception: null }]],
    ["actions", [{ name: NAME, arguments: ARGS }]],
    ["action", { name: NAME }],
    ["extra", { actions: [NAME] }],
    ["commands", [`${NAME} AAA111`]],
    ["tools", JSON.stringify([{ name: NAME }])],
  ])("are counted by their name where they could hold calls, results or words: %s", (field, value) => {
    expect(withField(field, value)).toEqual({ ...plain, ...unread(field) });
  });

  test("are counted once for each message that has them, whatever they are called", () => {
    const name = fc.stringMatching(/^[a-z]{3,12}_x$/u);
    fc.assert(
      fc.property(name, fc.integer({ min: 1, max: 4 }), (field, count) => {
        const turns = Array.from({ length: count }, () => [{ ...say("Done."), [field]: [{ name: NAME }] }, hear("And?")]).flat();
        expect(notesOf([hear("Cancel it."), ...turns])).toEqual({ ...plain, ...unread(field, count) });
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ["usage", { total_tokens: 3 }],
    ["weight", 1],
    ["timestamp", "2026-11-30"],
    ["scores", [0.1, 0.2]],
    ["actions", []],
    ["extra", {}],
    ["extra", null],
  ])("are none where they say nothing: %s", (field, value) => {
    expect(withField(field, value)).toEqual(plain);
  });
});

describe("messages of the user that no call asked for", () => {
  const LOOKS = "messages of the user that look like a result: taken as words";
  const notesOf = (said: string, shown: string) => read(lineOf([hear("Cancel it."), say(said), hear(shown), say("Done.")])).notes;

  test.each([
    "<information>Doc 1: Smith</information>",
    "<interpreter>\n1\n</interpreter>",
    "<tool_result>ok</tool_result>",
    "<function_results>\nok",
    "Observation: Done",
    "FUNCTION RESPONSE: ok",
    "Execution result: ok",
    "[Tool result for cancel_reservation]: ok",
    "Agent1's Action: search[shoes]\nEnvironment Observation:\n[Back]",
    '{"status": "cancelled"}',
    '[{"name": "cancel_reservation", "results": {}}]',
  ])("and that look like a result are counted: %s", (shown) => {
    expect(notesOf("I cancel AAA111.", shown)).toEqual({ [LOOKS]: 1 });
  });

  test.each([
    "The result is fine: thanks.",
    "I have an observation: it is late.",
    "{really}",
    "[1] please",
    '{"broken',
    "<b>no</b>",
    "The output: 3",
  ])("and that a person says are words: %s", (shown) => {
    expect(notesOf("I cancel AAA111.", shown)).toEqual({});
  });

  test("a result of a call that is read is none of them, nor is what the user says first", () => {
    expect(read(lineOf([hear('{"task": "cancel"}'), calling(CALL), answer('{"status": "cancelled"}')])).notes).toEqual({});
  });

  test.each([
    ["<search>author</search>", "action tags"],
    ["<execute>\ncancel()\n</execute>", "action tags"],
    ["<tool_use><name>cancel</name></tool_use>", "tool tags"],
    ["<longcat_tool_call>cancel\n</longcat_tool_call>", "tool tags"],
    ["✿FUNCTION✿: cancel\n✿ARGS✿: {}", "tool tokens"],
    ["<|START_ACTION|>[]<|END_ACTION|>", "tool tokens"],
  ])("the agent's %s looks like a call", (said, form) => {
    const call = { [`messages that look like a call and were not run (${form})`]: 1 };
    expect(notesOf(said, "<information>Doc 1</information>")).toEqual({ ...call, [LOOKS]: 1 });
  });
});

describe("an entry of tau-bench", () => {
  const entry = { task_id: 0, reward: 1, info: { task }, traj: [hear("hi"), say("ho")] };
  test.each(["trajectory", "messages", "conversation", "history"])("whose conversation stands in %s is told so", (key) => {
    const { traj, ...rest } = entry;
    const why = `without a conversation in traj (it stands in ${key}: name that traj)`;
    expect(read(JSON.stringify([{ ...rest, [key]: traj }])).excluded).toEqual({ [why]: 1 });
  });

  test("may have its reward as true or false, and needs a task id", () => {
    for (const reward of [true, false])
      expect(read(JSON.stringify([{ ...entry, reward }])).rollouts[0]?.trajectory.outcome).toMatchObject({ passed: reward });
    expect(() => read(JSON.stringify([{ ...entry, task_id: "" }]))).toThrow(/task_id/);
  });
});

describe("tau2 without a user (llm_agent_solo)", () => {
  const actions = [
    { name: NAME, arguments: ARGS, requestor: "assistant" },
    { name: "toggle_roaming", arguments: {}, requestor: "user" },
  ];
  const messages = [
    { role: "assistant", content: null, tool_calls: [{ id: "a", name: "toggle_roaming", arguments: {}, requestor: "assistant" }] },
    { role: "tool", id: "a", content: "on", requestor: "assistant" },
    calling(CALL),
    answer("ok"),
  ];
  const run = (implementation: string) =>
    JSON.stringify({
      info: { agent_info: { implementation, llm: "m" }, environment_info: { domain_name: "telecom" } },
      tasks: [{ id: "0", user_scenario: "x", evaluation_criteria: { actions } }],
      simulations: [
        { task_id: "0", termination_reason: "<TerminationReason.AGENT_STOP: 'agent_stop'>", reward_info: { reward: 1 }, messages },
      ],
    });

  test("the golden actions of the user are the agent's; with a user they are not", () => {
    const solo = read(run("llm_agent_solo"));
    expect(solo.rollouts[0]?.task.goldenActions?.map(({ name }) => name)).toEqual([NAME, "toggle_roaming"]);
    expect(solo.rollouts[0]?.task.alsoGradedBy ?? null).toBeNull();
    expect(solo.tiers[0]).toEqual(["gold_read", "gold_write"]);
    const plain = read(run("llm_agent"));
    expect(plain.rollouts[0]?.task.goldenActions?.map(({ name }) => name)).toEqual([NAME]);
    expect(plain.rollouts[0]?.task.alsoGradedBy).toContain("the user's own actions");
    expect(plain.tiers[0]).toEqual(["read", "gold_write"]);
  });
});
