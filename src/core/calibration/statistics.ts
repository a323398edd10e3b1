// The statistics of methods.md 13.8, each a function of summed task rows (task-sums.ts). NaN says: not defined by these rollouts.

import type { Statistics } from "../statistics/bootstrap.ts";
import { correlationOfDeviations, correlationOfSums } from "../statistics/correlation.ts";
import { BUFFER, type SumsLayout, signOf, TABLE, TABLE_TIER, TIER, tableOffset, tableTierOffset, tierOffset } from "./task-sums.ts";

/** Statistics per tier. */
const TIER_STATISTICS = ["pooled", "withinTask"] as const;
/** Statistics per reward table and tier. */
const ADVANTAGE_STATISTICS = ["immediate", "proxy", "summed", "estimator"] as const;
/** Statistics per reward table. The last two are differences in discriminative accuracy to the layout's first and second table. */
const TABLE_STATISTICS = [
  "turnMisalignment",
  "deadTurns",
  "rewardOutcomePooled",
  "rewardOutcomeWithinTask",
  "advantageOutcome",
  "discriminativeAccuracy",
  "advantageCorrelation",
  "proxyMismatches",
  "estimatorMismatches",
  "gainOverFirst",
  "gainOverSecond",
] as const;
export type TierStatistic = (typeof TIER_STATISTICS)[number];
export type AdvantageStatistic = (typeof ADVANTAGE_STATISTICS)[number];
export type TableStatistic = (typeof TABLE_STATISTICS)[number];

/** An advantage correlation over fewer tiers says nothing. */
const MIN_TIERS = 3;

/** Where each statistic stands in the output of `createStatistics`. */
export function statisticsIndex(layout: SumsLayout) {
  const numTiers = layout.tiers.length;
  const perTable = numTiers * ADVANTAGE_STATISTICS.length + TABLE_STATISTICS.length;
  const tableStart = (table: number) => numTiers * TIER_STATISTICS.length + table * perTable;
  return {
    length: tableStart(layout.tables.length),
    tier: (tier: number, name: TierStatistic) => tier * TIER_STATISTICS.length + TIER_STATISTICS.indexOf(name),
    advantage: (table: number, tier: number, name: AdvantageStatistic) =>
      tableStart(table) + tier * ADVANTAGE_STATISTICS.length + ADVANTAGE_STATISTICS.indexOf(name),
    table: (table: number, name: TableStatistic) =>
      tableStart(table) + numTiers * ADVANTAGE_STATISTICS.length + TABLE_STATISTICS.indexOf(name),
  };
}

export type StatisticsIndex = ReturnType<typeof statisticsIndex>;

/** All statistics of a layout. `isJudged` says which tiers, by position, the mismatch counts are about. */
export function createStatistics(layout: SumsLayout, isJudged: (tier: number) => boolean): Statistics {
  const index = statisticsIndex(layout);
  return (sums, out) => {
    layout.tiers.forEach((_, c) => {
      out[index.tier(c, "pooled")] = pooledCorrelation(sums, c);
      out[index.tier(c, "withinTask")] = withinTaskCorrelation(sums, c);
    });
    layout.tables.forEach((_, t) => {
      layout.tiers.forEach((_tier, c) => {
        for (const name of ADVANTAGE_STATISTICS) out[index.advantage(t, c, name)] = meanAdvantage(sums, layout, t, c, name);
      });
      const values = tableStatistics(sums, layout, t, isJudged);
      for (const name of TABLE_STATISTICS) out[index.table(t, name)] = values[name];
    });
  };
}

export function pooledCorrelation(sums: Float64Array, tier: number): number {
  const offset = tierOffset(tier);
  const present = at(sums, offset + TIER.rollouts);
  return correlationOfSums({
    n: at(sums, BUFFER.rollouts),
    x: present,
    y: at(sums, BUFFER.o),
    xx: present,
    yy: at(sums, BUFFER.o2),
    xy: at(sums, offset + TIER.o),
  });
}

