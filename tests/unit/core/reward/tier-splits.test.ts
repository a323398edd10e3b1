import { describe, expect, test } from "vitest";
import { CallPredicate, type OwnTierScheme, type RewardTableFile, TierScheme } from "#contracts/reward-table.ts";
import { labelTrajectory } from "#core/reward/label-trajectory.ts";
import { splitTable, tableForScheme } from "#core/reward/reward-table.ts";
import { callScheme, extendScheme, schemeName, tierScheme } from "#core/reward/tiers.ts";
import { turnRewards } from "#core/reward/turn-rewards.ts";
import { type CallText, COUNTERS, task, trajectory } from "./counter-environment.ts";

const SCHEME: OwnTierScheme = {
  name: "mine",
  base: "finer/1",
  splits: [
    { tier: "listing", from: "state", when: { tool: ["list"] } },
    { tier: "late_error", from: "error", when: { turn: { min: 2 } } },
    { tier: "opening", from: "message", when: { turn: { min: 0, max: 0 } } },
    { tier: "failed_write", from: "error", when: { isWrite: true } },
  ],
};
const FILE: RewardTableFile = { schemaVersion: 1, name: "prior", scheme: "finer/1", values: { state: 0.25, error: -0.5, gold_write: 1 } };

const get: CallText = ["get", { name: "a", detail: 1 }];
const failedPut: CallText = ["put", { name: "a", value: 1 }, "error"];
const TURNS: CallText[][] = [[], [get], [["list", {}]], [["get", { name: "b" }, "error"]], [], [failedPut]];

const label = (scheme: TierScheme, turns: readonly (readonly CallText[])[] = TURNS) =>
  labelTrajectory(trajectory(turns), task(), scheme, COUNTERS);

describe("a tier scheme of one's own", () => {
  test("tells calls of a tier apart by what is true of them, splits in order, the rest as the base does", () => {
    expect(label(SCHEME).map(({ tier }) => tier)).toEqual(["opening", "read", "listing", "late_error", "message", "late_error"]);
    expect(label("finer/1").map(({ tier }) => tier)).toEqual(["message", "read", "state", "error", "message", "error"]);
  });

  test("a split tier can be split again", () => {
    const deeper = extendScheme(SCHEME, [{ tier: "late_write_error", from: "late_error", when: { isWrite: true } }], "unused");
    expect(label(deeper).map(({ tier }) => tier)).toEqual(["opening", "read", "listing", "late_error", "message", "late_write_error"]);
  });

  test("speaks for a turn of several calls just before the tier it came from", () => {
    const { salience, tiers } = callScheme(SCHEME);
    expect(salience.indexOf("listing")).toBe(salience.indexOf("state") - 1);
    expect(new Set(salience)).toEqual(new Set(tiers));
  });

  test.each([
    ["a new tier that is there already", [{ tier: "read", from: "message", when: { turn: { min: 1 } } }], "there already"],
    ["a tier that is not there", [{ tier: "x", from: "nowhere", when: { isWrite: true } }], "not there"],
    [
      "a tier split before it exists",
      [
        { tier: "x", from: "y", when: { isWrite: true } },
        { tier: "y", from: "read", when: { isWrite: true } },
      ],
      "not there",
    ],
  ])("refuses %s", (_, splits, message) => {
    expect(() => tierScheme(TierScheme.parse({ name: "bad", base: "finer/1", splits }))).toThrow(message);
  });

  test("a predicate names a fact, and only facts that there are", () => {
    expect(CallPredicate.safeParse({}).success).toBe(false);
    expect(CallPredicate.safeParse({ isLucky: true }).success).toBe(false);
  });

  test("two schemes of one name with other splits have other names in tables", () => {
    expect(schemeName(SCHEME)).not.toBe(schemeName({ ...SCHEME, splits: SCHEME.splits.slice(1) }));
    expect(schemeName(SCHEME)).toBe(schemeName(structuredClone(SCHEME)));
  });
});

describe("reward tables over split tiers", () => {
  test("splitting changes no turn reward until a value does", () => {
    const table = tableForScheme(FILE, "finer/1");
    const split = splitTable(table, SCHEME.splits, "mine");
    expect(turnRewards(label(split.scheme), split)).toEqual(turnRewards(label("finer/1"), table));
    expect(split.lineage).toMatchObject({ parentSha256: table.sha256, rule: "tier-split/1" });
  });

  test("a table of the base serves the split scheme; tiers it does not name inherit, those it names do not", () => {
    const table = tableForScheme({ ...FILE, values: { ...FILE.values, listing: -1 } }, SCHEME);
    expect(table.values).toMatchObject({ state: 0.25, listing: -1, late_error: -0.5, opening: 0 });
    expect(table.intendedSigns).toMatchObject({ listing: -1, late_error: -1, opening: 0 });
  });

  test("a table of other tiers is refused", () => {
    expect(() => tableForScheme({ ...FILE, scheme: "paper/1", values: {} }, SCHEME)).toThrow(/for tiers paper\/1/);
    expect(() => tableForScheme(FILE, "paper/1")).toThrow(/for tiers finer\/1/);
  });
});
