// turnwise testbed: what is right where the truth is known. The calibration gate on planted buffers; with --selection, what a campaign
// reports of policies whose pass rates are known; with --estimators, gradients on problems whose true gradient is known.
import type { Command } from "commander";
import { z } from "zod";
import { GROUP_SIZES, runEstimatorTestbed } from "#core/advantage/testbed/run-testbed.ts";
import { CampaignError } from "#core/errors.ts";
import { renderEstimatorTestbed } from "../estimator-testbed.ts";
import { describeOptions } from "../issues.ts";
import { emit, type OutputOptions } from "../output.ts";
import { campaignSizes, renderSelectionTestbed, runSelectionTestbeds } from "../selection-testbed.ts";
import { renderTestbed, runTestbed, TESTBED_SIZES } from "../testbed.ts";

const Counts = (least: number) =>
  z
    .string()
    .transform((text) => text.split(",").map(Number))
    .pipe(z.array(z.int().min(least)).min(1));

const GateOptions = z.object({
  seeds: z.coerce.number().int().positive(),
  sizes: Counts(8),
  resamples: z.coerce.number().int().min(100),
  folds: z.coerce.number().int().min(1).max(50),
  seed: z.string(),
});
const SelectionOptions = z.object({
  campaigns: z.coerce.number().int().min(2),
  files: z.array(z.string()),
  tasksPerUser: z.coerce.number().min(1),
  margin: z.coerce.number().min(0).max(1).nullable().default(null),
  seed: z.string(),
});
const EstimatorOptions = z.object({ groupSizes: Counts(2) });

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
    .option("--seeds <count>", "buffers of each kind", "500")
    .option("--sizes <counts>", "rollouts per buffer, comma-separated", TESTBED_SIZES.join(","))
    .option("--resamples <count>", "bootstrap resamples of tasks", "500")
    .option("--folds <count>", "1: one split into fitting and judging tasks; more: cross-fitting", "1")
    .option("--seed <text>", "seed of everything", "0")
    .option("--selection", "what campaigns report instead: bias, coverage and power by promotion rule, on simulated policies")
    .option("--campaigns <count>", "with --selection: campaigns of each kind", "2000")
    .option("--files <paths...>", "with --selection: campaign files whose sizes are simulated (default: all that are shipped)", [])
    .option("--tasks-per-user <mean>", "with --selection: 1: every task has a user of its own", "2")
    .option("--margin <share>", "with --selection: of the rule not-worse, in place of the files' own")
    .option("--estimators", "the advantage estimators instead: expected gradients beside true ones, computed exactly")
    .option("--group-sizes <counts>", "with --estimators: rollouts per group, comma-separated", GROUP_SIZES.join(","))
    .option("--json", "as JSON (TestbedReport, with --selection SelectionTestbedReport, with --estimators EstimatorTestbedReport)")
    .description("error rates of the calibration gate on simulated buffers with a useful, a harmful, a neutral and a confounded tier")
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
  emit(runTestbed(sizes, { numSeeds: seeds, resamples, folds, seed }), options, renderTestbed);
}

async function runSelection(options: Given): Promise<void> {
  const { campaigns, files, ...settings } = parse(SelectionOptions, options);
  const report = runSelectionTestbeds(await campaignSizes(files), { ...settings, numCampaigns: campaigns });
  emit(report, options, renderSelectionTestbed);
}

function runEstimators(options: Given): void {
  emit(runEstimatorTestbed(parse(EstimatorOptions, options).groupSizes), options, renderEstimatorTestbed);
}

function parse<Schema extends z.ZodType>(schema: Schema, options: unknown): z.output<Schema> {
  const parsed = schema.safeParse(options);
  if (!parsed.success) throw invalid(describeOptions(parsed.error));
  return parsed.data;
}

function invalid(message: string): CampaignError {
  return new CampaignError("config.invalid", message, { next: "turnwise testbed --help" });
}
