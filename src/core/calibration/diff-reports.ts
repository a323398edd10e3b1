// What changed between two calibrations: the table, the evidence, the gate.
import type { CalibrationReport, Finding, GateCriterion, TierStatistics, Verdict } from "#contracts/calibration-report.ts";
import type { ReportDiff, TierChange } from "#contracts/report-diff.ts";

/** Differences from `before` to `after`. Tiers and gate lines that only one of them has stand with null on the other side. */
export function diffReports(before: CalibrationReport, after: CalibrationReport): ReportDiff {
  const tiers = unique([...Object.keys(before.fittedTable.values), ...Object.keys(after.fittedTable.values)]);
  const criteria = unique([...before.gate.rows, ...after.gate.rows].map(({ criterion }) => criterion));
  return {
    schemaVersion: 2,
    before: summarize(before),
    after: summarize(after),
    decision: { before: before.gate.decision, after: after.gate.decision },
    gate: criteria.map((criterion) => ({ criterion, before: gateLine(before, criterion), after: gateLine(after, criterion) })),
    tiers: tiers.map((tier) => tierChange(tier, before, after)),
  };
}

function summarize(report: CalibrationReport): ReportDiff["before"] {
  const { iteration, bufferSha256, rule, scheme, advantage, authorTable, inForceTable, fittedTable } = report;
  return {
    iteration,
    bufferSha256,
    rule,
    scheme,
    estimator: advantage.type,
    authorSha256: authorTable?.sha256 ?? null,
    inForceSha256: inForceTable.sha256,
    fittedSha256: fittedTable.sha256,
  };
}

function gateLine(report: CalibrationReport, criterion: GateCriterion): { value: number | null; verdict: Verdict } | null {
  const row = report.gate.rows.find((one) => one.criterion === criterion);
  return row === undefined ? null : { value: row.value, verdict: row.verdict };
}

function tierChange(tier: string, before: CalibrationReport, after: CalibrationReport): TierChange {
  const [old, now] = [statisticsOf(before, tier), statisticsOf(after, tier)];
  return {
    tier,
    fittedValue: { before: before.fittedTable.values[tier] ?? null, after: after.fittedTable.values[tier] ?? null },
    withinTask: { before: old?.withinTask ?? null, after: now?.withinTask ?? null },
    pooled: { before: old?.pooled ?? null, after: now?.pooled ?? null },
    isDistinct: old !== undefined && now !== undefined && areApart(old.withinTask, now.withinTask),
  };
}

function statisticsOf(report: CalibrationReport, tier: string): TierStatistics | undefined {
  return report.splits.find(({ split }) => split === "all")?.tiers.find((one) => one.tier === tier);
}

/** The intervals do not overlap. */
function areApart(a: Finding, b: Finding): boolean {
  if (a.low === null || a.high === null || b.low === null || b.high === null) return false;
  return a.high < b.low || b.high < a.low;
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}
