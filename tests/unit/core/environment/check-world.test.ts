import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { checkWorld } from "#core/environment/check-world.ts";
import type { Episode, Resume, World } from "#core/environment/episode.ts";
import { madeUpMessages } from "#core/environment/made-up-messages.ts";
import type { ToolSchema } from "#core/ports.ts";
import { ENDLESS } from "../../../laws/episodes.ts";
import { TASK } from "../rollout/parties.ts";

const tool = (name: string, parameters: z.ZodType): ToolSchema => ({
  type: "function",
  function: { name, description: "", parameters: z.toJSONSchema(parameters) as Record<string, unknown> },
});

const OPTIONS = { clock: ENDLESS, signal: new AbortController().signal, seed: 1 };

/** Adds up. `fault` spoils one of its answers. */
function adder(resume: Resume, fault: Partial<Episode> & { readonly forgets?: boolean } = {}): World {
  const { forgets = false, ...spoilt } = fault;
  const episodeAt = (start: number): Episode => {
    let sum = start;
    return {
      act: async (calls) =>
        calls.map(({ name, argumentsJson }) => {
          sum += argumentsJson.length;
          return { text: `${name} ${sum}`, isError: false };
        }),
      fingerprint: async () => (resume === "restart" ? null : String(sum)),
      grade: async () => ({ reward: 0.5, passed: sum > 0, parts: {} }),
      close: async () => {},
      snapshot: async () => String(sum),
      ...spoilt,
    };
  };
  return {
    id: "adder",
    tools: [tool("add", z.strictObject({ by: z.number() })), tool("finish", z.strictObject({}))],
    systemPrompt: "",
    protocol: {
      opens: "task",
      stopTokens: [],
      terminalTools: ["finish"],
      handOverTools: [],
      callsPerMessage: "all",
      limits: { maxTurns: null, maxErrors: null },
    },
    resume,
    open: async (_task, { snapshot }) => episodeAt(snapshot === null || forgets ? 0 : Number(snapshot)),
  };
}

describe("a world that keeps the laws", () => {
  test.each(["re-execute", "restore", "restart"] as const)("and %ss breaks none", async (resume) => {
    const check = await checkWorld(adder(resume), [TASK, { ...TASK, id: "other" }], OPTIONS);
    expect(check.broken).toEqual([]);
    expect(check.numCalls).toBeGreaterThan(8);
    expect(check.laws.includes("goes-on")).toBe(resume !== "restart");
    expect(check.doNothingFloor).toBe(0);
  });
});

describe("a world that breaks one", () => {
  test("by a snapshot that is not what is opened", async () => {
    const { broken } = await checkWorld(adder("restore", { forgets: true }), [TASK], OPTIONS);
    expect(broken).toEqual([
      {
        law: "goes-on",
        taskId: TASK.id,
        what: expect.stringMatching(/^opened from the snapshot of message 0, its fingerprint is "0", before it was "\d+"$/),
      },
    ]);
  });

  test("is told once for a task, however often it is met, and its floor is not known", async () => {
    const grade = () => Promise.reject(new Error("bug"));
    const check = await checkWorld(adder("re-execute", { grade }), [TASK], OPTIONS);
    expect(check.broken).toEqual([{ law: "grades", taskId: TASK.id, what: "Error: bug" }]);
    expect(check.doNothingFloor).toBeNull();
  });

  test("by hanging is given up at its deadline", async () => {
    let isHanging = false;
    const clock = { ...ENDLESS, sleep: () => (isHanging ? Promise.resolve() : ENDLESS.sleep(0, OPTIONS.signal)) };
    const act = () => {
      isHanging = true;
      return new Promise<never>(() => {});
    };
    const { broken } = await checkWorld(adder("re-execute", { act }), [TASK], { ...OPTIONS, clock });
    expect(broken).toContainEqual({ law: "answers", taskId: TASK.id, what: expect.stringContaining("gave no answer to act within 120 s") });
  });
});

describe("made-up messages", () => {
  const leaf = fc.constantFrom<z.ZodType>(
    z.string(),
    z.number(),
    z.int().min(3).max(5),
    z.boolean(),
    z.enum(["a", "b"]),
    z.literal(7),
    z.array(z.string()),
    z.union([z.string(), z.null()]),
  );
  const nested = fc.oneof(
    leaf,
    fc
      .array(leaf, { minLength: 1, maxLength: 3 })
      .map((parts) => z.strictObject(Object.fromEntries(parts.map((part, index) => [`k${index}`, part])))),
  );

  test("have arguments that the tool's schema allows, one message of all tools, malformed ones and an unknown tool; what ends comes last", () => {
    fc.assert(
      fc.property(fc.array(nested, { minLength: 1, maxLength: 4 }), fc.nat(), (parts, seed) => {
        const schema = z.strictObject(Object.fromEntries(parts.map((part, index) => [`p${index}`, index === 1 ? part.optional() : part])));
        const world = { ...adder("restart"), tools: [tool("try", schema), tool("finish", z.strictObject({}))] };
        const messages = madeUpMessages(world, { ...TASK, goldenActions: [] }, seed);
        expect(schema.safeParse(JSON.parse(messages[0]?.[0]?.argumentsJson ?? "")).error).toBeUndefined();
        expect(messages.at(-1)?.map(({ name }) => name)).toEqual(["finish"]);
        const texts = messages.flat().map(({ name, argumentsJson }) => `${name} ${argumentsJson}`);
        expect(texts).toEqual(expect.arrayContaining(["try {not json", "no_such_tool {}"]));
        expect(madeUpMessages(world, { ...TASK, goldenActions: [] }, seed)).toEqual(messages);
      }),
    );
  });
});
