// A campaign that goes on from a committed iteration of another one: the parent's iterations are its own first ones, by their hashes.
import { setConfigValues } from "#adapters/campaign-file/load-campaign-file.ts";
import type { PolicyStore } from "#adapters/policy-store/policy-store.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { codeVersion } from "#adapters/versions.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { CampaignEstimate } from "#contracts/campaign-estimate.ts";
import type { CampaignManifest, IterationManifest } from "#contracts/manifests.ts";
import { canonicalJson, hashJson } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import { pluginFor } from "#environments/registry.ts";
import { describeDifferences } from "./differing-settings.ts";

export interface ForkOptions {
  readonly forkId: string;
  /** The last iteration that both share, as it was given. Absent: the parent's last committed one, for a fork that exists its own. */
  readonly from: string | undefined;
  /** `path.to.key=value`, as for `campaign start --set`. */
  readonly overrides: readonly string[];
}

/** A fork that nothing was written of yet, unless it exists. */
export interface PlannedFork {
  readonly manifest: CampaignManifest;
  /** The last iteration that it shares with its parent. */
  readonly shared: IterationManifest;
  readonly exists: boolean;
}

/** What the parent's iterations were measured, rewarded or shaped by: with another one they would mean something else. */
const SHARED = ["environment", "policy", "simulator", "evaluation", "selection", "reward", "rollout.maxTurns", "training.adapter"] as const;

/**
 * The fork that is meant; the same one again when it exists. Writes nothing. Throws campaign.unknown, config.invalid for an iteration that is
 * not committed or a value that parent and fork must share, store.conflict when another campaign has the name.
 */
export async function planFork(record: CampaignRecord, parentId: string, { forkId, from, overrides }: ForkOptions): Promise<PlannedFork> {
  const parent = await record.requireCampaign(parentId);
  const existing = await record.readCampaign(forkId);
  const isSibling = existing?.parent?.campaignId === parentId;
  const shared = await sharedIteration(record, parentId, from ?? (isSibling ? String(existing.parent?.iteration) : undefined));
  const { iteration } = shared;
  const config = forkConfig(parent.config, overrides, forkId);
  const manifest: CampaignManifest = {
    ...parent,
    schemaVersion: 2,
    id: forkId,
    config,
    configSha256: hashJson(config),
    codeVersion: await codeVersion(),
    estimate: null,
    parent: { campaignId: parentId, iteration, iterationsSha256: await record.hashIterations(parentId, iteration) },
    createdAt: new Date().toISOString(),
  };
  if (existing === null) return { manifest, shared, exists: false };
  if (existing.configSha256 === manifest.configSha256 && canonicalJson(existing.parent) === canonicalJson(manifest.parent))
    return { manifest: existing, shared, exists: true };
  throw new CampaignError(
    "store.conflict",
    `campaign ${forkId} exists already, and is not this fork: ${describeOther(existing, manifest)}`,
    {
      next: `choose another name with --name, or look at it with: turnwise campaign show ${forkId}`,
    },
  );
}

function describeOther(existing: CampaignManifest, { parent, config }: CampaignManifest): string {
  if (existing.parent?.campaignId !== parent?.campaignId) return `it is none of ${parent?.campaignId}`;
  if (existing.parent?.iteration !== parent?.iteration) return `it goes on from iteration ${existing.parent?.iteration}`;
  if (existing.configSha256 === hashJson(config)) return "its parent's iterations are not what they were";
  return describeDifferences(existing.config, config);
}

/**
 * Writes the fork into the record. It goes on training from the policy that it shares last, and compares with the base: both are held first, so
 * that retention cannot let them go before the manifest names them. Throws store.dropped when it has.
 */
export async function commitFork(
  record: CampaignRecord,
  policies: Pick<PolicyStore, "hold">,
  { manifest, shared, exists }: PlannedFork,
  estimate: CampaignEstimate | null,
): Promise<void> {
  await policies.hold(shared.policyAfter, { withMoments: true });
  await policies.hold(manifest.basePolicy, { withMoments: false });
  if (!exists) await record.putCampaign({ ...manifest, estimate });
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

function forkConfig(stored: CampaignConfig, overrides: readonly string[], forkId: string): CampaignConfig {
  // What the environment's plugin has learnt since has its default there, as in every config that is read anew.
  const parent = { ...stored, environment: pluginFor(stored.environment).config };
  const config = setConfigValues(
    parent,
    overrides,
    "turnwise campaign show says what the campaign was set to, docs/schemas what can be set",
  );
  if (config.name !== parent.name)
    throw new CampaignError("config.invalid", "a fork has the name that it is given with --name", { next: `--name ${config.name}` });
  const changed = SHARED.find((path) => canonicalJson(valueAt(parent, path)) !== canonicalJson(valueAt(config, path)));
  if (changed === undefined) return { ...config, name: forkId.slice(0, 63) };
  throw new CampaignError("config.invalid", `a fork shares ${SHARED.join(", ")} with its parent, and ${changed} would change`, {
    next: "start a campaign of its own: turnwise campaign start",
  });
}

/** null where there is none. */
function valueAt(config: CampaignConfig, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => Reflect.get(Object(value), key), config) ?? null;
}
