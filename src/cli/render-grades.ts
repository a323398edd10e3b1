// What `turnwise rollouts grade` prints.
import { basename } from "node:path";
import type { GradeReport, Grades } from "#application/rollouts/grade-rollouts.ts";
import { formatPercent } from "#core/format.ts";
import { describeReading } from "#core/reading/describe-reading.ts";
import { plainText } from "#core/text.ts";
import { renderPairs } from "./output.ts";

export function renderGrades(report: GradeReport): string {
  const floor =
    report.doNothingFloor === null
      ? "what doing nothing passes is not known"
      : `doing nothing passes ${formatPercent(report.doNothingFloor)}`;
  const byDatabase =
    report.gradedByDatabase === 0
      ? []
      : [["database alone", `grades ${report.gradedByDatabase}: their required outputs are not told`] as const];
  const pairs = renderPairs([
    ...describeReading(report.reading),
    ...Object.entries(report.ungraded).map(([why, count]) => ["not graded", `${count}: ${why}`] as const),
    ...byDatabase,
    ["stored pass rate", formatPercent(report.storedPassRate)],
    ["replayed pass rate", `${formatPercent(report.passRate)}; ${floor}`],
    ["same reward", `${report.sameReward} of ${report.rollouts}`],
    ["same tool result", `${report.sameResults} of ${report.calls}`],
    ...(report.files.length < 2 ? [] : report.files.map((file) => [basename(file.file), describeGrades(file)] as const)),
  ]);
  const lines = report.differences.map(({ taskId, trial, difference }) => plainText(`${taskId} trial ${trial}: ${difference}`));
  return [pairs, ...section(report.warnings), ...section(lines)].join("\n");
}

const section = (lines: readonly string[]) => (lines.length === 0 ? [] : ["", ...lines]);

function describeGrades({ rollouts, storedPassRate, passRate, sameReward, sameResults, calls }: Grades): string {
  return `stored ${formatPercent(storedPassRate)}, replayed ${formatPercent(passRate)}; same reward ${sameReward} of ${rollouts}, same tool result ${sameResults} of ${calls}`;
}
