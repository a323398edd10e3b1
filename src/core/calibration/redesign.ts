// Redesign: the gate's decision turned into the next reward table.
import type { CalibrationReport, Verdict } from "#contracts/calibration-report.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { CampaignError } from "../errors.ts";
import { SPLIT_RULE, verifyRewardTable } from "../reward/reward-table.ts";

/**
 * The fitted table when the gate accepts it, else the one in force: nothing is trained on a table that was not shown to be better
 * founded. Throws reward.table-mismatch when the report is about another table in force.
 */
export function redesign(
  report: CalibrationReport,
  inForceTable: RewardTable,
): { readonly decision: Verdict; readonly table: RewardTable } {
  const { inForceTable: judged } = report;
  const isSplit = judged.lineage.rule === SPLIT_RULE && judged.lineage.parentSha256 === inForceTable.sha256;
  if (judged.sha256 !== inForceTable.sha256 && !isSplit) {
    throw new CampaignError("reward.table-mismatch", `the report judges against ${judged.name}, not against ${inForceTable.name}`);
  }
  const { decision } = report.gate;
  return { decision, table: decision === "accept" ? verifyRewardTable(report.fittedTable) : inForceTable };
}
