import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RewardTable } from "#contracts/reward-table.ts";
import { calibrate } from "#core/calibration/calibrate.ts";
import { fitTable } from "#core/calibration/fit-table.ts";
import { PLANTED, plantedRollouts } from "#core/calibration/planted-rollouts.ts";
import { createRewardTable } from "#core/reward/reward-table.ts";
import { tierScheme } from "#core/reward/tiers.ts";
import { CONFIG, MT_GRPO } from "./example-3.ts";

const SCHEME = tierScheme("finer/1");
const tableOf = (values: Readonly<Record<string, number>>) =>
  createRewardTable({ schemaVersion: 1, name: "author", scheme: "finer/1", values });

/** Certain correlations of some tiers; nothing is known about the others. */
function fitOf(authorTable: RewardTable, rhos: Readonly<Record<string, number>>, config = CONFIG, inForceTable = authorTable) {
  const evidence = Object.entries(rhos).map(([tier, rho]) => ({
    tier,
    pooled: rho,
    withinTask: { value: rho, low: rho - 1e-9, high: rho + 1e-9 },
    support: 1000,
  }));
  return fitTable({ scheme: SCHEME, evidence, authorTable, inForceTable, config, iteration: 1, bufferSha256: "b".repeat(64) });
}
const numbers = ({ table }: ReturnType<typeof fitOf>) => SCHEME.tiers.map((tier) => Number(table.values[tier]));

const TIERS = ["gold_write", "wrong_write", "state", "read", "error", "transfer"] as const;
const value = fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1, noNaN: true }), fc.double({ min: -1, max: -0.01, noNaN: true }));
const byTier = fc.record(Object.fromEntries(TIERS.map((tier) => [tier, value])));
const factor = fc.double({ min: 0.05, max: 20, noNaN: true });
const expectClose = (found: readonly number[], wanted: readonly number[]) => {
  for (const [i, one] of found.entries()) expect(Math.abs(one - (wanted[i] ?? Number.NaN)), SCHEME.tiers[i]).toBeLessThan(1e-9);
};
const scaled = (values: Readonly<Record<string, number>>, by: number) =>
  Object.fromEntries(Object.entries(values).map(([tier, one]) => [tier, one * by]));

