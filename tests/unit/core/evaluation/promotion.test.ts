import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Estimate, EvaluationReport } from "#contracts/evaluation-report.ts";
import { comparesWith, decidePromotion, decidingDifference, nextBest } from "#core/evaluation/promotion.ts";

const estimate = (value: number, low: number | null, high: number | null): Estimate => ({ value, low, high });

describe("promotion", () => {
  test.each([
    { name: "better", difference: estimate(0.06, 0.01, 0.11), expected: ["promote", "promote", "promote"] },
    { name: "equal, well measured", difference: estimate(0, -0.015, 0.015), expected: ["keep", "promote", "promote"] },
    { name: "equal, badly measured", difference: estimate(0, -0.1, 0.1), expected: ["keep", "keep", "promote"] },
    { name: "a loss of 2.0 points that is certain", difference: estimate(-0.02, -0.032, -0.01), expected: ["keep", "keep", "promote"] },
    { name: "one cluster", difference: estimate(0.5, null, null), expected: ["keep", "keep", "promote"] },
  ])("of what is $name", ({ difference, expected }) => {
    const rules = ["better", "not-worse", "always"] as const;
    expect(rules.map((promote) => decidePromotion(difference, { promote, margin: 0.02 }))).toEqual(expected);
  });

  test("a campaign of 0.1.0 goes on with the rules of that release: against the one promoted last, by the point, or all above 0", () => {
    expect((["better", "not-worse", "always"] as const).map((promote) => comparesWith({ promote }))).toEqual(["best", "best", "best"]);
    expect((["better/1", "not-worse/1"] as const).map((promote) => comparesWith({ promote }))).toEqual(["promoted", "promoted"]);
    const decide = (difference: Estimate, promote: "better/1" | "not-worse/1") => decidePromotion(difference, { promote, margin: 0.02 });
    expect(decide(estimate(-0.02, -0.5, 0.5), "not-worse/1")).toBe("promote");
    expect(decide(estimate(-0.021, -0.5, 0.5), "not-worse/1")).toBe("keep");
    expect(decide(estimate(0.5, null, null), "not-worse/1")).toBe("promote");
    expect(decide(estimate(0.06, 0.01, 0.1), "better/1")).toBe("promote");
    expect(decide(estimate(0.06, 0, 0.1), "better/1")).toBe("keep");
    expect(decide(estimate(0.5, null, null), "better/1")).toBe("keep");
  });

  test("without a policy to compare with there is nothing to lose", () => {
    expect(decidePromotion(null, { promote: "better", margin: 0 })).toBe("promote");
  });

  test("the difference to the best policy decides; a report of 0.1.0 has that to the promoted one", () => {
    const comparison = (against: string, value: number) => ({ against, difference: estimate(value, null, null) });
    const report = (...comparisons: object[]) => ({ comparisons }) as unknown as EvaluationReport;
    expect(decidingDifference(report(comparison("base", 0.1), comparison("best", 0.2)))?.value).toBe(0.2);
    expect(decidingDifference(report(comparison("base", 0.1), comparison("promoted", 0.3)))?.value).toBe(0.3);
    expect(decidingDifference(report())).toBeNull();
  });
});

describe("the best so far", () => {
  const law = fc.record({ margin: fc.double({ min: 0, max: 0.3, noNaN: true }), halfWidth: fc.double({ min: 0, max: 0.2, noNaN: true }) });
  const rates = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });

  /** Promotes by `not-worse` against the best so far; returns each promoted pass rate with the best before it. */
  function chain(passRates: readonly number[], margin: number, halfWidth: number) {
    let best: { passRate: number } | null = null;
    const promoted: { passRate: number; bestBefore: number }[] = [];
    for (const passRate of passRates) {
      const value: number = passRate - (best?.passRate ?? passRate);
      const toBest = best === null ? null : estimate(value, value - halfWidth, value + halfWidth);
      if (decidePromotion(toBest, { promote: "not-worse", margin }) === "keep") continue;
      promoted.push({ passRate, bestBefore: best?.passRate ?? passRate });
      best = nextBest(best, { passRate });
    }
    return { promoted, best };
  }

  test("no chain of promotions ends more than one margin below the best, and the best never falls", () => {
    fc.assert(
      fc.property(rates, law, (passRates, { margin, halfWidth }) => {
        const { promoted, best } = chain(passRates, margin, halfWidth);
        const highest = Math.max(...promoted.map(({ passRate }) => passRate));
        expect(best?.passRate).toBe(highest);
        for (const { passRate, bestBefore } of promoted) expect(passRate - bestBefore).toBeGreaterThanOrEqual(-margin);
      }),
    );
  });

  test("policies that each lose a little less than the margin do not drift away", () => {
    const falling = Array.from({ length: 20 }, (_, i) => 0.6 - 0.015 * i);
    const { promoted } = chain(falling, 0.02, 0);
    expect(promoted.map(({ passRate }) => passRate)).toEqual(falling.slice(0, 2));
  });

  test("where two passed the same, the earlier one stays", () => {
    const [first, second] = [
      { passRate: 0.5, iteration: 1 },
      { passRate: 0.5, iteration: 2 },
    ];
    expect(nextBest(first, second)).toBe(first);
    expect(nextBest(null, second)).toBe(second);
  });
});
