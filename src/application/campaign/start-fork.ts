// A fork of a campaign, from what is asked to a campaign that runs.
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import type { CampaignManifest } from "#contracts/manifests.ts";
import { openRecord } from "../record.ts";
import { ensureServices } from "../services/ensure-services.ts";
import { readSettings } from "../settings.ts";
import { checkFork } from "./create-campaign.ts";
import { commitFork, type ForkOptions, planFork } from "./fork-campaign.ts";
import { launch } from "./launch.ts";
import { estimateFor } from "./plan.ts";

/** Writes the fork and starts it; answers what it goes on from. Throws what planning, checking and starting throw. */
export async function startFork(parentId: string, options: ForkOptions, onStarting: () => void): Promise<CampaignManifest["parent"]> {
  const planned = await planFork(openRecord(readSettings()), parentId, options);
  await checkFork(planned.manifest, readSettings());
  const settings = await ensureServices(onStarting);
  const record = openRecord(settings);
  const { parent, config } = planned.manifest;
  const estimate = await estimateFor(record, config, parent?.iteration ?? null);
  await commitFork(record, createPolicyStore(record.store, settings.policyRoot), planned, estimate);
  await launch(settings, record, options.forkId);
  return parent;
}
