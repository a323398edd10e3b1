// turnwise batch export: the training batch of an iteration, for the trainer of prime-rl or verl.
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { openRecord } from "#adapters/record/open-record.ts";
import { readSettings } from "#adapters/settings.ts";
import { ENGINES, type Engine, exportBatch } from "#adapters/trainer-process/export-batch.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "#core/errors.ts";
import { trainingSeed } from "#core/training/training-seed.ts";
import { wholeNumberOption } from "../number-options.ts";
import { emit, type OutputOptions } from "../output.ts";

interface ExportFlags extends OutputOptions {
  readonly campaign: string;
  readonly iteration: number;
  readonly engine: Engine;
  readonly out: string;
  readonly maxLength?: number;
  readonly ranks?: number;
  readonly padToMultiple?: number;
  readonly padTokenId?: number;
}

export function registerBatch(program: Command): void {
  const family = program.command("batch").description("training batches of campaigns: tokens, masks, log-probabilities, advantages");
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

async function exportCommand(flags: ExportFlags): Promise<void> {
  const settings = readSettings();
  const { store, record } = openRecord(settings.recordRoot);
  const { config } = await record.requireCampaign(flags.campaign);
  const batch = await batchOf(record, flags);
  const out = resolve(flags.out);
  const options = { sha256: batch.sha256, ...optionsOf(config, flags) };
  await exportBatch({ python: settings.python, batchPath: await store.localPath(batch), engine: flags.engine, out, options });
  const report = { campaignId: flags.campaign, iteration: flags.iteration, engine: flags.engine, batch: batch.sha256, folder: out };
  emit(report, flags, () => `batch ${batch.sha256.slice(0, 12)} of iteration ${flags.iteration} written for ${flags.engine} to ${out}`);
}

async function batchOf(record: CampaignRecord, { campaign, iteration }: ExportFlags): Promise<ArtifactRef> {
  const batch = (await record.readStage(campaign, iteration, "training"))?.outputs["batch"];
  if (batch !== undefined) return batch;
  throw new CampaignError("config.invalid", `iteration ${iteration} of ${campaign} has no training batch in the record`, {
    next: `turnwise history ${campaign} lists its iterations; iteration 0 trains nothing`,
  });
}

/** What the campaign knows, then what the person says. */
function optionsOf(config: CampaignConfig, flags: ExportFlags): Record<string, string> {
  const steps = {
    minibatches: String(config.training.hyperparameters.numMinibatches),
    seed: String(trainingSeed(config.seed, flags.iteration)),
  };
  const given = {
    "max-length": flags.maxLength,
    ranks: flags.ranks,
    "pad-to-multiple": flags.padToMultiple,
    "pad-token-id": flags.padTokenId,
  };
  return {
    temperature: String(config.policy.temperature),
    ...(flags.engine === "prime-rl" ? steps : {}),
    ...Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))),
  };
}
