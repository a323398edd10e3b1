// What changed between two calibration reports.
import { readFile } from "node:fs/promises";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import type { ReportDiff } from "#contracts/report-diff.ts";
import { diffReports } from "#core/calibration/diff-reports.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";

const MAKE_ONE = "make one with turnwise calibrate FILE --json";

/** Of files with a report as JSON each. Throws config.file-missing, contract.invalid. */
export async function diffCalibrations(before: string, after: string): Promise<ReportDiff> {
  return diffReports(await readReport(before), await readReport(after));
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
