// turnwise batch export: the training batch of an iteration, for the trainer of prime-rl or verl.
import { type Command, Option } from "commander";
import { type BatchRequest, ENGINES, exportTrainingBatch } from "#application/campaign/export-batch.ts";
import { wholeNumberOption } from "../number-options.ts";
import { emit, type OutputOptions } from "../output.ts";

export function registerBatch(program: Command): void {
  const family = program.command("batch");
  family
    .command("export")
    .requiredOption("--campaign <id>", "of the record")
    .addOption(wholeNumberOption("--iteration <number>", "whose training batch", { min: 0, max: 100_000 }).makeOptionMandatory())
    .addOption(new Option("--engine <engine>", "whose trainer will read it").choices(ENGINES).makeOptionMandatory())
    .requiredOption("--out <folder>", "new or empty; for prime-rl the output_dir of its trainer")
    .addOption(
      wholeNumberOption(
        "--max-length <tokens>",
        "most tokens of a row, and of a packed micro-batch of prime-rl; default: the longest row",
        {
          min: 1,
          max: 10_000_000,
        },
      ),
    )
    .addOption(wholeNumberOption("--ranks <number>", "prime-rl: data-parallel ranks; default: 1", { min: 1, max: 4096 }))
    .addOption(
      wholeNumberOption("--pad-to-multiple <number>", "prime-rl: of a micro-batch's tokens; its model.cp; default: 1", {
        min: 1,
        max: 4096,
      }),
    )
    .addOption(wholeNumberOption("--pad-token-id <id>", "verl: outside the attention mask; default: 0", { min: 0, max: 10_000_000 }))
    .option("--json")
    .description(
      "write the training batch of an iteration for prime-rl or verl, cut into optimizer steps as the campaign's own training was",
    )
    .action(exportCommand);
}

async function exportCommand(flags: BatchRequest & OutputOptions): Promise<void> {
  const report = await exportTrainingBatch(flags);
  const { batch, iteration, engine, folder } = report;
  emit(report, flags, () => `batch ${batch.slice(0, 12)} of iteration ${iteration} written for ${engine} to ${folder}`);
}
