import { describe, expect, test } from "vitest";
import type { LabelledTurn } from "#core/reward/label-trajectory.ts";
import { createRewardTable, verifyRewardTable } from "#core/reward/reward-table.ts";
import { turnRewards } from "#core/reward/turn-rewards.ts";

const TABLE = createRewardTable({ schemaVersion: 1, name: "test", scheme: "paper/1", values: { gold: 1, soft: "soft", error: -0.1 } });
const turn = (...callTiers: { tier: string; match: number | null }[]): LabelledTurn => ({
  turn: 0,
  tier: callTiers[0]?.tier ?? "message",
  callTiers: callTiers.map((call, callIndex) => ({ callIndex, ...call })),
  softMatch: null,
  numIgnoredCalls: 0,
});

describe("turn rewards", () => {
  test("are the sum over the calls of a turn; soft pays its match", () => {
    const turns = [turn(), turn({ tier: "gold", match: null }), turn({ tier: "soft", match: 0.75 }, { tier: "error", match: null })];
    expect(turnRewards(turns, TABLE)).toEqual([0, 1, 0.65]);
  });

  test("refuse a tier that the table does not know", () => {
    expect(() => turnRewards([turn({ tier: "gold_write", match: null })], TABLE)).toThrowError(/no value for tier gold_write/);
  });
});

describe("reward tables", () => {
  test("are complete: tiers left out are worth 0 and intend nothing", () => {
    expect(TABLE.values).toEqual({ gold: 1, soft: "soft", read: 0, state: 0, message: 0, error: -0.1, duplicate: 0 });
    expect(TABLE.intendedSigns).toMatchObject({ gold: 1, soft: 1, read: 0, error: -1 });
  });

  test("equal content has an equal hash, whatever the order of keys", () => {
    const other = createRewardTable({ scheme: "paper/1", values: { error: -0.1, soft: "soft", gold: 1 }, name: "test", schemaVersion: 1 });
    expect(other.sha256).toBe(TABLE.sha256);
    expect(createRewardTable({ schemaVersion: 1, name: "test", scheme: "paper/1", values: { gold: 0.9 } }).sha256).not.toBe(TABLE.sha256);
  });

  test("a changed value is found out", () => {
    expect(verifyRewardTable(TABLE)).toBe(TABLE);
    expect(() => verifyRewardTable({ ...TABLE, values: { ...TABLE.values, gold: 2 } })).toThrowError(/sha256/);
  });

  test("a tier of another scheme is refused", () => {
    expect(() => createRewardTable({ schemaVersion: 1, name: "x", scheme: "finer/1", values: { gold: 1 } })).toThrowError(/no tier gold/);
  });
});
