// turnwise calibration-diff BEFORE AFTER: what changed between two calibration reports.
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { CalibrationReport, type Finding } from "#contracts/calibration-report.ts";
import type { ReportDiff } from "#contracts/report-diff.ts";
import type { TierValue } from "#contracts/reward-table.ts";
import { diffReports } from "#core/calibration/diff-reports.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";
import { emit, formatNumber, type OutputOptions, renderTable } from "../output.ts";
import { style } from "../style.ts";

const MAKE_ONE = "make one with turnwise calibrate FILE --json";

export function registerCalibrationDiff(program: Command): void {
  program
    .command("calibration-diff")
    .argument("<before>", "report as JSON, e.g. of `turnwise calibrate FILE --json`")
    .argument("<after>", "report as JSON")
    .option("--json", "the difference as JSON (ReportDiff)")
    .description("what changed between two calibrations: reward table, tier effects, gate")
    .action(async (before: string, after: string, options: OutputOptions) => {
      emit(diffReports(await readReport(before), await readReport(after)), options, render);
    });
}

async function readReport(path: string): Promise<CalibrationReport> {
  const text = await readFile(path, "utf8").catch((cause: Error) => {
    throw new CampaignError("config.file-missing", `cannot read ${path}: ${cause.message}`, {
      cause,
      next: MAKE_ONE,
    });
  });
  const value = parseJson(path, text);
  const parsed = CalibrationReport.safeParse(value);
  if (!parsed.success)
    throw new CampaignError(
      "contract.invalid",
      `${path} is no calibration report: ${describeProblems(parsed.error, value, CalibrationReport, "the file")}`,
      { next: MAKE_ONE },
    );
  return parsed.data;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CampaignError("contract.invalid", `${path} is no JSON`, { cause, next: MAKE_ONE });
  }
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
