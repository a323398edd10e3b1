import { expect, test } from "vitest";
import { checkedReply, simulatorMessages, simulatorPrompt } from "#core/simulator/llm-prompt.ts";

test("the prompt tells the whole instruction and the stop word, and nothing of the golden actions", () => {
  const prompt = simulatorPrompt({ instruction: "You want to fly to Mars." });
  expect(prompt).toContain("You want to fly to Mars.");
  expect(prompt).toContain("###STOP###");
});

test("the opening is an answer to a greeting that the agent never said", () => {
  const messages = simulatorMessages({ instruction: "x" }, { firstUserMessage: null, exchanges: [] });
  expect(messages.map(({ role }) => role)).toEqual(["system", "user"]);
});

test("a user may stop once the conversation has begun", () => {
  expect(checkedReply("###STOP###", null, { firstUserMessage: "hi", exchanges: [{ agent: "bye", user: null }] })).toBe("###STOP###");
});

test.each(["I can't help you with that, I need it by Friday", "My agent can't help with flights to Mars?", "How can I pay you?"])(
  "%j is what a customer may say",
  (text) => {
    expect(checkedReply(text, null, { firstUserMessage: "hi", exchanges: [] })).toBe(text);
  },
);
