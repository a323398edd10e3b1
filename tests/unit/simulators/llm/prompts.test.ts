import { expect, test } from "vitest";
import { reactPrompt, reflectPrompt, simulatorMessages, simulatorPrompt, verifyPrompt } from "#simulators/llm/prompts.ts";

const view = {
  firstUserMessage: "one",
  exchanges: [
    { agent: "two", user: "three" },
    { agent: "four", user: null },
  ],
};

test.each([simulatorPrompt, reactPrompt])("%o tells the whole instruction and the stop word", (prompt) => {
  expect(prompt({ instruction: "You want to fly to Mars." })).toContain("You want to fly to Mars.");
  expect(prompt({ instruction: "" })).toContain("###STOP###");
});

test("the opening is an answer to a greeting that the agent never said", () => {
  const messages = simulatorMessages("s", { firstUserMessage: null, exchanges: [] });
  expect(messages.map(({ role }) => role)).toEqual(["system", "user"]);
});

test("the conversation is told with roles turned round, and ends with what the agent said last", () => {
  const messages = simulatorMessages("s", view);
  expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user", "assistant", "user"]);
  expect(messages.slice(2).map(({ content }) => content)).toEqual(["one", "two", "three", "four"]);
});

test("a user that remembers more than it said reads its memory in the place of its words", () => {
  const messages = simulatorMessages("s", { ...view, memories: ["thought one", null] });
  expect(messages.slice(2).map(({ content }) => content)).toEqual(["thought one", "two", "three", "four"]);
});

test.each([verifyPrompt, reflectPrompt])("%o calls everybody by their right name", (prompt) => {
  const text = prompt(simulatorMessages("be curt", view), "the reply");
  expect(text).toContain("Instructions of the customer: be curt\nAgent: Hi!");
  expect(text).toContain("Customer: one\nAgent: two\nCustomer: three\nAgent: four");
  expect(text).toContain("the reply");
});
