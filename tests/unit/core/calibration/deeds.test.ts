import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BuiltInTierScheme } from "#contracts/reward-table.ts";
import { calibrate } from "#core/calibration/calibrate.ts";
import { deedsOf } from "#core/calibration/deeds.ts";
import { PLANTED, plantedRollouts } from "#core/calibration/planted-rollouts.ts";
import type { LabelledRollout } from "#core/reward/label-rollout.ts";
import { createRewardTable } from "#core/reward/reward-table.ts";
import { tierScheme } from "#core/reward/tiers.ts";
import { CONFIG, HYBRID } from "./example-3.ts";

const tableOf = (values: Readonly<Record<string, number | "soft">>) =>
  createRewardTable({ schemaVersion: 1, name: "author", scheme: "finer/1", values });
const AUTHOR = tableOf({ gold_write: 1, equiv_write: 1, state: -0.1 });

const ROLLOUTS = plantedRollouts({ numRollouts: 800, groupSize: 8, seed: "deeds", effect: 2, difficultySpread: 1.2 });
/** Some golden writes under their other name: those for which `isOther` holds. */
const respelt = (isOther: (rollout: LabelledRollout) => boolean) => {
  const spell = (tier: string) => (tier === PLANTED.useful ? "equiv_write" : tier);
  return ROLLOUTS.map((rollout) =>
    isOther(rollout)
      ? {
          ...rollout,
          turns: rollout.turns.map((turn) => ({
            ...turn,
            tier: spell(turn.tier),
            callTiers: turn.callTiers.map((call) => ({ ...call, tier: spell(call.tier) })),
          })),
        }
      : rollout,
  );
};
const run = (rollouts: readonly LabelledRollout[], authorTable = AUTHOR, rule: typeof CONFIG.rule = "within-task", folds = 1) =>
  calibrate({
    rollouts,
    scheme: "finer/1",
    authorTable,
    inForceTable: authorTable,
    config: { ...CONFIG, rule, folds },
    advantage: HYBRID,
    seed: "deeds",
    iteration: 1,
    bufferSha256: "b".repeat(64),
  });
const PLAIN = run(ROLLOUTS);

