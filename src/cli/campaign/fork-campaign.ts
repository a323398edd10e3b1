// A campaign that goes on from a committed iteration of another one: the parent's iterations are its own first ones, by their hashes.
import { setConfigValues } from "#adapters/campaign-file/load-campaign-file.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { codeVersion } from "#adapters/versions.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { CampaignManifest, IterationManifest } from "#contracts/manifests.ts";
import { canonicalJson, hashJson, sha256Hex } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";

export interface ForkOptions {
  readonly forkId: string;
  /** The last iteration that both share, as it was given. Absent: the parent's last committed one. */
  readonly from: string | undefined;
  /** `path.to.key=value`, as for `campaign start --set`. */
  readonly overrides: readonly string[];
}

/** What the parent's iterations were measured by: with another one their figures would mean something else. */
const SHARED = ["environment", "policy", "evaluation", "selection"] as const;

/**
 * Writes the fork into the record, or finds the same one there. Throws campaign.unknown, config.invalid for an iteration that is not
 * committed or a value that parent and fork must share, store.conflict when another campaign has the name.
 */
export async function forkCampaign(record: CampaignRecord, parentId: string, options: ForkOptions): Promise<CampaignManifest> {
  const { forkId, overrides } = options;
  const parent = await record.requireCampaign(parentId);
  const shared = await sharedIteration(record, parentId, options.from);
  const config = { ...setConfigValues(parent.config, overrides), name: forkId.slice(0, 63) };
  checkShared(parent.config, config);
  const manifest: CampaignManifest = {
    ...parent,
    schemaVersion: 2,
    id: forkId,
    config,
    configSha256: sha256Hex(canonicalJson(config)),
    codeVersion: await codeVersion(),
    estimate: null,
    parent: { campaignId: parentId, iteration: shared.iteration, iterationSha256: hashJson(shared) },
    createdAt: new Date().toISOString(),
  };
  const existing = await record.readCampaign(forkId);
  if (existing === null) {
    await record.putCampaign(manifest);
    return manifest;
  }
  if (existing.configSha256 === manifest.configSha256 && canonicalJson(existing.parent) === canonicalJson(manifest.parent)) return existing;
  throw new CampaignError("store.conflict", `campaign ${forkId} exists already, and is not this fork`, {
    next: `choose another name with --name, or look at it with: turnwise campaign show ${forkId}`,
  });
}

async function sharedIteration(record: CampaignRecord, parentId: string, from: string | undefined): Promise<IterationManifest> {
  const committed = await record.readIterations(parentId);
  const last = committed.at(-1);
  const next = last === undefined ? "wait until it has committed one" : `give --from a number from 0 to ${last.iteration}`;
  if (from !== undefined && !/^\d+$/.test(from))
    throw new CampaignError("config.invalid", `--from ${from} is not the number of an iteration`, { next });
  const found = from === undefined ? last : committed[Number(from)];
  if (found !== undefined) return found;
  const what = from === undefined ? "any iteration" : `iteration ${from}`;
  throw new CampaignError("config.invalid", `campaign ${parentId} has not committed ${what}`, { next });
}

function checkShared(parent: CampaignConfig, fork: CampaignConfig): void {
  const changed = SHARED.find((key) => canonicalJson(parent[key]) !== canonicalJson(fork[key]));
  if (changed === undefined) return;
  throw new CampaignError("config.invalid", `a fork shares ${SHARED.join(", ")} with its parent, and ${changed} would change`, {
    next: "start a campaign of its own: turnwise campaign start",
  });
}
