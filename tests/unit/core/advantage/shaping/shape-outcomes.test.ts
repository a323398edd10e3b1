import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { computeAdvantages } from "#core/advantage/compute-advantages.ts";
import { type ShapedMember, shapeOutcomes } from "#core/advantage/shaping/shape-outcomes.ts";
import { tokenSimilarity } from "#core/advantage/shaping/token-similarity.ts";

const line = fc.constantFrom("total = 0", "total += i", "for i in range(9):", "print(total)", "x = sum(range(9))", "# a word", "");
const program = fc.array(line, { maxLength: 5 }).map((lines) => lines.join("\n"));
const member = fc.record({ passed: fc.boolean(), code: program, partial: fc.constantFrom(0, 0.2, 0.9) });
const groups = fc.array(member, { maxLength: 7 });
const alphas = fc.constantFrom(0, 0.25, 0.5, 1);

type Member = ShapedMember & { readonly code: string };
const membersOf = (list: readonly { passed: boolean; code: string; partial: number }[]): Member[] =>
  list.map(({ passed, code, partial }, trial) => ({ trial, passed, code, outcome: passed ? 1 : partial }));
const shape = (members: readonly Member[], alpha: number) =>
  shapeOutcomes(members, tokenSimilarity(members.map(({ code }) => code)), alpha);

describe("the printed formula", () => {
  test("alpha 0.5 and similarities 0.8 and 0.6 to two passing rollouts give 0.35", () => {
    const members = [true, false, true].map((passed, trial) => ({ trial, passed, outcome: passed ? 1 : 0 }));
    const similarities: Readonly<Record<string, number>> = { "1,0": 0.8, "1,2": 0.6 };
    expect(shapeOutcomes(members, (i, j) => similarities[`${i},${j}`] ?? Number.NaN, 0.5)).toEqual([1, 0.35, 1]);
  });

  test("what was shaped goes into returns as Eq. 6 of the paper has them: the outcome on the last turn", () => {
    const config = AdvantageConfig.parse({ type: "gtpo/1", terminal: "last", scope: "batch", ddof: 0, epsilon: 1e-12 });
    const members = [1, 0].map((outcome, trial) => ({
      trial,
      outcome: outcome as 0 | 1,
      isTruncated: false,
      // The shaped part of a failure and the penalty of a first turn without a call are turn rewards like any other.
      turnRewards_T: outcome === 1 ? [0, 0] : [-0.1, 0.35],
    }));
    const returns = [0.9, 1, -0.1 + 0.9 * 0.35, 0.35];
    const mean = returns.reduce((sum, value) => sum + value) / 4;
    const deviation = Math.sqrt(returns.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4);
    const { advantages } = computeAdvantages([{ taskId: "t", members }], config);
    advantages.flat(2).forEach((value, i) => {
      expect(value).toBeCloseTo(((returns[i] ?? 0) - mean) / deviation, 9);
    });
  });
});

describe("laws of shaping", () => {
  test("a failed outcome is never lowered and never above both what it was and alpha; a passing one is as it was", () => {
    fc.assert(
      fc.property(groups, alphas, (list, alpha) => {
        const members = membersOf(list);
        shape(members, alpha).forEach((shaped, i) => {
          const { outcome, passed } = members[i] as Member;
          if (passed) expect(shaped).toBe(outcome);
          expect(shaped).toBeGreaterThanOrEqual(outcome);
          expect(shaped).toBeLessThanOrEqual(Math.max(outcome, alpha));
        });
      }),
    );
  });

  test("where nobody passed, everybody passed, or alpha is 0, nothing changes", () => {
    fc.assert(
      fc.property(groups, alphas, fc.boolean(), (list, alpha, passed) => {
        const equal = membersOf(list.map((one) => ({ ...one, passed })));
        expect(shape(equal, alpha)).toEqual(equal.map(({ outcome }) => outcome));
        expect(shape(membersOf(list), 0)).toEqual(membersOf(list).map(({ outcome }) => outcome));
      }),
    );
  });

  test("members in another order get the same numbers, to the digit", () => {
    fc.assert(
      fc.property(groups, alphas, fc.infiniteStream(fc.nat()), (list, alpha, keys) => {
        const members = membersOf(list);
        const order = members.map((_, i) => ({ i, key: keys.next().value })).sort((a, b) => a.key - b.key || a.i - b.i);
        const shaped = shape(members, alpha);
        const permuted = shape(
          order.map(({ i }) => members[i] as Member),
          alpha,
        );
        expect(permuted).toEqual(order.map(({ i }) => shaped[i]));
      }),
    );
  });

  test("a failed rollout whose program is that of every passing one gets exactly alpha, whatever else the group wrote", () => {
    fc.assert(
      fc.property(program, groups, alphas, (code, others, alpha) => {
        fc.pre(/[a-z]/.test(code.replaceAll("# a word", "")));
        const failing = others.map((one) => ({ ...one, passed: false, partial: 0 }));
        const members = membersOf([{ passed: true, code, partial: 0 }, { passed: false, code, partial: 0 }, ...failing]);
        expect(shape(members, alpha)[1]).toBe(alpha);
      }),
    );
  });

  test("who wrote no code gets no credit for code", () => {
    const members = membersOf([
      { passed: true, code: "", partial: 0 },
      { passed: false, code: "# nothing", partial: 0 },
      { passed: true, code: "print(1)", partial: 0 },
    ]);
    expect(shape(members, 0.5)).toEqual([1, 0, 1]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1.5, -2])("a similarity of %s is refused, not credited", (value) => {
    const members = membersOf([true, false].map((passed) => ({ passed, code: "", partial: 0 })));
    expect(() => shapeOutcomes(members, () => value, 0.5)).toThrowError(/expected a cosine/);
  });

  test.each([Number.NaN, -0.1, 1.1])("an alpha or an outcome of %s is refused", (value) => {
    expect(() => shapeOutcomes([], () => 1, value)).toThrowError(/alpha is/);
    expect(() => shapeOutcomes([{ trial: 3, passed: false, outcome: value }], () => 1, 0.5)).toThrowError(/trial 3: the outcome/);
  });
});
