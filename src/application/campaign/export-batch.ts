// The training batch of an iteration, for the trainer of prime-rl or verl.
import { resolve } from "node:path";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { type Engine, exportBatch } from "#adapters/trainer-process/export-batch.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "#core/errors.ts";
import { trainingSeed } from "#core/training/training-seed.ts";
import { openRecord } from "../record.ts";
import { readSettings } from "../settings.ts";

export { ENGINES } from "#adapters/trainer-process/export-batch.ts";

export interface BatchRequest {
  readonly campaign: string;
  readonly iteration: number;
  readonly engine: Engine;
  /** A folder that is new or empty. */
  readonly out: string;
  /** Most tokens of a row; the longest row unless given. */
  readonly maxLength?: number;
  readonly ranks?: number;
  readonly padToMultiple?: number;
  readonly padTokenId?: number;
}

export interface ExportedBatch {
  readonly campaignId: string;
  readonly iteration: number;
  readonly engine: Engine;
  /** SHA-256 of the batch in the record. */
  readonly batch: string;
  /** Where it was written. */
  readonly folder: string;
}

/** Cut into optimizer steps as the campaign's own training was. Throws campaign.unknown, and config.invalid for an iteration without a batch. */
export async function exportTrainingBatch(request: BatchRequest): Promise<ExportedBatch> {
  const settings = readSettings();
  const record = openRecord(settings);
  const { config } = await record.requireCampaign(request.campaign);
  const batch = await batchOf(record, request);
  const out = resolve(request.out);
  const options = { sha256: batch.sha256, ...optionsOf(config, request) };
  await exportBatch({ python: settings.python, batchPath: await record.store.localPath(batch), engine: request.engine, out, options });
  return { campaignId: request.campaign, iteration: request.iteration, engine: request.engine, batch: batch.sha256, folder: out };
}

async function batchOf(record: CampaignRecord, { campaign, iteration }: BatchRequest): Promise<ArtifactRef> {
  const batch = (await record.readStage(campaign, iteration, "training"))?.outputs["batch"];
  if (batch !== undefined) return batch;
  throw new CampaignError("config.invalid", `iteration ${iteration} of ${campaign} has no training batch in the record`, {
    next: `turnwise history ${campaign} lists its iterations; iteration 0 trains nothing`,
  });
}

/** What the campaign knows, then what the person says. */
function optionsOf(config: CampaignConfig, request: BatchRequest): Record<string, string> {
  const steps = {
    minibatches: String(config.training.hyperparameters.numMinibatches),
    seed: String(trainingSeed(config.seed, request.iteration)),
  };
  const given = {
    "max-length": request.maxLength,
    ranks: request.ranks,
    "pad-to-multiple": request.padToMultiple,
    "pad-token-id": request.padTokenId,
  };
  return {
    temperature: String(config.policy.temperature),
    ...(request.engine === "prime-rl" ? steps : {}),
    ...Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))),
  };
}
