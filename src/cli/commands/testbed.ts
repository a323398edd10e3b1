// turnwise testbed: how often the calibration gate is right, on buffers whose truth is known.
import type { Command } from "commander";
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import { describeOptions } from "../issues.ts";
import { emit, type OutputOptions } from "../output.ts";
import { renderTestbed, runTestbed, TESTBED_SIZES } from "../testbed.ts";

const Options = z.object({
  seeds: z.coerce.number().int().positive(),
  sizes: z
    .string()
    .transform((text) => text.split(",").map(Number))
    .pipe(z.array(z.int().min(8)).min(1)),
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
    .option("--json", "counts as JSON (TestbedReport)")
    .description("error rates of the calibration gate on simulated buffers with a useful, a harmful, a neutral and a confounded tier")
    .action(run);
}

function run(options: unknown): void {
  const parsed = Options.safeParse(options);
  if (!parsed.success) throw new CampaignError("config.invalid", describeOptions(parsed.error), { next: "turnwise testbed --help" });
  const { seeds, sizes, resamples, folds, seed } = parsed.data;
  emit(runTestbed(sizes, { numSeeds: seeds, resamples, folds, seed }), options as OutputOptions, renderTestbed);
}