export function withinTaskCorrelation(sums: Float64Array, tier: number): number {
  const offset = tierOffset(tier);
  return correlationOfDeviations({
    n: at(sums, BUFFER.rollouts),
    xx: at(sums, offset + TIER.xx),
    yy: at(sums, BUFFER.oo),
    xy: at(sums, offset + TIER.xo),
  });
}

function meanAdvantage(sums: Float64Array, layout: SumsLayout, table: number, tier: number, name: AdvantageStatistic): number {
  return at(sums, tableTierOffset(layout, table, tier) + TABLE_TIER[name]) / at(sums, tierOffset(tier) + TIER.turns);
}

function tableStatistics(
  sums: Float64Array,
  layout: SumsLayout,
  table: number,
  isJudged: (tier: number) => boolean,
): Record<TableStatistic, number> {
  const column = (name: keyof typeof TABLE, of = table) => at(sums, tableOffset(layout, of) + TABLE[name]);
  const buffer = (name: keyof typeof BUFFER) => at(sums, BUFFER[name]);
  const [turns, rollouts, pairs] = [buffer("turns"), buffer("rollouts"), buffer("pairs")];
  const mismatches = (name: "proxy" | "estimator") => countMismatches(sums, layout, table, name, isJudged);
  return {
    turnMisalignment: column("wrongTurns") / column("intendedTurns"),
    deadTurns: column("deadTurns") / turns,
    rewardOutcomePooled: correlationOfSums({
      n: rollouts,
      x: column("r"),
      y: buffer("o"),
      xx: column("rr"),
      yy: buffer("o2"),
      xy: column("ro"),
    }),
    rewardOutcomeWithinTask: correlationOfDeviations({
      n: rollouts,
      xx: column("rrWithin"),
      yy: at(sums, BUFFER.oo),
      xy: column("roWithin"),
    }),
    advantageOutcome: correlationOfSums({
      n: turns,
      x: column("a"),
      y: buffer("turnO"),
      xx: column("aa"),
      yy: buffer("turnO2"),
      xy: column("ao"),
    }),
    discriminativeAccuracy: column("wins") / pairs,
    advantageCorrelation: advantageCorrelation(sums, layout, table),
    proxyMismatches: mismatches("proxy"),
    estimatorMismatches: mismatches("estimator"),
    gainOverFirst: (column("wins") - column("wins", 0)) / pairs,
    gainOverSecond: layout.tables.length < 2 ? Number.NaN : (column("wins") - column("wins", 1)) / pairs,
  };
}

/** Judged tiers whose mean advantage has not the intended sign. Tiers without turns are not counted. */
function countMismatches(
  sums: Float64Array,
  layout: SumsLayout,
  table: number,
  name: "proxy" | "estimator",
  isJudged: (tier: number) => boolean,
): number {
  return layout.tiers.filter((tier, c) => {
    const intended = layout.tables[table]?.intendedSigns[tier] ?? 0;
    if (intended === 0 || !isJudged(c) || at(sums, tierOffset(c) + TIER.turns) === 0) return false;
    return signOf(meanAdvantage(sums, layout, table, c, name)) !== intended;
  }).length;
}

/** Pearson over tiers between within-task correlation and mean advantage, weighted by turns, over tiers with support. */
function advantageCorrelation(sums: Float64Array, layout: SumsLayout, table: number): number {
  let [n, w, x, y, xx, yy, xy] = [0, 0, 0, 0, 0, 0, 0];
  layout.tiers.forEach((_, c) => {
    const rho = withinTaskCorrelation(sums, c);
    const weight = at(sums, tierOffset(c) + TIER.turns);
    if (Number.isNaN(rho) || weight === 0 || at(sums, tierOffset(c) + TIER.support) === 0) return;
    const advantage = meanAdvantage(sums, layout, table, c, "estimator");
    n += 1;
    w += weight;
    x += weight * rho;
    y += weight * advantage;
    xx += weight * rho * rho;
    yy += weight * advantage * advantage;
    xy += weight * rho * advantage;
  });
  return n < MIN_TIERS ? Number.NaN : correlationOfSums({ n: w, x, y, xx, yy, xy });
}

function at(sums: Float64Array, column: number): number {
  return sums[column] as number;
}
