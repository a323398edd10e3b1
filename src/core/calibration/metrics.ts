// The scalars of a report, by the names of docs/metrics.md. Undefined statistics are left out: a metric is always finite. What a
// proposer cost is said by the stage's meters.
import type { CalibrationReport, Finding, TableAssessment, TableRole } from "#contracts/calibration-report.ts";

export function calibrationMetrics(report: CalibrationReport): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const { split, numPairs, tiers } of report.splits) {
    if (split === "fit") continue;
    metrics[`calibration/${split}/pairs`] = numPairs;
    if (split !== "all") continue;
    for (const { tier, pooled, withinTask, support } of tiers) {
      put(metrics, `calibration/tier/${tier}/rho_pooled`, pooled);
      put(metrics, `calibration/tier/${tier}/rho_within_task`, withinTask);
      metrics[`calibration/tier/${tier}/support`] = support;
    }
  }
  for (const assessment of report.assessments) {
    if (assessment.split === "judge") for (const role of assessment.roles) addAssessment(metrics, assessment, role);
  }
  if (report.scale !== null) metrics["calibration/scale"] = report.scale;
  metrics["calibration/accepted"] = report.gate.decision === "accept" ? 1 : 0;
  metrics["calibration/conflicts"] = report.conflicts.length;
  metrics["calibration/warnings"] = report.warnings.length;
  return metrics;
}

/** A table with two roles has its numbers under both names, so that every iteration has all three. */
function addAssessment(metrics: Record<string, number>, assessment: TableAssessment, role: TableRole): void {
  const prefix = `calibration/${role.replace("-", "_")}`;
  put(metrics, `${prefix}/discriminative_accuracy`, assessment.discriminativeAccuracy);
  put(metrics, `${prefix}/reward_outcome_within_task`, assessment.rewardOutcomeWithinTask);
  put(metrics, `${prefix}/reward_outcome_pooled`, assessment.rewardOutcomePooled);
  put(metrics, `${prefix}/advantage_correlation`, assessment.advantageCorrelation);
  put(metrics, `${prefix}/advantage_outcome`, assessment.advantageOutcome);
  put(metrics, `${prefix}/turn_misalignment`, assessment.turnMisalignment);
  put(metrics, `${prefix}/dead_turns`, assessment.deadTurns);
  metrics[`${prefix}/proxy_mismatches`] = assessment.numProxyMismatches;
  metrics[`${prefix}/estimator_mismatches`] = assessment.numEstimatorMismatches;
}

function put(metrics: Record<string, number>, name: string, { value }: Finding): void {
  if (value !== null) metrics[name] = value;
}