describe("fitted values on the author's scale", () => {
  test("a multiple of the author's table gives the same multiple of the fitted one, and the same findings", () => {
    fc.assert(
      fc.property(byTier, byTier, factor, (author, rhos, by) => {
        fc.pre(Object.values(author).some((one) => one !== 0));
        const [one, other] = [fitOf(tableOf(author), rhos), fitOf(tableOf(scaled(author, by)), rhos)];
        expectClose(
          numbers(other).map((x) => x / by),
          numbers(one),
        );
        expect(other.table.intendedSigns).toEqual(one.table.intendedSigns);
        expect([other.conflicts, other.kept, other.revalued]).toEqual([one.conflicts, one.kept, one.revalued]);
      }),
    );
  });

  test("what the author spends on the deeds that both value is spent again, in other shares", () => {
    fc.assert(
      fc.property(byTier, byTier, (author, rhos) => {
        const fitted = fitOf(tableOf(author), rhos).table.values;
        const common = TIERS.filter((tier) => author[tier] !== 0 && fitted[tier] !== 0 && Math.abs(rhos[tier] ?? 0) > CONFIG.delta);
        const spent = (of: (tier: string) => number) => common.reduce((total, tier) => total + Math.abs(of(tier)), 0);
        expect(Math.abs(spent((tier) => Number(fitted[tier])) - spent((tier) => author[tier] ?? 0))).toBeLessThan(1e-9);
      }),
    );
  });

  test("the shares are those of the correlations", () => {
    const { values } = fitOf(tableOf({ gold_write: 1, state: -0.1, error: -0.1 }), { gold_write: 0.444, state: -0.582 }).table;
    expect(Number(values["gold_write"]) / Number(values["state"])).toBeCloseTo(0.444 / -0.582, 9);
    expect([values["gold_write"], values["state"], values["error"]].map((x) => Number(x).toFixed(3))).toEqual([
      "0.476",
      "-0.624",
      "-0.100",
    ]);
  });

  test("correlations that are all weaker by the same factor give the same table: noise does not take pay away from what it does not touch", () => {
    fc.assert(
      fc.property(byTier, byTier, fc.double({ min: 0.1, max: 1, noNaN: true }), (author, rhos, by) => {
        const loose = { ...CONFIG, delta: 0 };
        const [strong, weak] = [fitOf(tableOf(author), rhos, loose), fitOf(tableOf(author), scaled(rhos, by), loose)];
        fc.pre(TIERS.some((tier) => author[tier] !== 0 && strong.revalued.includes(tier)));
        expectClose(numbers(weak), numbers(strong));
      }),
    );
  });

  test("where the data agrees with the author's proportions the author's values come out", () => {
    fc.assert(
      fc.property(byTier, factor, (author, by) => {
        const rhos = Object.fromEntries(
          Object.entries(author).map(([tier, one]) => [tier, Math.max(-1, Math.min(1, one * Math.min(by, 1)))]),
        );
        const table = tableOf(author);
        expectClose(
          numbers(fitOf(table, rhos, { ...CONFIG, delta: 0 })),
          SCHEME.tiers.map((tier) => Number(tier === "equiv_write" ? 0 : table.values[tier])),
        );
      }),
    );
  });

  test("a lone deed gets the author's value, to the bit: there is nothing that it could be compared with", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), fc.double({ min: 0.06, max: 1, noNaN: true }), (author, rho) => {
        expect(fitOf(tableOf({ gold_write: author }), { gold_write: rho }).table.values["gold_write"]).toBe(author);
      }),
    );
  });

  test("a deed that the author does not value is paid at the rate of those that are; without any, at the most that is paid for anything", () => {
    expect(fitOf(tableOf({ gold_write: 1 }), { gold_write: 0.4, read: 0.2 }).table.values).toMatchObject({ gold_write: 1, read: 0.5 });
    expect(fitOf(tableOf({ gold_write: 2 }), { read: 0.25 }).table.values).toMatchObject({ gold_write: 2, read: 0.5 });
    expect(fitOf(tableOf({}), { read: 0.25 }).table.values).toMatchObject({ read: 0.25 });
  });

  test("alpha multiplies the scale", () => {
    const author = tableOf({ gold_write: 1, state: -0.1 });
    const rhos = { gold_write: 0.4, state: -0.4, read: 0.3 };
    const once = numbers(fitOf(author, rhos));
    expectClose(
      numbers(fitOf(author, rhos, { ...CONFIG, alpha: 0.5 })),
      once.map((x) => x / 2),
    );
  });

  test("the published rule and the first one stay in units of the correlation", () => {
    const author = tableOf({ gold_write: 1, state: -0.1 });
    for (const rule of ["algorithm-1", "within-task/1"] as const) {
      const { table, scale } = fitOf(author, { gold_write: 0.444, state: -0.582 }, { ...CONFIG, rule });
      expect([table.values["gold_write"], table.values["state"], scale]).toEqual([0.444, -0.582, null]);
    }
  });
});

describe("a whole calibration under a multiple of the author's table", () => {
  const VALUES = { [PLANTED.useful]: 1, [PLANTED.harmful]: -0.1 };
  const rollouts = plantedRollouts({ numRollouts: 800, groupSize: 8, seed: "scale", effect: 2, difficultySpread: 1.2 });
  const run = (by: number) => {
    const table = tableOf(scaled(VALUES, by));
    const input = {
      rollouts,
      scheme: "finer/1" as const,
      config: CONFIG,
      advantage: MT_GRPO,
      seed: "scale",
      iteration: 1,
      bufferSha256: "b".repeat(64),
    };
    return calibrate({ ...input, authorTable: table, inForceTable: table });
  };
  const once = run(1);

  test.each([0.1, 3, 10])("decides the same times %d, where turn rewards are normalised apart from the outcome", (by) => {
    const report = run(by);
    expect(report.gate.rows.map(({ criterion, verdict }) => [criterion, verdict])).toEqual(
      once.gate.rows.map(({ criterion, verdict }) => [criterion, verdict]),
    );
    expect([report.conflicts, report.kept, report.neutralized]).toEqual([once.conflicts, once.kept, once.neutralized]);
    for (const [tier, one] of Object.entries(once.fittedTable.values))
      expect(Number(report.fittedTable.values[tier]) / by).toBeCloseTo(Number(one), 9);
  });

  test("has something to decide", () => {
    expect(once.fittedTable.values[PLANTED.harmful]).toBeLessThan(-0.1);
    expect(once.scale).toBeGreaterThan(0);
  });
});
