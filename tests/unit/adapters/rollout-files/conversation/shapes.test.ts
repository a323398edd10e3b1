import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { importMessages } from "#adapters/rollout-files/import-messages.ts";
import { importRolloutText } from "#adapters/rollout-files/read-rollouts.ts";
import { ChatMessage } from "#contracts/rollout-line.ts";
import { sumCounts } from "#core/reading/counts.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { hasForeignInputs, readForeignInput } from "../../../../support/foreign-inputs.ts";

const convert = (messages: readonly unknown[]) => importMessages(messages.map((message) => ChatMessage.parse(message)));
const user = (content: string) => ({ role: "user", content });
const agent = (content: string | null, ...ids: string[]) => ({
  role: "assistant",
  content,
  ...(ids.length === 0 ? {} : { tool_calls: ids.map((id) => ({ id, function: { name: `f-${id}`, arguments: "{}" } })) }),
});
const result = (id: string | null, content: string) => ({ role: "tool", ...(id === null ? {} : { tool_call_id: id }), content });

/** Turns as [text, calls with results, reply]. */
const shape = ({ turns }: ReturnType<typeof convert>) =>
  turns.map(({ content, toolCalls, userReply }) => [content, toolCalls.map((call) => [call.id, call.result]), userReply]);

describe("a conversation of calls in their own field, in any shape", () => {
  const step = fc.constantFrom(
    "system",
    "user",
    "say",
    "call",
    "pair",
    "result",
    "stray",
    "user-call",
    "user-result",
  ) as fc.Arbitrary<string>;

  /** Every message has a word of its own. */
  function write(kinds: readonly string[]) {
    const open: string[] = [];
    return kinds.map((kind, index) => {
      const word = `word-${index}.`;
      const ids = kind === "pair" ? [`${index}a`, `${index}b`] : [`${index}`];
      switch (kind) {
        case "system":
          return { role: "system", content: word };
        case "user":
          return user(word);
        case "say":
          return agent(word);
        case "call":
        case "pair":
          open.push(...ids);
          return agent(word, ...ids);
        case "result":
          return result(open.shift() ?? `none-${index}`, word);
        case "stray":
          return result(`stray-${index}`, word);
        case "user-call":
          return { role: "user", content: null, tool_calls: [{ id: "u", name: word, arguments: {}, requestor: "user" }] };
        default:
          return { role: "tool", id: "u", content: word, requestor: "user" };
      }
    });
  }

  test("loses no word of which the notes do not tell that it was dropped", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (kinds) => {
        // One call at least, so that the calls are known to be in their own field.
        const read = convert(write([...kinds, "call"]));
        const kept = JSON.stringify([read.systemPrompt, read.firstUserMessage, read.turns]);
        const lost = [...kinds, "call"].filter((_, index) => !kept.includes(`word-${index}.`));
        const told = Object.entries(read.notes).filter(([note]) => note.includes("dropped"));
        expect(lost).toHaveLength(sumCounts(Object.fromEntries(told)));
      }),
    );
  });

  test("gives every result to the call of its id, wherever it stands behind the call", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.array(step, { maxLength: 8 }), (before, between) => {
        const isHarmless = (kind: string) => kind !== "result" && kind !== "stray";
        const middle = write([...before, ...between.filter(isHarmless)]);
        const read = convert([agent(null, "x", "y"), ...middle.slice(before.length), result("y", "of y"), result("x", "of x")]);
        const calls = read.turns.flatMap(({ toolCalls }) => toolCalls).filter(({ id }) => id === "x" || id === "y");
        expect(calls.map(({ id, result: found }) => [id, found])).toEqual([
          ["x", "of x"],
          ["y", "of y"],
        ]);
      }),
    );
  });
});

