import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holmAdjusted } from "#core/statistics/holm.ts";
import { signFlipPValue } from "#core/statistics/sign-flip.ts";

/** Every flip, one by one. */
function enumerated(differences: readonly number[]): number {
  const observed = Math.abs(differences.reduce((sum, one) => sum + one, 0));
  let numAsFar = 0;
  for (let signs = 0; signs < 2 ** differences.length; signs += 1) {
    const sum = differences.reduce((total, one, i) => total + ((signs >> i) & 1 ? one : -one), 0);
    if (Math.abs(sum) >= observed) numAsFar += 1;
  }
  return numAsFar / 2 ** differences.length;
}

const small = fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 1, maxLength: 12 });

describe("sign flips", () => {
  test("the exact p-value is the share of all flips that are as far from 0", () => {
    fc.assert(
      fc.property(small, (differences) => {
        expect(signFlipPValue(differences, "s")).toBeCloseTo(enumerated(differences), 12);
      }),
    );
  });

  test("all of one sign is 2 in 2^n; nothing different is 1; it is never 0", () => {
    expect(signFlipPValue([3, 1, 2, 5, 1], "s")).toBe(2 / 2 ** 5);
    expect(signFlipPValue([0, 0, 0], "s")).toBe(1);
    expect(signFlipPValue(new Array<number>(2000).fill(1), "s")).toBeGreaterThan(0);
  });

  test("differences too large to be counted are drawn: as exact to within the draws, seeded, never 0", () => {
    const exact = signFlipPValue([5, -3, 4, 2, 6, 1, -2, 3], "s");
    const scale = 1e9;
    const scaled = [5, -3, 4, 2, 6, 1, -2, 3].map((one) => one * scale);
    const drawn = signFlipPValue(scaled, "s");
    expect(Math.abs(drawn - exact)).toBeLessThan(5 * Math.sqrt((exact * (1 - exact)) / 100_000));
    expect(signFlipPValue(scaled, "s")).toBe(drawn);
    expect(signFlipPValue(new Array<number>(40).fill(scale), "s")).toBe(1 / 100_001);
  });

  test("under no difference p is at most alpha in at most alpha of all samples", () => {
    const sizes = [1, 2, 2, 3, 4, 4, 5, 7, 9, 11];
    const pValues = Array.from({ length: 2 ** sizes.length }, (_, signs) =>
      signFlipPValue(
        sizes.map((size, i) => ((signs >> i) & 1 ? size : -size)),
        "s",
      ),
    );
    for (const alpha of [0.01, 0.05, 0.1, 0.5]) {
      expect(pValues.filter((p) => p <= alpha).length / pValues.length).toBeLessThanOrEqual(alpha);
    }
  });
});

describe("Holm", () => {
  test("of 0.01, 0.04, 0.03", () => {
    const [first, second, third] = holmAdjusted([0.01, 0.04, 0.03]);
    expect(first).toBeCloseTo(0.03, 12);
    expect(second).toBeCloseTo(0.06, 12);
    expect(third).toBeCloseTo(0.06, 12);
  });

  test("is never below the p-value nor above Bonferroni's, keeps the order, and leaves one alone", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-9, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }), (pValues) => {
        const adjusted = holmAdjusted(pValues);
        for (const [i, p] of pValues.entries()) {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p);
          expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, p * pValues.length));
          for (const [j, q] of pValues.entries()) if (p < q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] ?? 0);
        }
        if (pValues.length === 1) expect(adjusted).toEqual(pValues);
      }),
    );
  });
});
