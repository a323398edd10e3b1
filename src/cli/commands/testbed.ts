// turnwise testbed: how often the calibration gate is right, on buffers whose truth is known; with --estimators, what each advantage
// estimator's gradient is on problems whose true gradient is known.
import type { Command } from "commander";
import { z } from "zod";
import { GROUP_SIZES, runEstimatorTestbed } from "#core/advantage/testbed/run-testbed.ts";
import { CampaignError } from "#core/errors.ts";
import { renderEstimatorTestbed } from "../estimator-testbed.ts";
import { describeOptions } from "../issues.ts";
import { emit, type OutputOptions } from "../output.ts";
import { renderTestbed, runTestbed, TESTBED_SIZES } from "../testbed.ts";

const Counts = (least: number) =>
  z
    .string()
    .transform((text) => text.split(",").map(Number))
    .pipe(z.array(z.int().min(least)).min(1));

const Options = z.object({
  estimators: z.boolean().default(false),
  groupSizes: Counts(2),
  seeds: z.coerce.number().int().positive(),
  sizes: Counts(8),
  resamples: z.coerce.number().int().min(100),
  folds: z.coerce.number().int().min(1).max(50),
  seed: z.string(),
});

export function registerTestbed(program: Command): void {
  program
    .command("testbed")
    .option("--seeds <count>", "buffers of each kind", "500")
    .option("--sizes <counts>", "rollouts per buffer, comma-separated", TESTBED_SIZES.join(","))
    .option("--resamples <count>", "bootstrap resamples of tasks", "500")
    .option("--folds <count>", "1: one split into fitting and judging tasks; more: cross-fitting", "1")
    .option("--seed <text>", "seed of everything", "0")
    .option("--estimators", "the advantage estimators instead: expected gradients beside true ones, computed exactly")
    .option("--group-sizes <counts>", "with --estimators: rollouts per group, comma-separated", GROUP_SIZES.join(","))
    .option("--json", "as JSON (TestbedReport, with --estimators EstimatorTestbedReport)")
    .description("error rates of the calibration gate on simulated buffers with a useful, a harmful, a neutral and a confounded tier")
    .action(run);
}

function run(options: unknown): void {
  const parsed = Options.safeParse(options);
  if (!parsed.success) throw new CampaignError("config.invalid", describeOptions(parsed.error), { next: "turnwise testbed --help" });
  const { seeds, sizes, resamples, folds, seed, estimators, groupSizes } = parsed.data;
  if (estimators) {
    emit(runEstimatorTestbed(groupSizes), options as OutputOptions, renderEstimatorTestbed);
    return;
  }
  emit(runTestbed(sizes, { numSeeds: seeds, resamples, folds, seed }), options as OutputOptions, renderTestbed);
}
