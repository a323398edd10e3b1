import fc from "fast-check";
import { expect, test } from "vitest";
import type { Turn } from "#contracts/trajectory.ts";
import type { Conversation } from "#core/ports.ts";
import { CODE_COMPACT_SPECIAL_TOKENS, codeCompactFormat, renderPieces } from "#environments/code-reasoning/compact-format/compact.ts";
import { NumberHandles } from "#environments/code-reasoning/compact-format/handles.ts";

type Call = Pick<Turn["toolCalls"][number], "name" | "argumentsJson" | "result">;

const turnOf = (index: number, content: string | null, calls: readonly Call[]): Turn => ({
  index,
  content,
  toolCalls: calls.map((call, number) => ({ id: `c${number}`, ...call, isError: false, isExecuted: call.result !== null })),
  userReply: null,
  finishReason: calls.length > 0 ? "tool_calls" : "stop",
  stateHash: null,
});
const python = (code: string, result: string | null = ""): Call => ({ name: "python", argumentsJson: JSON.stringify({ code }), result });
const talk = (question: string, ...turns: readonly [string | null, ...Call[]][]): Conversation => ({
  systemPrompt: "",
  tools: [],
  firstUserMessage: question,
  turns: turns.map(([content, ...calls], index) => ({ turn: turnOf(index, content, calls), tokens: null })),
});
const before = (conversation: Conversation, turn: number): Conversation => ({ ...conversation, turns: conversation.turns.slice(0, turn) });
const textOf = (conversation: Conversation): string =>
  renderPieces(conversation)
    .map(({ text }) => text)
    .join("");

/** Text with everything that means something to the format. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "@",
        "@@",
        "@1",
        "@12",
        "<",
        "<@",
        "<e>",
        "<p>",
        "<c>",
        "<t>",
        "12",
        "347",
        "2024-02-29",
        "-",
        ".",
        " ",
        "\n",
        "x",
        "{",
        "}",
      ),
      fc.nat({ max: 400 }).map(String),
      fc.string({ unit: "grapheme", maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));
const call = fc.oneof(
  text.map((code) => python(code)),
  fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), argumentsJson: text.map((value) => JSON.stringify({ value })), result: text }),
  text.map((argumentsJson): Call => ({ name: "python", argumentsJson, result: "[format]\nno" })),
);
const spoken = fc
  .tuple(fc.option(text.filter((value) => value !== "")), fc.array(call, { maxLength: 2 }))
  .filter(([content, calls]) => content !== null || calls.length > 0);
const conversation = fc
  .tuple(text, fc.array(spoken, { maxLength: 4 }))
  .map(([question, turns]) => talk(question, ...turns.map(([content, calls]): [string | null, ...Call[]] => [content, ...calls])));

test("handles expand to the text they were made of, whatever it is", () => {
  fc.assert(
    fc.property(text, text, (context, written) => {
      const handles = new NumberHandles();
      expect(handles.expand(handles.mention(context))).toBe(context);
      expect(handles.expand(handles.compress(written))).toBe(written);
    }),
  );
});

test("parsing a rendered turn gives its words and its calls", () => {
  fc.assert(
    fc.property(conversation, (whole) => {
      const rendered = renderPieces(whole).filter(({ trained }) => trained);
      for (const [index, { turn }] of whole.turns.entries()) {
        const parsed = codeCompactFormat.parseTurn((rendered[index]?.text ?? "").replace(/<e>$/, ""), before(whole, index));
        expect(parsed.parseError).toBeNull();
        expect(parsed.content).toBe(turn.content);
        expect(parsed.toolCalls.map(({ name, argumentsJson }) => [name, argumentsJson])).toEqual(
          turn.toolCalls.map(({ name, argumentsJson }) => [name, argumentsJson]),
        );
      }
    }),
  );
});

test("a later prompt extends the earlier prompt and its turn", () => {
  fc.assert(
    fc.property(conversation, (whole) => {
      const pieces = renderPieces(whole);
      for (let turns = 0; turns < whole.turns.length; turns++) {
        const earlier = renderPieces(before(whole, turns));
        expect(pieces.slice(0, earlier.length)).toEqual(earlier);
      }
    }),
  );
});

test("nobody but the format writes control tokens", () => {
  fc.assert(
    fc.property(text, text, (question, output) => {
      const whole = textOf(talk(question, [null, python("1", output)]));
      expect(whole.match(/<[eautpc]>/g)).toEqual(["<u>", "<a>", "<p>", "<e>", "<t>", "<a>"]);
    }),
  );
});

test("sampled turns of the past come back as their token ids", () => {
  const whole = talk("How many?", [null, python("1 + 1", "2")], ["\\boxed{2}"]);
  const sampled = { promptTokenIds: [1], tokenIds: [5, 6, 0], logprobs: [0, 0, 0] };
  const turns = whole.turns.map(({ turn }) => ({ turn, tokens: sampled }));
  expect(codeCompactFormat.renderPrompt({ ...whole, turns }).filter((segment) => "tokenIds" in segment)).toEqual(
    turns.map(() => ({ tokenIds: [5, 6, 0] })),
  );
});

test("a question, a program, its output and the answer, with handles for what has two digits", () => {
  const whole = talk(
    "Take 2024-02-28. Go 14 days back and 3 forward, x12 and 14.",
    [null, python('print("2024-02-28", 14, 3, 15)', "2024-02-17 14")],
    ["so \\boxed{2024-02-17}"],
  );
  expect(textOf(whole)).toBe(
    '<u>Take @1. Go @2 days back and 3 forward, x12 and @2.<a><p>print("@1", @2, 3, 15)<e><t>@3 @2<a>so \\boxed{@3}<e>',
  );
});

test("of an error its kind and its last line; a long output is cut", () => {
  const error = "[exception]\nTraceback (most recent call last):\n  File \"<cell 1>\", line 1\nNameError: name 'y' is not defined";
  expect(textOf(talk("?", [null, python("y", error)]))).toContain("<t>[exception] NameError: name 'y' is not defined<a>");
  expect(textOf(talk("?", [null, python("y", "z".repeat(500))])).length).toBeLessThan(300);
});

test("what a model writes that is no turn is an error, and a handle of nothing stays what it is", () => {
  expect(codeCompactFormat.parseTurn("", talk("12")).parseError).toBe("empty turn");
  expect(codeCompactFormat.parseTurn("<p>print(@1 + @2)", talk("12")).toolCalls).toEqual([
    { id: "call-0-0", name: "python", argumentsJson: '{"code":"print(12 + @2)"}' },
  ]);
  expect(CODE_COMPACT_SPECIAL_TOKENS[0]).toBe(codeCompactFormat.stopTokens[0]);
});