describe("tiers that mean the same deed", () => {
  test("are tiers of their scheme, no tier in two deeds", () => {
    for (const name of BuiltInTierScheme.options) {
      const { sameDeed, tiers } = tierScheme(name);
      expect(tiers).toEqual(expect.arrayContaining(sameDeed.flat()));
      expect(new Set(sameDeed.flat()).size).toBe(sameDeed.flat().length);
    }
    expect(tierScheme("finer/1").sameDeed).toEqual([["gold_write", "equiv_write"]]);
  });

  test("every tier is in exactly one deed", () => {
    const value = fc.oneof(fc.constant<number | "soft">("soft"), fc.double({ min: -1, max: 1, noNaN: true }));
    fc.assert(
      fc.property(fc.constantFrom(...BuiltInTierScheme.options), fc.infiniteStream(value), (name, values) => {
        const scheme = tierScheme(name);
        const author = createRewardTable({
          schemaVersion: 1,
          name: "author",
          scheme: name,
          values: Object.fromEntries(scheme.tiers.map((tier) => [tier, values.next().value ?? 0])),
        });
        expect(deedsOf(scheme, author, "within-task").flat().toSorted()).toEqual(scheme.tiers.toSorted());
      }),
    );
  });

  test("move together, and how a deed is spelt changes neither its value nor the decision", () => {
    expect(PLAIN.fittedTable.values["gold_write"]).not.toBe(AUTHOR.values["gold_write"]);
    for (const isOther of [
      () => true,
      ({ trial }: LabelledRollout) => trial % 2 === 0,
      ({ taskId }: LabelledRollout) => taskId.endsWith("3"),
    ]) {
      const report = run(respelt(isOther));
      expect(report.fittedTable.values).toEqual(PLAIN.fittedTable.values);
      expect(report.fittedTable.values["equiv_write"]).toBe(report.fittedTable.values["gold_write"]);
      expect(report.gate).toEqual(PLAIN.gate);
      expect(report.splits.map(({ deeds }) => deeds)).toEqual(PLAIN.splits.map(({ deeds }) => deeds));
    }
  });

  test("one that never occurs is no missing evidence", () => {
    expect(PLAIN.splits[2]?.tiers.find(({ tier }) => tier === "equiv_write")?.numTurns).toBe(0);
    expect(PLAIN.gate.rows.map(({ note }) => note)).toEqual(PLAIN.gate.rows.map(() => null));
  });

  test("keep the proportion that the author gave them", () => {
    const report = run(
      respelt(({ trial }) => trial % 2 === 0),
      tableOf({ gold_write: 1, equiv_write: 0.5, state: -0.1 }),
    );
    const { gold_write: gold, equiv_write: equivalent } = report.fittedTable.values;
    expect(Number(equivalent)).toBeCloseTo(Number(gold) / 2, 12);
    const other = run(
      respelt(({ trial }) => trial % 2 === 0),
      tableOf({ gold_write: 0.5, equiv_write: 1, state: -0.1 }),
    );
    expect(other.fittedTable.values["equiv_write"]).toBeCloseTo(Number(gold), 12);
  });

  test("conflict together", () => {
    const report = run(ROLLOUTS, tableOf({ gold_write: -1, equiv_write: -1, state: -0.1 }));
    expect(report.conflicts.map(({ tier }) => tier)).toEqual(["gold_write", "equiv_write"]);
    expect([report.fittedTable.values["gold_write"], report.fittedTable.values["equiv_write"]]).toEqual([0, 0]);
  });

  test("are shown with the evidence of all of them", () => {
    const half = run(respelt(({ trial }) => trial % 2 === 0)).splits[0];
    const alone = PLAIN.splits[0]?.tiers.find(({ tier }) => tier === "gold_write");
    expect(half?.deeds[0]).toMatchObject({ tiers: ["gold_write", "equiv_write"], numTurns: alone?.numTurns, support: alone?.support });
    expect(half?.deeds[0]?.withinTask).toEqual(alone?.withinTask);
    expect(half?.tiers.find(({ tier }) => tier === "gold_write")?.numTurns).toBeLessThan(alone?.numTurns ?? 0);
  });

  test("stand apart where the author gives them opposite signs or a graded value, and under the rules that fit tiers alone", () => {
    const scheme = tierScheme("finer/1");
    const isTied = (author: typeof AUTHOR, rule: typeof CONFIG.rule) => deedsOf(scheme, author, rule).some((deed) => deed.length > 1);
    expect(isTied(AUTHOR, "within-task")).toBe(true);
    expect(isTied(tableOf({ gold_write: 1, equiv_write: -1 }), "within-task")).toBe(false);
    expect(isTied(tableOf({ gold_write: 1, equiv_write: "soft" }), "within-task")).toBe(false);
    for (const rule of ["within-task/1", "algorithm-1", "llm-proposed"] as const) expect(isTied(AUTHOR, rule)).toBe(false);
    expect(run(ROLLOUTS, AUTHOR, "within-task/1").fittedTable.values["equiv_write"]).toBe(1);
  });

  test("are judged as one when every task judges", () => {
    const [plain, half] = [
      run(ROLLOUTS, AUTHOR, "within-task", 4),
      run(
        respelt(({ trial }) => trial % 2 === 0),
        AUTHOR,
        "within-task",
        4,
      ),
    ];
    expect(half.gate).toEqual(plain.gate);
    expect(half.fittedTable.values).toEqual(plain.fittedTable.values);
  });

  test("a split of one is a deed of its own", () => {
    const scheme = {
      name: "cancels",
      base: "finer/1" as const,
      splits: [{ tier: "gold_cancel", from: "gold_write", when: { tool: ["cancel_reservation"] } }],
    };
    const author = createRewardTable({
      schemaVersion: 1,
      name: "author",
      scheme,
      values: { gold_write: 1, equiv_write: 1, gold_cancel: 1 },
    });
    const deeds = deedsOf(tierScheme(scheme), author, "within-task");
    expect(deeds).toContainEqual(["gold_cancel"]);
    expect(deeds).toContainEqual(["gold_write", "equiv_write"]);
  });
});
