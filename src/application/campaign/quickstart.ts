// The quickstart: services up, one small campaign of its own, and whether it found what the first one did.
import { join } from "node:path";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { readStack, startStack } from "#adapters/services/stack.ts";
import { openRecord } from "../record.ts";
import { REPOSITORY, readSettings } from "../settings.ts";
import { checkCampaign, createCampaign } from "./create-campaign.ts";
import { launch } from "./launch.ts";

const FILE = join(REPOSITORY, "configs", "campaigns", "quickstart.yaml");

export interface QuickstartOptions {
  /** `path.to.key=value`, over the values of the file. */
  readonly overrides: readonly string[];
  /** Whether services that are started here stay. */
  readonly keepsServices: boolean;
  /** Aborted, nothing is started any more. */
  readonly signal: AbortSignal;
  /** Called before services start, or once it is known that they run. */
  readonly onServices: (isStarting: boolean) => void;
}

export interface Quickstart {
  readonly campaignId: string;
  readonly temporalUiUrl: string;
  readonly mlflowUrl: string;
  /** Whether the services stop with `close`. */
  readonly endsWithUs: boolean;
  /** The first quickstart in the record, beside this one; null for the first itself, and while one of both has not ended. */
  compareWithFirst(): Promise<{ readonly firstId: string; readonly policyHash: string; readonly isSame: boolean } | null>;
  /** Stops the services, where they are ours. To be called once, whatever happens. */
  close(): Promise<void>;
}

/** Answers once the campaign runs. Throws what checking and starting throw; then services that were started here are stopped. */
export async function startQuickstart({ overrides, keepsServices, signal, onServices }: QuickstartOptions): Promise<Quickstart> {
  const { home } = readSettings();
  const config = await loadCampaignFile(FILE, overrides);
  const checked = await checkCampaign(config, readSettings(), { mustReach: true });
  const isOurs = readStack(home) === null;
  const endsWithUs = isOurs && !keepsServices;
  onServices(isOurs);
  const stack = await startStack({ home, endsWithUs });
  const close = async () => (endsWithUs ? stack.stop() : undefined);
  try {
    signal.throwIfAborted();
    const settings = readSettings();
    const record = openRecord(settings);
    const campaignId = await freeId(record, config.name);
    await createCampaign(record, campaignId, checked);
    await launch(settings, record, campaignId);
    const { temporalUiUrl, mlflowUrl } = stack.endpoints;
    return { campaignId, temporalUiUrl, mlflowUrl, endsWithUs, close, compareWithFirst: () => compare(record, config.name, campaignId) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `quickstart`, `quickstart-2`, …: every run is a campaign of its own. */
async function freeId(record: CampaignRecord, name: string): Promise<string> {
  const taken = new Set(await record.listCampaigns());
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) if (!taken.has(`${name}-${number}`)) return `${name}-${number}`;
}

/** Equal seeds give equal campaigns, to the last bit of the weights. */
async function compare(record: CampaignRecord, firstId: string, campaignId: string): ReturnType<Quickstart["compareWithFirst"]> {
  if (firstId === campaignId) return null;
  const [first, own] = [await record.readEnd(firstId), await record.readEnd(campaignId)];
  if (first === null || own === null) return null;
  const policyHash = own.finalPolicy.hash;
  return { firstId, policyHash, isSame: first.finalPolicy.hash === policyHash };
}
