// turnwise rollouts …: rollouts in the benchmarks' own file formats, and graded again without a model.
import { type Command, Option } from "commander";
import { type ExportRequest, exportRollouts, ROLLOUT_FORMATS } from "#application/rollouts/export-rollouts.ts";
import { gradeRollouts } from "#application/rollouts/grade-rollouts.ts";
import type { RolloutSourceRequest } from "#application/rollouts/rollout-source.ts";
import { describeReading } from "#core/reading/describe-reading.ts";
import { emit, type OutputOptions, renderPairs } from "../output.ts";
import { renderGrades } from "../render-grades.ts";
import { addRolloutSourceOptions } from "../rollout-source-options.ts";

export function registerRollouts(program: Command): void {
  const family = program.command("rollouts");
  addRolloutSourceOptions(family.command("export"))
    .addOption(new Option("--format <format>", "whose result file to write, or jsonl").choices(ROLLOUT_FORMATS).makeOptionMandatory())
    .requiredOption("--out <file>", "where to write it")
    .option("--json")
    .description("write rollouts as a result file of tau-bench or tau2-bench, or as JSONL")
    .action(runExport);
  addRolloutSourceOptions(family.command("grade"))
    .option("--json")
    .description("play the calls of rollouts again and compare the rewards with the stored ones; exit code 1 when one differs")
    .action(runGrade);
}

async function runExport(files: string[], options: ExportRequest & OutputOptions): Promise<void> {
  const report = await exportRollouts(files, options);
  emit(report, options, () => renderPairs([...describeReading(report.reading), ["written to", report.file]]));
}

async function runGrade(files: string[], options: RolloutSourceRequest & OutputOptions): Promise<void> {
  const report = await gradeRollouts(files, options);
  emit(report, options, renderGrades);
  if (report.differences.length > 0) process.exitCode = 1;
}
