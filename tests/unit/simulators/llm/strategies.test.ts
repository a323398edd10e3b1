import { describe, expect, test } from "vitest";
import type { RoleMessage } from "#simulators/llm/prompts.ts";
import { parseReact, parseReflection, type StrategyName, USER_STRATEGIES } from "#simulators/llm/strategies.ts";

const MESSAGES: RoleMessage[] = [
  { role: "system", content: "be curt" },
  { role: "user", content: "Which flight?" },
];

/** A model that gives these answers in turn; what it was asked is kept. */
async function play(name: StrategyName, answers: readonly string[]) {
  const asked: (readonly RoleMessage[])[] = [];
  const spoken = await USER_STRATEGIES[name].speak(MESSAGES, async (messages) => {
    const answer = answers[asked.length];
    if (answer === undefined) throw new Error("one call too many");
    asked.push([...messages]);
    return answer;
  });
  return { ...spoken, asked };
}

test("every strategy has a version of its own", () => {
  expect(Object.values(USER_STRATEGIES).map(({ id }) => id)).toEqual(["llm/1", "react/1", "verify/1", "reflection/1"]);
});

test("llm says what the model says", async () => {
  expect(await play("llm", ["HAT001"])).toEqual({ content: "HAT001", memory: null, asked: [MESSAGES] });
});

describe("react", () => {
  test("says the response, keeps the thought for itself, and remembers both", async () => {
    const text = "Thought:\nHe asks for the flight.\n\nUser Response:\nHAT001, please.";
    expect(await play("react", [text])).toEqual({ content: "HAT001, please.", memory: text, asked: [MESSAGES] });
  });

  test.each(["Thought: done.\nUser Response:\nThanks! ###STOP###", "Thought: so ###STOP###", "###STOP###"])(
    "stops, and says nothing else, when the stop word stands anywhere: %j",
    (text) => {
      expect(parseReact(text)).toBe("###STOP###");
    },
  );

  test.each([
    "HAT001",
    "Thought: what now?",
    "User Response: ",
    "User Response: a User Response: b",
    "Thought: a\nUser Response: b\nThought: c",
  ])("has no message in %j", (text) => {
    expect(() => parseReact(text)).toThrow(expect.objectContaining({ code: "simulator.invalid-format" }));
  });
});

describe("verify", () => {
  test("asks once when the first reply is found good, in whatever words", async () => {
    const { content, asked } = await play("verify", ["HAT001", "Classification: TRUE."]);
    expect(content).toBe("HAT001");
    expect(asked).toHaveLength(2);
    expect(asked[1]?.[0]?.content).toContain("HAT001");
  });

  test("asks again after a rejection, with the same conversation", async () => {
    const { content, asked } = await play("verify", ["a", "false", "b", "true"]);
    expect(content).toBe("b");
    expect([asked[0], asked[2]]).toEqual([MESSAGES, MESSAGES]);
  });

  test("uses the third reply whatever the verdict", async () => {
    const { content, asked } = await play("verify", ["a", "false", "b", "no", "c", "false"]);
    expect(content).toBe("c");
    expect(asked).toHaveLength(6);
  });
});

describe("reflection", () => {
  const REWRITE = "Reflection:\nToo long.\n\nResponse:\nShort.";

  test("leaves a good reply alone", async () => {
    const { content, asked } = await play("reflection", ["a", "true"]);
    expect(content).toBe("a");
    expect(asked).toHaveLength(2);
  });

  test("after a rejection asks for a rewrite, shows it to the model and judges the new reply", async () => {
    const { content, asked } = await play("reflection", ["a", "false", REWRITE, "b", "true"]);
    expect(content).toBe("b");
    expect(asked[2]?.[0]?.content).toContain("# Rejected message of the customer\na\n");
    expect(asked[3]).toEqual([...MESSAGES, { role: "user", content: "Short." }]);
    expect(asked[4]?.[0]?.content).toContain("# Next message of the customer\nb\n");
  });

  test("uses the first reply when the second is rejected too", async () => {
    const { content, asked } = await play("reflection", ["a", "false", REWRITE, "b", "false"]);
    expect(content).toBe("a");
    expect(asked).toHaveLength(5);
  });

  test.each(["no form at all", "Reflection: x\nResponse:\n", "Response: a Response: b"])("has no rewrite in %j", (text) => {
    expect(() => parseReflection(text)).toThrow(expect.objectContaining({ code: "simulator.invalid-format" }));
  });
});
