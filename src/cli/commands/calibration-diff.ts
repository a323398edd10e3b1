// turnwise calibration-diff BEFORE AFTER: what changed between two calibration reports.
import type { Command } from "commander";
import { diffCalibrations } from "#application/rollouts/diff-calibrations.ts";
import type { Finding } from "#contracts/calibration-report.ts";
import type { ReportDiff } from "#contracts/report-diff.ts";
import type { TierValue } from "#contracts/reward-table.ts";
import { formatNumber } from "#core/format.ts";
import { emit, type OutputOptions, renderTable } from "../output.ts";
import { style } from "../style.ts";

export function registerCalibrationDiff(program: Command): void {
  program
    .command("calibration-diff")
    .argument("<before>", "report as JSON, e.g. of `turnwise calibrate FILE --json`")
    .argument("<after>", "report as JSON")
    .option("--json", "the difference as JSON (ReportDiff)")
    .action(async (before: string, after: string, options: OutputOptions) => {
      emit(await diffCalibrations(before, after), options, render);
    });
}

function render({ decision, gate, tiers }: ReportDiff): string {
  const arrow = (before: string, after: string) => (before === after ? before : `${before} → ${style.bold(after)}`);
  const value = (one: TierValue | null) => (typeof one === "number" ? formatNumber(one, 3) : (one ?? "–"));
  const finding = (one: Finding | null) => formatNumber(one?.value ?? null, 3);
  return [
    `gate  ${arrow(decision.before, decision.after)}`,
    "",
    renderTable(
      [
        { header: "criterion", value: (row: ReportDiff["gate"][number]) => row.criterion },
        { header: "value", value: (row) => arrow(formatNumber(row.before?.value, 3), formatNumber(row.after?.value, 3)) },
        { header: "verdict", value: (row) => arrow(row.before?.verdict ?? "–", row.after?.verdict ?? "–") },
      ],
      gate,
    ),
    "",
    renderTable(
      [
        { header: "tier", value: (row: ReportDiff["tiers"][number]) => row.tier },
        { header: "fitted value", value: ({ fittedValue }) => arrow(value(fittedValue.before), value(fittedValue.after)) },
        { header: "within-task correlation", value: ({ withinTask }) => arrow(finding(withinTask.before), finding(withinTask.after)) },
        { header: "", value: ({ isDistinct }) => (isDistinct ? "intervals apart" : "") },
      ],
      tiers,
    ),
  ].join("\n");
}
