// The gate: may a fitted table replace the one in force? Three answers per criterion. Missing evidence never accepts. methods.md 13.9.
import type { Finding, GateRow, TableAssessment, Verdict } from "#contracts/calibration-report.ts";
import type { GateThresholds } from "#contracts/campaign-config.ts";

export interface GateEvidence {
  /** The fitted table on the judging split. */
  readonly fitted: TableAssessment;
  readonly proxyMismatches: Finding;
  readonly estimatorMismatches: Finding;
  /** Discriminative accuracy of the fitted table minus that of the author's, on the same pairs. */
  readonly gainOverAuthor: Finding;
  /** The same for the table in force; null while that is the author's. */
  readonly gainOverInForce: Finding | null;
  readonly numPairs: number;
  /** Tiers that the fitted table values otherwise than the one in force: what the gate is asked about. */
  readonly revaluedTiers: readonly string[];
  /** Those of which the judging split has too few turns to say anything. */
  readonly unjudgedTiers: readonly string[];
}

export function applyGate(evidence: GateEvidence, thresholds: GateThresholds): { decision: Verdict; rows: GateRow[] } {
  const { fitted } = evidence;
  const rows: GateRow[] = [
    mismatchRow("proxy-mismatches", evidence.proxyMismatches, evidence),
    mismatchRow("estimator-mismatches", evidence.estimatorMismatches, evidence),
    aboveRow("within-task-correlation", fitted.rewardOutcomeWithinTask, thresholds.withinTaskCorrelation),
    aboveRow("discriminative-accuracy", fitted.discriminativeAccuracy, thresholds.discriminativeAccuracy),
    aboveRow("advantage-correlation", fitted.advantageCorrelation, thresholds.advantageCorrelation),
    pairsRow(evidence.numPairs, thresholds.minPairs),
    aboveRow("not-worse-than-author", evidence.gainOverAuthor, -thresholds.priorMargin),
    ...(evidence.gainOverInForce === null ? [] : [aboveRow("not-worse-than-in-force", evidence.gainOverInForce, -thresholds.priorMargin)]),
  ];
  return { decision: combine(rows.map((row) => row.verdict)), rows };
}

/** One rejection rejects; otherwise every criterion must accept. */
function combine(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("reject")) return "reject";
  return verdicts.every((verdict) => verdict === "accept") ? "accept" : "insufficient";
}

/** Accepts when the whole interval is above the threshold, rejects when none of it is. */
function aboveRow(criterion: GateRow["criterion"], finding: Finding, threshold: number): GateRow {
  const interval = intervalOf(finding);
  const verdict =
    interval === null ? "insufficient" : interval.low > threshold ? "accept" : interval.high <= threshold ? "reject" : "insufficient";
  return {
    criterion,
    value: finding.value,
    interval,
    relation: ">",
    threshold,
    verdict,
    note: interval === null ? "not defined on the judging tasks" : null,
  };
}

/** Counts revalued tiers. The interval is that of the count over resamples: [0, 0] says that no judged tier is doubtful. */
function mismatchRow(criterion: GateRow["criterion"], count: Finding, { revaluedTiers, unjudgedTiers }: GateEvidence): GateRow {
  const interval = intervalOf(count);
  const measured = interval === null ? "insufficient" : interval.high < 1 ? "accept" : interval.low >= 1 ? "reject" : "insufficient";
  const isOpen = revaluedTiers.length === 0 || unjudgedTiers.length > 0;
  const verdict = measured === "accept" && isOpen ? "insufficient" : measured;
  const missing = unjudgedTiers.length > 0 ? `too few turns to judge: ${unjudgedTiers.join(", ")}` : null;
  const note = revaluedTiers.length === 0 ? "the fit revalues no tier" : missing;
  return { criterion, value: count.value, interval, relation: "==", threshold: 0, verdict, note };
}

function pairsRow(numPairs: number, threshold: number): GateRow {
  return {
    criterion: "pairs",
    value: numPairs,
    interval: null,
    relation: ">=",
    threshold,
    verdict: numPairs >= threshold ? "accept" : "insufficient",
    note: null,
  };
}

function intervalOf({ low, high }: Finding): { low: number; high: number } | null {
  return low === null || high === null ? null : { low, high };
}
