import fc from "fast-check";
import { expect, test } from "vitest";
import { spokenText } from "#core/rollout/spoken-text.ts";

test.each([
  ["<think>secret</think>Hello.", "Hello."],
  ["<think>\nsecret\n</think>\n\nHello.", "Hello."],
  ["secret that the template opened</think>\nHello.", "Hello."],
  ["Hello. <think>secret, cut off", "Hello."],
  ["<think>a<think>b</think>c</think>Hello.", "Hello."],
  ["<Thinking>secret</Thinking>Hello.", "Hello."],
  ["[THINK]secret[/THINK]Hello.", "Hello."],
  ["<think>one</think>Hello <think>two</think>there.", "Hello there."],
  ["<|channel|>analysis<|message|>secret<|end|><|start|>assistant<|channel|>final<|message|>Hello.", "Hello."],
  ["<|channel>thought\nsecret<channel|>Hello.", "Hello."],
  ["secret that the template opened<channel|>Hello.", "Hello."],
  ["Hello. <|channel>thought\nsecret, cut off", "Hello."],
  ["<think>secret</think>", ""],
])("%j is heard as %j", (content, heard) => {
  expect(spokenText(content)).toBe(heard);
});

test("a message without reasoning is heard as it is, to the letter", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/[<[]/.test(text));
      expect(spokenText(text)).toBe(text);
    }),
  );
  expect(spokenText(" I think <3 is [less] than 4 ")).toBe(" I think <3 is [less] than 4 ");
});

test("nothing between the marks is heard, wherever they stand", () => {
  const word = fc.stringMatching(/^[a-z ]{0,12}$/);
  fc.assert(
    fc.property(word, word, fc.constantFrom("think", "THINKING", "reasoning", "scratchpad"), (before, after, tag) => {
      expect(spokenText(`${before}<${tag}>SECRET</${tag}>${after}`)).not.toContain("SECRET");
    }),
  );
});
