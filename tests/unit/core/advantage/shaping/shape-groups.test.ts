import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ShapingConfig } from "#contracts/shaping-config.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import type { CodeEmbedder } from "#core/advantage/shaping/embedding-similarity.ts";
import { requireProgram, shapedRewards } from "#core/advantage/shaping/shape-groups.ts";
import { shapeOutcomes } from "#core/advantage/shaping/shape-outcomes.ts";
import { tokenSimilarity } from "#core/advantage/shaping/token-similarity.ts";
import { CampaignError } from "#core/errors.ts";

/** A rollout is its outcome and its program, which stands in its first message here. */
const rollout = (passed: boolean, program: string, trial: number, reward = passed ? 1 : 0) =>
  ({ trial, firstUserMessage: program, outcome: { passed, reward } }) as unknown as Trajectory;
const parties = (openEmbedder: (model: string) => CodeEmbedder = refuse) => ({
  program: ({ firstUserMessage }: Trajectory) => firstUserMessage,
  openEmbedder,
  signal: new AbortController().signal,
});
const refuse = (): never => {
  throw new Error("nobody is to be asked");
};
const EMBEDDING = ShapingConfig.parse({ similarity: { type: "embedding", model: "m" } });

/** Vectors by which x is 0.8 like p and 0.6 like q. */
const VECTORS: Readonly<Record<string, readonly number[]>> = { p: [1, 0], q: [0, 1], x: [0.8, 0.6] };
function countingEmbedder() {
  const asked: string[][] = [];
  const embed = async (programs: readonly string[]) => {
    asked.push([...programs]);
    return programs.map((program) => VECTORS[program] ?? [1, 1]);
  };
  return { asked, open: (id: string): CodeEmbedder => ({ id, embed }) };
}

const groups = fc.array(
  fc.array(fc.record({ passed: fc.boolean(), code: fc.constantFrom("a = 1", "a = 2", "print(a)", "") }), { maxLength: 5 }),
  { maxLength: 4 },
);

describe("shaped rewards of groups", () => {
  test("by tokens, each group is shaped by its own programs alone, and no model is opened", async () => {
    await fc.assert(
      fc.asyncProperty(groups, async (list) => {
        const trajectories = list.map((group) => group.map(({ passed, code }, trial) => rollout(passed, code, trial)));
        const shaped = await shapedRewards(trajectories, ShapingConfig.parse({ alpha: 0.4 }), parties());
        const expected = list.map((group) =>
          shapeOutcomes(
            group.map(({ passed }, trial) => ({ trial, passed, outcome: passed ? 1 : 0 })),
            tokenSimilarity(group.map(({ code }) => code)),
            0.4,
          ),
        );
        expect(shaped).toEqual(expected);
      }),
    );
  });

  test("by a model: alpha 0.5 and similarities 0.8 and 0.6 give 0.35; it is asked once for all groups, and for no group without both", async () => {
    const { asked, open } = countingEmbedder();
    const mixed = [rollout(true, "p", 0), rollout(false, "x", 1), rollout(true, "q", 2)];
    const passed = [rollout(true, "never asked", 0), rollout(true, "p", 1)];
    const failed = [rollout(false, "never asked", 0)];
    const shaped = await shapedRewards([mixed, passed, failed, mixed], EMBEDDING, parties(open));
    expect(shaped).toEqual([[1, expect.closeTo(0.35, 12), 1], [1, 1], [0], [1, expect.closeTo(0.35, 12), 1]]);
    expect(asked).toEqual([["p", "x", "q"]]);
  });

  test("where no group has both, no model is asked", async () => {
    const { asked, open } = countingEmbedder();
    expect(await shapedRewards([[rollout(true, "p", 0)], [rollout(false, "q", 0)]], EMBEDDING, parties(open))).toEqual([[1], [0]]);
    expect(asked).toEqual([]);
  });

  test("an outage of the model is its error: nobody is rewarded", async () => {
    const outage = new CampaignError("provider.unavailable", "gone");
    const open = (): CodeEmbedder => ({ id: "m", embed: () => Promise.reject(outage) });
    const mixed = [rollout(true, "p", 0), rollout(false, "x", 1)];
    await expect(shapedRewards([mixed], EMBEDDING, parties(open))).rejects.toBe(outage);
  });

  test("a graded reward that is higher stays", async () => {
    const [[, graded] = []] = await shapedRewards(
      [[rollout(true, "p", 0), rollout(false, "p", 1, 0.7), rollout(false, "p", 2, 0.1)]],
      ShapingConfig.parse({}),
      parties(),
    );
    expect(graded).toBe(0.7);
  });

  test("an environment without programs is refused, with its name", () => {
    expect(() => requireProgram(ShapingConfig.parse({}), undefined, "airline")).toThrowError(/rollouts of airline write none/);
    expect(requireProgram(ShapingConfig.parse({}), "port", "code-reasoning")).toBe("port");
  });
});
