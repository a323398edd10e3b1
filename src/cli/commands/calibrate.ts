// turnwise calibrate FILE…: the whole analysis on rollouts that are already there. No server, no key.
import { type Command, Option } from "commander";
import { calibrateByPolicy, calibrateRollouts } from "#application/rollouts/calibrate-rollouts.ts";
import { writeText } from "#application/write-text.ts";
import type { CalibrationsByPolicy } from "#contracts/by-policy.ts";
import type { CalibrationReport } from "#contracts/calibration-report.ts";
import { CalibrationConfig } from "#contracts/campaign-config.ts";
import { TokenLimitField } from "#contracts/request-fields.ts";
import { CampaignError } from "#core/errors.ts";
import { renderReport } from "#reports/calibration-markdown.ts";
import { renderPage } from "#reports/calibration-page/render-page.ts";
import { describeOptions } from "../issues.ts";
import { numberOption, RESAMPLES, wholeNumberOption } from "../number-options.ts";
import { emit, type OutputOptions } from "../output.ts";
import { renderByPolicy } from "../render-by-policy.ts";
import { addRolloutFileOptions, type RolloutFileOptions } from "../rollout-file-options.ts";

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
    .action(run);
}

async function run(paths: string[], options: CalibrateOptions): Promise<void> {
  const request = { ...options, config: parseConfig(options) };
  const sayNote = (note: string) => console.error(note);
  if (options.by !== undefined && options.html !== undefined)
    throw new CampaignError("config.invalid", "--html is a page of one report, and --by policy gives several", {
      next: "leave one of the two out",
    });
  if (options.by === undefined) await printReport(await calibrateRollouts(paths, request, sayNote), options);
  else await printByPolicy(await calibrateByPolicy(paths, request, sayNote), options);
}

async function printReport(report: CalibrationReport, options: CalibrateOptions): Promise<void> {
  const markdown = renderReport(report);
  if (options.markdown !== undefined) await writeText(options.markdown, markdown, "--markdown");
  if (options.html !== undefined) await writeText(options.html, renderPage(report), "--html");
  emit(report, options, () => markdown.trimEnd());
}

async function printByPolicy(report: CalibrationsByPolicy, options: CalibrateOptions): Promise<void> {
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