describe("what is kept and what is said", () => {
  test.each([
    [
      "two user messages in a row",
      [user("a"), user("b"), agent("c"), user("d"), user("e ###STOP###")],
      "a\nb",
      [["c", [], "d\ne ###STOP###"]],
      { "user messages joined to the one before": 2 },
    ],
    [
      "a message of the agent between call and result",
      [user("a"), agent(null, "1"), agent("on it"), result("1", "ok"), agent("done"), user("bye")],
      "a",
      [
        [null, [["1", "ok"]], null],
        ["on it", [], null],
        ["done", [], "bye"],
      ],
      { "results after a later message of the agent: put beside their call": 1 },
    ],
    [
      "a user message between call and result",
      [user("a"), agent("wait", "1"), user("hurry"), result("1", "ok"), agent("done")],
      "a",
      [
        ["wait", [["1", "ok"]], "hurry"],
        ["done", [], null],
      ],
      { "user messages before the result of a call: put behind it": 1 },
    ],
    [
      "no user",
      [{ role: "system", content: "solve" }, agent("thinking"), agent(null, "1"), result("1", "7"), agent("seven")],
      "",
      [
        ["thinking", [], null],
        [null, [["1", "7"]], null],
        ["seven", [], null],
      ],
      { "conversations without a user": 1 },
    ],
    [
      "a user who comes after the first call",
      [agent("hello"), agent(null, "1"), result("1", "7"), user("a")],
      "",
      [
        ["hello", [], null],
        [null, [["1", "7"]], "a"],
      ],
      {},
    ],
    [
      "what the agent's side says first",
      [agent("Welcome!"), user("a"), agent("b")],
      "a",
      [["b", [], null]],
      { "messages of the agent before the user's first: dropped": 1 },
    ],
    [
      "tau2's greeting, which all its conversations have",
      [agent("Hi! How can I help you today?"), user("a")],
      "a",
      [],
      { "conversations in which the agent has no turn": 1 },
    ],
    [
      "a result that no call asked for",
      [user("a"), agent(null, "1"), result("1", "ok"), result("1", "again"), agent("b")],
      "a",
      [
        [null, [["1", "ok"]], null],
        ["b", [], null],
      ],
      { "results of no call: dropped": 1 },
    ],
    [
      "a result under an id that nobody called",
      [user("a"), agent(null, "1", "2"), result("9", "ok")],
      "a",
      [
        [
          null,
          [
            ["1", "ok"],
            ["2", null],
          ],
          null,
        ],
      ],
      {
        "results under an unknown id: given to the first open call": 1,
        "calls without a result beside calls that have one: taken as not run": 1,
      },
    ],
    [
      "parallel results in the other order, and one that is missing",
      [user("a"), agent(null, "1", "2", "3"), result("3", "three"), result("1", "one")],
      "a",
      [
        [
          null,
          [
            ["1", "one"],
            ["2", null],
            ["3", "three"],
          ],
          null,
        ],
      ],
      { "calls without a result beside calls that have one: taken as not run": 1 },
    ],
    [
      "results without ids",
      [user("a"), agent(null, "1", "2"), result(null, "one"), result(null, "two")],
      "a",
      [
        [
          null,
          [
            ["1", "one"],
            ["2", "two"],
          ],
          null,
        ],
      ],
      {},
    ],
    [
      "other names of roles",
      [
        { role: "developer", content: "p" },
        { role: "human", content: "a" },
        { role: "gpt", content: "b" },
      ],
      "a",
      [["b", [], null]],
      {
        "messages with another name for their role (developer)": 1,
        "messages with another name for their role (gpt)": 1,
        "messages with another name for their role (human)": 1,
      },
    ],
  ] as const)("%s", (_, messages, first, turns, notes) => {
    const read = convert(messages);
    expect([read.firstUserMessage, shape(read), read.notes]).toEqual([first, turns, notes]);
  });

  test("calls without ids get names by their place, and results by name find theirs", () => {
    const calls = [
      { name: "f", arguments: {} },
      { name: "g", arguments: {} },
    ];
    const read = convert([
      user("a"),
      { role: "assistant", content: null, tool_calls: calls },
      { role: "tool", name: "g", content: "of g" },
      { role: "tool", name: "f", content: "of f" },
    ]);
    expect(shape(read)).toEqual([
      [
        null,
        [
          ["call-0-0", "of f"],
          ["call-0-1", "of g"],
        ],
        null,
      ],
    ]);
  });

  test("a result says itself whether it is an error; only where it does not its text tells", () => {
    const messages = (error: boolean | undefined) => [user("a"), agent(null, "1"), { ...result("1", "Error rates: none"), error }];
    expect([true, false, undefined].map((error) => convert(messages(error)).turns[0]?.toolCalls[0]?.isError)).toEqual([true, false, true]);
  });

  test("what a model thought is kept apart, under either name", () => {
    for (const name of ["reasoning", "reasoning_content"]) {
      expect(convert([user("a"), { ...agent("b"), [name]: "hm" }]).turns[0]).toMatchObject({ content: "b", reasoning: "hm" });
    }
  });
});

describe.skipIf(!hasForeignInputs)("files of other people", () => {
  test.each([
    ["13-assistant-between-call-and-result.jsonl", "results after a later message of the agent: put beside their call"],
    ["13-result-after-user.jsonl", "user messages before the result of a call: put behind it"],
    ["16-no-user.jsonl", "conversations without a user"],
    ["16-two-user-in-row.jsonl", "user messages joined to the one before"],
    ["16-roles-human-gpt.jsonl", "messages with another name for their role (human)"],
  ])("%s: every word is kept, and what had to be decided is counted", (name, note) => {
    const text = readForeignInput(name);
    const { rollouts, reading } = importRolloutText(name, text, createToolCatalog({}));
    expect(Object.keys(reading.notes)).toContain(note);
    const words = JSON.parse(text.split("\n")[0] ?? "").messages.map(({ content }: { content: string | null }) => content ?? "");
    const kept = JSON.stringify([rollouts[0]?.systemPrompt, rollouts[0]?.trajectory]);
    for (const word of words) expect(kept).toContain(word);
    const calls = rollouts.flatMap(({ trajectory }) => trajectory.turns.flatMap(({ toolCalls }) => toolCalls));
    expect(calls.every(({ isExecuted }) => isExecuted)).toBe(true);
  });
});
