import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bootstrap, quantile } from "#core/statistics/bootstrap.ts";
import { correlationOfDeviations, correlationOfSums } from "#core/statistics/correlation.ts";
import { normalQuantile } from "#core/statistics/normal.ts";
import { wilsonInterval } from "#core/statistics/wilson.ts";

const column = (values: readonly number[]) => ({ rows: Float64Array.from(values), numRows: values.length, width: 1 });
const meanOf = (n: number) => (sums: Float64Array, out: Float64Array) => {
  out[0] = (sums[0] ?? 0) / n;
};
const OPTIONS = { resamples: 2000, confidence: 0.95, seed: "seed" };

describe("bootstrap over clusters", () => {
  test("the interval of a mean agrees with the normal approximation", () => {
    const values = Array.from({ length: 400 }, (_, i) => (i * 7919) % 101);
    const mean = values.reduce((total, value) => total + value, 0) / 400;
    const deviation = Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / 399);
    const [estimate] = bootstrap(column(values), 1, meanOf(400), OPTIONS);
    expect(estimate?.value).toBeCloseTo(mean, 9);
    expect(Math.abs((estimate?.low ?? 0) - (mean - (1.96 * deviation) / 20))).toBeLessThan(0.4);
    expect(Math.abs((estimate?.high ?? 0) - (mean + (1.96 * deviation) / 20))).toBeLessThan(0.4);
  });

  test("is a function of its seed", () => {
    const run = (seed: string) => bootstrap(column([1, 2, 3, 5, 8, 13]), 1, meanOf(6), { ...OPTIONS, seed });
    expect(run("a")).toEqual(run("a"));
    expect(run("a")).not.toEqual(run("b"));
  });

  test("a larger confidence gives an interval that holds the smaller one", () => {
    const at = (confidence: number) => bootstrap(column([1, 2, 3, 5, 8, 13]), 1, meanOf(6), { ...OPTIONS, confidence })[0];
    expect(at(0.99)?.low).toBeLessThanOrEqual(at(0.9)?.low ?? -1);
    expect(at(0.99)?.high).toBeGreaterThanOrEqual(at(0.9)?.high ?? 99);
  });

  test("what is not defined is null, and one cluster has no interval", () => {
    const undefinedEverywhere = (_: Float64Array, out: Float64Array) => {
      out[0] = Number.NaN;
    };
    expect(bootstrap(column([1, 2]), 1, undefinedEverywhere, OPTIONS)).toEqual([{ value: null, low: null, high: null }]);
    expect(bootstrap(column([4]), 1, meanOf(1), OPTIONS)).toEqual([{ value: 4, low: null, high: null }]);
  });

  test("a statistic that many resamples do not define has no interval", () => {
    const onlyWithTheLast = (sums: Float64Array, out: Float64Array) => {
      out[0] = (sums[0] ?? 0) >= 100 ? 1 : Number.NaN;
    };
    expect(bootstrap(column([0, 0, 0, 100]), 1, onlyWithTheLast, OPTIONS)).toEqual([{ value: 1, low: null, high: null }]);
  });
});

describe("quantile", () => {
  test("interpolates between neighbours and ends at the extremes", () => {
    const sorted = Float64Array.from([1, 2, 4]);
    expect([0, 0.25, 0.5, 0.75, 1].map((p) => quantile(sorted, p))).toEqual([1, 1.5, 2, 3, 4]);
  });
});

describe("correlation from sums", () => {
  test("agrees with the definition, and is 1 for a straight line", () => {
    const points = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })), {
      minLength: 3,
      maxLength: 30,
    });
    fc.assert(
      fc.property(points, (list) => {
        const n = list.length;
        const sum = (pick: (x: number, y: number) => number) => list.reduce((total, [x, y]) => total + pick(x, y), 0);
        const [mx, my] = [sum((x) => x) / n, sum((_, y) => y) / n];
        const [xx, yy, xy] = [sum((x) => (x - mx) ** 2), sum((_, y) => (y - my) ** 2), sum((x, y) => (x - mx) * (y - my))];
        const found = correlationOfSums({
          n,
          x: sum((x) => x),
          y: sum((_, y) => y),
          xx: sum((x) => x * x),
          yy: sum((_, y) => y * y),
          xy: sum((x, y) => x * y),
        });
        if (xx < 1e-6 || yy < 1e-6) expect(found).toBeNaN();
        else expect(found).toBeCloseTo(xy / Math.sqrt(xx * yy), 9);
      }),
    );
    expect(correlationOfDeviations({ n: 3, xx: 2, yy: 8, xy: 4 })).toBe(1);
  });

  test("is not defined without variance", () => {
    expect(correlationOfDeviations({ n: 5, xx: 0, yy: 1, xy: 0 })).toBeNaN();
    expect(correlationOfDeviations({ n: 1, xx: 1, yy: 1, xy: 1 })).toBeNaN();
  });
});

describe("Wilson interval", () => {
  test("of 0, 5 and 10 of 10", () => {
    expect(wilsonInterval(5, 10, 0.95)).toMatchObject({ value: 0.5 });
    expect(wilsonInterval(5, 10, 0.95)?.low).toBeCloseTo(0.23659, 4);
    expect(wilsonInterval(5, 10, 0.95)?.high).toBeCloseTo(0.76341, 4);
    expect(wilsonInterval(0, 10, 0.95)?.high).toBeCloseTo(0.27753, 4);
    expect(wilsonInterval(0, 0, 0.95)).toBeNull();
  });

  test("normal quantiles", () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963985, 8);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306, 8);
    expect(normalQuantile(0.5)).toBe(0);
  });
});
