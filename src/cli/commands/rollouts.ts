// turnwise rollouts …: rollouts in the benchmarks' own file formats, and graded again without a model.
import { type Command, Option } from "commander";
import { exportJsonl } from "#adapters/rollout-files/export-jsonl.ts";
import { type ExportContext, exportTauBench } from "#adapters/rollout-files/export-tau-bench.ts";
import { exportTau2 } from "#adapters/rollout-files/export-tau2.ts";
import type { ImportedRollout } from "#adapters/rollout-files/imported-rollouts.ts";
import type { ToldTask } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import { describeReading } from "#core/reading/describe-reading.ts";
import { DatabaseState } from "#environments/tau/database.ts";
import { tauHash } from "#environments/tau/database-hash.ts";
import { dumpsIndented } from "#environments/tau/python/indented.ts";
import { gradeReport, renderGrades } from "../grade-report.ts";
import { emit, type OutputOptions, renderPairs } from "../output.ts";
import { addRolloutSourceOptions, type RolloutSourceOptions, readRolloutSource } from "../rollout-source.ts";
import { writeText } from "../write-text.ts";

type WriteRollouts = (rollouts: readonly ImportedRollout[], context: ExportContext) => string;
const indented =
  (write: typeof exportTauBench): WriteRollouts =>
  (rollouts, context) =>
    `${dumpsIndented(write(rollouts, context))}\n`;
const FORMATS = { "tau-bench": indented(exportTauBench), tau2: indented(exportTau2), jsonl: exportJsonl } as const;
type Format = keyof typeof FORMATS;

interface ExportOptions extends RolloutSourceOptions, OutputOptions {
  readonly format: Format;
  readonly out: string;
}

export function registerRollouts(program: Command): void {
  const family = program.command("rollouts").description("rollouts in the benchmarks' file formats, and graded again");
  addRolloutSourceOptions(family.command("export"))
    .addOption(new Option("--format <format>", "whose result file to write, or jsonl").choices(Object.keys(FORMATS)).makeOptionMandatory())
    .requiredOption("--out <file>", "where to write it")
    .option("--json")
    .description("write rollouts as a result file of tau-bench or tau2-bench, or as JSONL")
    .action(exportRollouts);
  addRolloutSourceOptions(family.command("grade"))
    .option("--json")
    .description("play the calls of rollouts again and compare the rewards with the stored ones; exit code 1 when one differs")
    .action(gradeRollouts);
}

async function exportRollouts(files: string[], options: ExportOptions): Promise<void> {
  const source = await readRolloutSource(files, options);
  const text = FORMATS[options.format](source.rollouts, exportContext(source.environment));
  await writeText(options.out, text, "--out");
  const report = {
    file: options.out,
    format: options.format,
    rollouts: source.rollouts.length,
    tasks: new Set(source.rollouts.map(({ task }) => task.id)).size,
    reading: source.reading,
  };
  emit(report, options, () => renderPairs([...describeReading(report.reading), ["written to", report.file]]));
}

function exportContext(environment: Environment | null): ExportContext {
  return {
    systemPrompt: environment?.systemPrompt ?? null,
    tools: environment?.tools,
    goldenHash: (task) => (environment === null ? null : goldenHash(environment, task)),
  };
}

/** tau-bench's `gt_data_hash`; null for an environment that has no such hash, and for golden actions that are not known. */
function goldenHash(environment: Environment, { goldenActions }: ToldTask): string | null {
  if (goldenActions === null) return null;
  const actions = goldenActions.filter(({ name }) => !environment.isTerminal(name));
  const state = actions.reduce((before, call) => environment.step(before, call).state, environment.reset());
  return state instanceof DatabaseState ? tauHash(state) : null;
}

async function gradeRollouts(files: string[], options: RolloutSourceOptions & OutputOptions): Promise<void> {
  const source = await readRolloutSource(files, options);
  const { environment } = source;
  if (environment === null) {
    throw new CampaignError("config.invalid", "the rollouts' environment is not known", { next: "name it with --task-set" });
  }
  const report = gradeReport(source, environment);
  emit(report, options, renderGrades);
  if (report.differences.length > 0) process.exitCode = 1;
}
