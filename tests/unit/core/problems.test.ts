// What a schema finds wrong is said with the place, what is allowed, and what was there.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { CampaignConfig } from "#contracts/campaign-config.ts";
import { RewardTableFile, TierSchemeFile } from "#contracts/reward-table.ts";
import { RolloutLine } from "#contracts/rollout-line.ts";
import { describeProblems } from "#core/problems.ts";
import { nearest } from "#core/schema-keys.ts";

function problems(schema: z.ZodType, value: unknown): string {
  const { error } = schema.safeParse(value);
  if (error === undefined) throw new Error("the value is right");
  return describeProblems(error, value, schema);
}

const LINE = { task_id: "t", messages: [{ role: "user", content: "hi" }], outcome: 1 };
const call = (toolCall: unknown) => ({ ...LINE, messages: [{ role: "assistant", tool_calls: [toolCall] }] });

describe("problems of a rollout line", () => {
  test.each([
    [{ ...LINE, outcome: "1" }, 'outcome: wanted a number from 0 to 1, true, false or null, got "1"'],
    [{ ...LINE, outcome: 1.5 }, "outcome: wanted a number from 0 to 1"],
    [{ ...LINE, outcome: Number.NaN }, "outcome: wanted a number from 0 to 1, true, false or null, got NaN"],
    [{ ...LINE, task_id: null }, "task_id: wanted text or a number, got null"],
    [{ ...LINE, messages: [{ role: "robot" }] }, 'messages.0.role: wanted "system", '],
    [{ ...LINE, messages: {} }, "messages: wanted a list, got an object"],
    [{ ...LINE, messages: [{ role: "user", content: {} }] }, "messages.0.content: wanted text or a list, got an object"],
    [{ ...LINE, messages: [{ role: "user", content: [{ text: "x" }] }] }, "messages.0.content.0.type: it is missing"],
    [call({ id: 7, function: { name: "f" } }), "messages.0.tool_calls.0.id: wanted text, got 7"],
    [call(7), "messages.0.tool_calls.0: wanted an object, got 7"],
    [{ ...LINE, messages: [] }, "messages: wanted at least 1 item, got a list of 0"],
    [
      { task_id: "t", messages: LINE.messages, reward: 1 },
      "outcome: it is missing, wanted a number from 0 to 1, true, false or null; unknown key reward; there are task_id, ",
    ],
    [{ ...LINE, outcom: 1 }, "unknown key outcom, did you mean outcome?"],
  ])("of %j", (value, expected) => {
    expect(problems(RolloutLine, value)).toContain(expected);
  });

  test("of one kind at several places are one, with the number of places", () => {
    const said = (count: number) => problems(RolloutLine, { ...LINE, messages: Array.from({ length: count }, () => ({ role: "robot" })) });
    expect(said(2).match(/got "robot"/g)).toHaveLength(1);
    expect(said(2)).toContain('got "robot" (and so at 1 more place)');
    expect(said(41)).toContain('got "robot" (and so at 40 more places)');
    const text = problems(RolloutLine, { ...LINE, reward: 1, metadata: {} });
    expect(text).toMatch(/^unknown keys reward, metadata; there are task_id, /);
    expect(text.match(/task_set/g)).toHaveLength(1);
  });

  test("of what is no object at all", () => {
    expect(problems(RolloutLine, [])).toBe("the value: wanted an object, got a list of 0");
  });
});

describe("problems of a file", () => {
  test("an unknown key of a campaign is answered with the one that was meant, of the alternative that is named", () => {
    const text = problems(CampaignConfig, {
      schemaVersion: 2,
      simulator: { type: "llm", baseUrl: "http://127.0.0.1/v1", model: "m", maxtokens: 3 },
      rollout: { groupsize: 4 },
    });
    expect(text).toContain("unknown key simulator.maxtokens, did you mean maxTokens?");
    expect(text).toContain("unknown key rollout.groupsize, did you mean groupSize?");
    expect(problems(CampaignConfig, { simulator: { type: "scripted", maxTokens: 3 } })).toContain("unknown key simulator.maxTokens");
    expect(problems(CampaignConfig, { simulator: { type: "scripted", maxTokens: 3 } })).not.toContain("did you mean maxTokens");
  });

  test("a discriminator names what there is", () => {
    expect(problems(CampaignConfig, { simulator: { type: "human" } })).toContain('simulator.type: wanted "scripted" or "llm", got "human"');
  });

  test("a key that was pasted in place of its variable's name is not repeated", () => {
    const simulator = { type: "llm", baseUrl: "http://127.0.0.1/v1", model: "m", apiKeyEnv: "sk-very-secret" };
    const text = problems(CampaignConfig, { simulator });
    expect(text).toContain("simulator.apiKeyEnv");
    expect(text).not.toContain("very-secret");
  });

  test("no message of any contract of files is the library's own", () => {
    fc.assert(
      fc.property(fc.constantFrom(CampaignConfig, RewardTableFile, TierSchemeFile, RolloutLine), fc.jsonValue(), (schema, value) => {
        fc.pre(!schema.safeParse(value).success);
        expect(problems(schema, value)).not.toMatch(/Invalid input|Invalid option|Too (small|big)|expected/);
      }),
    );
  });
});

describe("laws", () => {
  test("whatever a union of literals takes is listed, and what came is cut between characters", () => {
    const literals = fc.uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(literals, fc.string({ unit: "grapheme", minLength: 100 }), (values, received) => {
        const text = problems(z.strictObject({ key: z.union(values.map((value) => z.literal(value))) }), { key: received });
        for (const value of values) expect(text).toContain(JSON.stringify(value));
        expect(text.isWellFormed()).toBe(true);
        expect(text).toMatch(/^key: wanted .* or .*, got "/s);
      }),
    );
  });

  test("a key with another case, another separator or one letter less is found again", () => {
    const keys = ["groupSize", "tasksPerIteration", "bootstrapResamples", "maxTurns", "golden_actions"];
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.nat(), (key, at) => {
        const shortened = key.slice(0, at % key.length) + key.slice((at % key.length) + 1);
        for (const typed of [key.toLowerCase(), key.replace(/[A-Z]/g, "_$&"), shortened]) expect(nearest(typed, keys)).toBe(key);
      }),
    );
    expect(nearest("reward", keys)).toBeNull();
  });
});
