// turnwise calibrate FILE…: the whole analysis on rollouts that are already there. No server, no key.
import { type Command, Option } from "commander";
import { openProposer } from "#adapters/proposer/ask-model.ts";
import { shellVariables } from "#adapters/settings.ts";
import type { CalibrationsByPolicy } from "#contracts/by-policy.ts";
import type { CalibrationReport } from "#contracts/calibration-report.ts";
import { CalibrationConfig } from "#contracts/campaign-config.ts";
import { TokenLimitField } from "#contracts/request-fields.ts";
import { calibrateByRule } from "#core/calibration/proposal/propose.ts";
import { CampaignError } from "#core/errors.ts";
import { renderReport } from "#reports/calibration-markdown.ts";
import { renderPage } from "#reports/calibration-page/render-page.ts";
import { describeOptions } from "../issues.ts";
import { numberOption, RESAMPLES, wholeNumberOption } from "../number-options.ts";
import { emit, type OutputOptions } from "../output.ts";
import { renderByPolicy } from "../render-by-policy.ts";
import {
  addRolloutFileOptions,
  type LabelledFiles,
  type LabelledPart,
  type RolloutFileOptions,
  readLabelledFiles,
} from "../rollout-files.ts";
import { writeText } from "../write-text.ts";

interface CalibrateOptions extends RolloutFileOptions, OutputOptions {
  readonly rule: string;
  readonly baseUrl?: string;
  readonly model?: string;
  readonly apiKeyEnv?: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly tokenLimitField?: TokenLimitField;
  readonly alpha?: number;
  readonly delta?: number;
  readonly holdout?: number;
  readonly folds?: number;
  readonly resamples: number;
  readonly minSupport?: number;
  readonly seed: string;
  readonly markdown?: string;
  readonly html?: string;
}

export function registerCalibrate(program: Command): void {
  addRolloutFileOptions(program.command("calibrate"))
    .addOption(
      new Option("--rule <rule>", "how a table is fitted").choices(CalibrationConfig.shape.rule.unwrap().options).default("within-task"),
    )
    .option("--base-url <url>", "rule llm-proposed: OpenAI-compatible endpoint of the model that proposes the table")
    .option("--model <name>", "rule llm-proposed: the model")
    .option("--api-key-env <name>", "rule llm-proposed: name of the environment variable that holds the endpoint's key")
    .addOption(
      numberOption("--temperature <number>", "rule llm-proposed: of the model; default: 0, some models take 1 only", { min: 0, max: 2 }),
    )
    .addOption(wholeNumberOption("--max-tokens <count>", "rule llm-proposed: of one answer; default: 4096", { min: 1, max: 1_000_000 }))
    .addOption(
      new Option(
        "--token-limit-field <name>",
        "rule llm-proposed: what the endpoint calls that limit (default: max_tokens, and the other name where that is refused)",
      ).choices(TokenLimitField.unwrap().options),
    )
    .addOption(
      numberOption("--alpha <number>", "what fitted values are multiplied by, on the scale of the rule; default: 1", {
        min: 1e-6,
        max: 1e6,
      }),
    )
    .addOption(numberOption("--delta <number>", "correlations no larger than this are worth 0; default: 0.05", { min: 0, max: 1 }))
    .addOption(numberOption("--holdout <share>", "share of tasks that only judge; default: 0.2", { min: 0.001, max: 0.999 }))
    .addOption(wholeNumberOption("--folds <count>", "cross-fitting with this many folds instead of one split", { min: 1, max: 50 }))
    .addOption(
      wholeNumberOption("--min-support <count>", "rollouts in mixed tasks that a tier needs; default: 20", { min: 0, max: 1_000_000 }),
    )
    .addOption(wholeNumberOption("--resamples <count>", "bootstrap resamples of tasks", { ...RESAMPLES, default: 10_000 }))
    .option("--seed <text>", "seed of the split and the bootstrap", "0")
    .option("--markdown <file>", "also write the report as Markdown")
    .option("--html <file>", "also write the report as a page with plots, for a browser")
    .option("--json", "the report as JSON (CalibrationReport; with --by CalibrationsByPolicy)")
    .description("what each kind of turn has to do with success, the reward table that follows, and whether the evidence carries it")
    .action(run);
}

async function run(paths: string[], options: CalibrateOptions): Promise<void> {
  const config = parseConfig(options);
  if (options.by !== undefined && options.html !== undefined)
    throw new CampaignError("config.invalid", "--html is a page of one report, and --by policy gives several", {
      next: "leave one of the two out",
    });
  const proposer =
    config.proposer === undefined
      ? null
      : openProposer(config.proposer, shellVariables(), new AbortController().signal, (message) => console.error(message));
  const files = await readLabelledFiles(paths, options);
  const calibrated = (part: LabelledPart) => calibrateByRule(inputOf(part, config, options.seed), part.label, proposer);
  if (options.by === undefined) await printReport(await calibrated(files), options);
  else await printByPolicy(files, calibrated, options);
}

function inputOf({ rollouts, reading, scheme, table, advantage, bufferSha256 }: LabelledPart, config: CalibrationConfig, seed: string) {
  return { rollouts, reading, scheme, authorTable: table, inForceTable: table, config, advantage, seed, iteration: 0, bufferSha256 };
}

async function printReport(report: CalibrationReport, options: CalibrateOptions): Promise<void> {
  const markdown = renderReport(report);
  if (options.markdown !== undefined) await writeText(options.markdown, markdown, "--markdown");
  if (options.html !== undefined) await writeText(options.html, renderPage(report), "--html");
  emit(report, options, () => markdown.trimEnd());
}

async function printByPolicy(
  files: LabelledFiles,
  calibrated: (part: LabelledPart) => Promise<CalibrationReport>,
  options: CalibrateOptions,
): Promise<void> {
  const reports: [string, CalibrationReport][] = [];
  for (const [name, part] of files.byPolicy()) reports.push([name, await calibrated(part)]);
  const policies = Object.fromEntries(reports);
  const report: CalibrationsByPolicy = { schemaVersion: 1, by: "policy", reading: files.reading, policies };
  const text = renderByPolicy(report, renderReport);
  if (options.markdown !== undefined) await writeText(options.markdown, `${text}\n`, "--markdown");
  emit(report, options, () => text);
}

function parseConfig({
  rule,
  baseUrl,
  model,
  apiKeyEnv,
  temperature,
  maxTokens,
  tokenLimitField,
  alpha,
  delta,
  holdout,
  folds,
  minSupport,
  resamples,
}: CalibrateOptions): CalibrationConfig {
  const given = { alpha, delta, holdout, folds, minSupport, bootstrapResamples: resamples };
  const numbers = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  const endpoint = Object.entries({
    baseUrl,
    model,
    apiKeyEnv,
    temperature,
    maxTokens,
    tokenLimitField,
  }).filter(([, value]) => value !== undefined);
  const proposer = endpoint.length === 0 ? {} : { proposer: Object.fromEntries(endpoint) };
  const all = { rule, ...proposer, ...Object.fromEntries(numbers) };
  const parsed = CalibrationConfig.safeParse(all);
  if (!parsed.success)
    throw new CampaignError(
      "config.invalid",
      describeOptions(parsed.error, all, { bootstrapResamples: "resamples", proposer: "base-url" }),
      {
        next: "turnwise calibrate --help",
      },
    );
  return parsed.data;
}
