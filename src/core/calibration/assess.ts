// One split of the buffer: its statistics with intervals, and how each reward table fares on it.
import type {
  Alignment,
  DeedStatistics,
  Finding,
  Split,
  SplitStatistics,
  TableAssessment,
  TableRole,
  TierAdvantages,
  TierStatistics,
} from "#contracts/calibration-report.ts";
import { type BootstrapEstimate, type BootstrapOptions, bootstrap, type ClusterSums } from "../statistics/bootstrap.ts";
import { wilsonInterval } from "../statistics/wilson.ts";
import type { Deed } from "./deeds.ts";
import { createStatistics, type StatisticsIndex, statisticsIndex } from "./statistics.ts";
import { BUFFER, type SumsLayout, signOf, sumRows, TABLE_TIER, TIER, tableTierOffset, tierOffset } from "./task-sums.ts";

export interface SplitFindings {
  readonly split: Split;
  readonly numTasks: number;
  readonly totals: Float64Array;
  readonly estimates: readonly BootstrapEstimate[];
  readonly index: StatisticsIndex;
  readonly confidence: number;
  /** Whether the sign of a tier's mean advantage, by position, counts in this split: it is asked about, and has enough turns. */
  readonly isJudged: (tier: number) => boolean;
}

/** Which tiers the counts of mismatches are about. */
export interface JudgedTiers {
  readonly minTurns: number;
  /** Tiers that are asked about; all of them without it. */
  readonly tiers?: ReadonlySet<string>;
}

/** Point values and intervals of every statistic of a layout on a split. */
export function analyse(
  split: Split,
  sums: ClusterSums,
  layout: SumsLayout,
  judged: JudgedTiers,
  options: BootstrapOptions,
): SplitFindings {
  const totals = sumRows(sums);
  const index = statisticsIndex(layout);
  const isJudged = (tier: number) =>
    (judged.tiers?.has(layout.tiers[tier] ?? "") ?? true) && (totals[tierOffset(tier) + TIER.turns] ?? 0) >= Math.max(1, judged.minTurns);
  const estimates = bootstrap(sums, index.length, createStatistics(layout, isJudged), options);
  return { split, numTasks: sums.numRows, totals, estimates, index, confidence: options.confidence, isJudged };
}

export function findingOf(findings: SplitFindings, position: number): Finding {
  const { value, low, high } = findings.estimates[position] ?? { value: null, low: null, high: null };
  return { value, low, high };
}

export function describeSplit(findings: SplitFindings, layout: SumsLayout): SplitStatistics {
  const total = (column: keyof typeof BUFFER) => findings.totals[BUFFER[column]] ?? 0;
  return {
    split: findings.split,
    numTasks: findings.numTasks,
    numRollouts: total("rollouts"),
    numTurns: total("turns"),
    numPasses: total("passes"),
    passRate: rate(total("passes"), total("rollouts"), findings),
    numMixedTasks: total("mixedTasks"),
    numPairs: total("pairs"),
    tiers: layout.tiers.map((tier, position) => describeTier(findings, tier, position)),
    deeds: [],
  };
}

/** Statistics of deeds that have several tiers, from a layout that counts them as one. */
export function describeDeeds(findings: SplitFindings, layout: SumsLayout, deeds: readonly Deed[]): DeedStatistics[] {
  return deeds.map((deed) => {
    const { tier: _, ...statistics } = describeTier(findings, deed[0], layout.tiers.indexOf(deed[0]));
    return { ...statistics, tiers: [...deed] };
  });
}

function describeTier(findings: SplitFindings, tier: string, position: number): TierStatistics {
  const total = (column: keyof typeof TIER) => findings.totals[tierOffset(position) + TIER[column]] ?? 0;
  return {
    tier,
    numTurns: total("turns"),
    numRollouts: total("rollouts"),
    passRateGivenTurn: total("turns") === 0 ? null : total("passingTurns") / total("turns"),
    passRate: rate(total("passingRollouts"), total("rollouts"), findings),
    pooled: findingOf(findings, findings.index.tier(position, "pooled")),
    withinTask: findingOf(findings, findings.index.tier(position, "withinTask")),
    support: total("support"),
  };
}

function rate(successes: number, trials: number, { confidence }: SplitFindings): Finding {
  return wilsonInterval(successes, trials, confidence) ?? { value: null, low: null, high: null };
}

/** How a table fares, `table` being its position in the layout and `roles` what it is to the reader. */
export function assessTable(findings: SplitFindings, layout: SumsLayout, table: number, roles: readonly TableRole[]): TableAssessment {
  const finding = (name: Parameters<StatisticsIndex["table"]>[1]) => findingOf(findings, findings.index.table(table, name));
  const tiers = layout.tiers.map((tier, position) => assessTier(findings, layout, table, tier, position));
  return {
    split: findings.split,
    roles: [...roles],
    tableSha256: layout.tables[table]?.sha256 ?? "",
    numProxyMismatches: tiers.filter((tier) => tier.isProxyMismatch).length,
    numEstimatorMismatches: tiers.filter((tier) => tier.isEstimatorMismatch).length,
    turnMisalignment: finding("turnMisalignment"),
    deadTurns: finding("deadTurns"),
    rewardOutcomePooled: finding("rewardOutcomePooled"),
    rewardOutcomeWithinTask: finding("rewardOutcomeWithinTask"),
    advantageOutcome: finding("advantageOutcome"),
    discriminativeAccuracy: finding("discriminativeAccuracy"),
    advantageCorrelation: finding("advantageCorrelation"),
    tiers,
  };
}

function assessTier(findings: SplitFindings, layout: SumsLayout, table: number, tier: string, position: number): TierAdvantages {
  const { totals, index } = findings;
  const intendedSign = layout.tables[table]?.intendedSigns[tier] ?? 0;
  const numTurns = totals[tierOffset(position) + TIER.turns] ?? 0;
  const finding = (name: Parameters<StatisticsIndex["advantage"]>[2]) => findingOf(findings, index.advantage(table, position, name));
  const [proxy, estimator] = [finding("proxy"), finding("estimator")];
  const gradientOf = (c: number) => totals[tableTierOffset(layout, table, c) + TABLE_TIER.gradient] ?? 0;
  const gradient = layout.tiers.reduce((sum, _, c) => sum + gradientOf(c), 0);
  return {
    tier,
    value: layout.tables[table]?.values[tier] ?? 0,
    intendedSign,
    numTurns,
    immediate: finding("immediate"),
    proxy,
    summed: finding("summed"),
    estimator,
    proxyAlignment: alignment(proxy, intendedSign),
    estimatorAlignment: alignment(estimator, intendedSign),
    isProxyMismatch: isMismatch(proxy, intendedSign),
    isEstimatorMismatch: isMismatch(estimator, intendedSign),
    gradientShare: gradient > 0 ? gradientOf(position) / gradient : null,
  };
}

function isMismatch({ value }: Finding, intendedSign: number): boolean {
  return intendedSign !== 0 && value !== null && signOf(value) !== intendedSign;
}

function alignment({ value, low, high }: Finding, intendedSign: number): Alignment {
  if (intendedSign === 0 || value === null) return "none";
  if (low === null || high === null || (low <= 0 && high >= 0)) return "uncertain";
  return signOf(value) === intendedSign ? "aligned" : "misaligned";
}
