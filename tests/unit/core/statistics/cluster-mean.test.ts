import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { betaCdf, betaQuantile, studentQuantile } from "#core/statistics/beta.ts";
import { differenceInterval, meanOf, shareInterval, standardError, totalsByCluster } from "#core/statistics/cluster-mean.ts";
import { normalQuantile } from "#core/statistics/normal.ts";

describe("beta and Student's t", () => {
  test.each([
    // scipy.stats.beta.cdf, 1.17.1
    { x: 0.3, a: 0.5, b: 0.5, expected: 0.3690101195655537 },
    { x: 0.2, a: 2, b: 5, expected: 0.34464 },
    { x: 0.9, a: 0.64, b: 0.88, expected: 0.9112645929984706 },
    { x: 0.01, a: 30, b: 0.5, expected: 0 },
  ])("the distribution function of Beta($a, $b) at $x", ({ x, a, b, expected }) => {
    expect(betaCdf(x, a, b)).toBeCloseTo(expected, 9);
  });

  test.each([
    // tables of Student's t
    { probability: 0.975, degrees: 1, expected: 12.7062047 },
    { probability: 0.975, degrees: 4, expected: 2.7764451 },
    { probability: 0.8, degrees: 19, expected: 0.8609506 },
    { probability: 0.005, degrees: 30, expected: -2.7499957 },
  ])("t with $degrees degrees of freedom at $probability", ({ probability, degrees, expected }) => {
    expect(studentQuantile(probability, degrees)).toBeCloseTo(expected, 6);
  });

  test("quantiles invert the distribution function, and t becomes normal", () => {
    const parameter = fc.double({ min: 0.5, max: 40, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), parameter, parameter, (probability, a, b) => {
        expect(betaCdf(betaQuantile(probability, a, b), a, b)).toBeCloseTo(probability, 8);
      }),
    );
    expect(studentQuantile(0.975, 1e6)).toBeCloseTo(normalQuantile(0.975), 5);
    expect(studentQuantile(0.5, 3)).toBe(0);
  });
});

const row = fc.record({ cluster: fc.constantFrom("a", "b", "c", "d"), value: fc.double({ min: -1, max: 1, noNaN: true }) });

describe("the mean over clusters", () => {
  test("is that of the tasks, whatever their clusters", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), (rows) => {
        expect(meanOf(totalsByCluster(rows))).toBeCloseTo(rows.reduce((sum, { value }) => sum + value, 0) / rows.length, 12);
      }),
    );
  });

  test("with one task in each cluster the standard error is the textbook's", () => {
    const values = [0.2, 0.9, 0.4, 0.4, 0];
    const mean = 0.38;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4);
    const totals = totalsByCluster(values.map((value, i) => ({ cluster: String(i), value })));
    expect(standardError(totals)).toBeCloseTo(deviation / Math.sqrt(5), 12);
  });

  test("tasks that repeat each other within clusters add nothing", () => {
    const values = [0.2, 0.9, 0.4, 0.4, 0];
    const once = totalsByCluster(values.map((value, i) => ({ cluster: String(i), value })));
    const thrice = totalsByCluster(values.flatMap((value, i) => [0, 1, 2].map(() => ({ cluster: String(i), value }))));
    expect(standardError(thrice)).toBeCloseTo(standardError(once) ?? 0, 12);
  });

  test("intervals hold their value and stay where shares and differences live; one cluster has none", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), (rows) => {
        const shares = totalsByCluster(rows.map((one) => ({ ...one, value: Math.abs(one.value) })));
        const share = shareInterval(shares, 100, 0.95);
        const difference = differenceInterval(totalsByCluster(rows), 0.25, 0.95);
        if (shares.sums.length === 1) expect([share.low, share.high, difference.low, difference.high]).toEqual([null, null, null, null]);
        else {
          for (const [{ value, low, high }, bottom] of [
            [share, 0],
            [difference, -1],
          ] as const) {
            expect(low).toBeGreaterThanOrEqual(bottom);
            expect(high).toBeLessThanOrEqual(1);
            expect(low).toBeLessThanOrEqual(value);
            expect(high).toBeGreaterThanOrEqual(value);
          }
        }
      }),
    );
  });
});
