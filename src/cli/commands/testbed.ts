// turnwise testbed: what is right where the truth is known. The calibration gate on planted buffers; with --selection, what a campaign
// reports of policies whose pass rates are known; with --estimators, gradients on problems whose true gradient is known.
import type { Command } from "commander";
import { z } from "zod";
import { runGateTestbed, TESTBED_SIZES } from "#application/testbeds/gate.ts";
import { campaignSizes, runSelectionTestbeds } from "#application/testbeds/selection.ts";
import { GROUP_SIZES, runEstimatorTestbed } from "#core/advantage/testbed/run-testbed.ts";
import { CampaignError } from "#core/errors.ts";
import { renderEstimatorTestbed } from "../estimator-testbed.ts";
import { describeOptions } from "../issues.ts";
import { NUM_BUFFERS, numberOption, RESAMPLES, wholeNumberOption, wholeNumbersOption } from "../number-options.ts";
import { emit, type OutputOptions } from "../output.ts";
import { clearProgress } from "../progress-line.ts";
import { renderSelectionTestbed, showSelectionProgress } from "../selection-testbed.ts";
import { renderTestbed, showGateProgress } from "../testbed.ts";

const GateOptions = z.object({
  seeds: z.number(),
  sizes: z.array(z.number()),
  resamples: z.number(),
  folds: z.number(),
  seed: z.string(),
});
const SelectionOptions = z.object({
  campaigns: z.number(),
  files: z.array(z.string()),
  tasksPerUser: z.number(),
  margin: z.number().nullable().default(null),
  seed: z.string(),
});
const EstimatorOptions = z.object({ groupSizes: z.array(z.number()) });

/** Each testbed reads its own options; one of another testbed would have no effect and is refused. */
const TESTBEDS = {
  gate: { options: GateOptions, run: runGate },
  selection: { options: SelectionOptions, run: runSelection },
  estimators: { options: EstimatorOptions, run: runEstimators },
} as const;
type TestbedName = keyof typeof TESTBEDS;
type Given = OutputOptions & { readonly selection?: boolean; readonly estimators?: boolean };

export function registerTestbed(program: Command): void {
  program
    .command("testbed")
    .addOption(wholeNumberOption("--seeds <count>", "buffers of each kind", { ...NUM_BUFFERS, default: 500 }))
    .addOption(
      wholeNumbersOption("--sizes <counts>", "rollouts per buffer, comma-separated", { min: 8, max: 100_000, default: TESTBED_SIZES }),
    )
    .addOption(wholeNumberOption("--resamples <count>", "bootstrap resamples of tasks", { ...RESAMPLES, default: 500 }))
    .addOption(
      wholeNumberOption("--folds <count>", "1: one split into fitting and judging tasks; more: cross-fitting", {
        min: 1,
        max: 50,
        default: 1,
      }),
    )
    .option("--seed <text>", "seed of everything", "0")
    .option("--selection", "what campaigns report instead: bias, coverage and power by promotion rule, on simulated policies")
    .addOption(
      wholeNumberOption("--campaigns <count>", "with --selection: campaigns of each kind", { min: 2, max: 1_000_000, default: 2000 }),
    )
    .option("--files <paths...>", "with --selection: campaign files whose sizes are simulated (default: all that are shipped)", [])
    .addOption(
      numberOption("--tasks-per-user <mean>", "with --selection: 1: every task has a user of its own", { min: 1, max: 1000, default: 2 }),
    )
    .addOption(numberOption("--margin <share>", "with --selection: of the rule not-worse, in place of the files' own", { min: 0, max: 1 }))
    .option("--estimators", "the advantage estimators instead: expected gradients beside true ones, computed exactly")
    .addOption(
      wholeNumbersOption("--group-sizes <counts>", "with --estimators: rollouts per group, comma-separated", {
        min: 2,
        max: 16,
        default: GROUP_SIZES,
      }),
    )
    .option("--json", "as JSON (TestbedReport, with --selection SelectionTestbedReport, with --estimators EstimatorTestbedReport)")
    .action(run);
}

async function run(options: Given, command: Command): Promise<void> {
  if (options.selection === true && options.estimators === true) throw invalid("--selection and --estimators are two testbeds");
  const chosen: TestbedName = options.selection === true ? "selection" : options.estimators === true ? "estimators" : "gate";
  refuseForeign(chosen, command);
  await TESTBEDS[chosen].run(options);
}

function refuseForeign(chosen: TestbedName, command: Command): void {
  const known = Object.keys(TESTBEDS[chosen].options.shape);
  const others = Object.values(TESTBEDS).flatMap(({ options }) => Object.keys(options.shape));
  const foreign = others.find((name) => !known.includes(name) && command.getOptionValueSource(name) === "cli");
  if (foreign === undefined) return;
  const flag = `--${foreign.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw invalid(`${flag} has no effect on the testbed of ${chosen === "gate" ? "the gate" : chosen}`);
}

function runGate(options: Given): void {
  const { seeds, sizes, resamples, folds, seed } = parse(GateOptions, options);
  const report = runGateTestbed(sizes, { numSeeds: seeds, resamples, folds, seed }, showGateProgress);
  clearProgress();
  emit(report, options, renderTestbed);
}

async function runSelection(options: Given): Promise<void> {
  const { campaigns, files, ...settings } = parse(SelectionOptions, options);
  const report = runSelectionTestbeds(await campaignSizes(files), { ...settings, numCampaigns: campaigns }, showSelectionProgress);
  clearProgress();
  emit(report, options, renderSelectionTestbed);
}

function runEstimators(options: Given): void {
  emit(runEstimatorTestbed(parse(EstimatorOptions, options).groupSizes), options, renderEstimatorTestbed);
}

function parse<Schema extends z.ZodType>(schema: Schema, options: unknown): z.output<Schema> {
  const parsed = schema.safeParse(options);
  if (!parsed.success) throw invalid(describeOptions(parsed.error, options));
  return parsed.data;
}

function invalid(message: string): CampaignError {
  return new CampaignError("config.invalid", message, { next: "turnwise testbed --help" });
}
