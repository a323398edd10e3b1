// What every campaign of the record keeps: its retention applied to the iterations that are complete.
import type { CampaignManifest } from "#contracts/manifests.ts";
import type { RetentionConfig } from "#contracts/retention.ts";
import { CampaignError } from "#core/errors.ts";
import { type KeptPolicies, keptPolicies } from "#core/retention/kept-policies.ts";
import type { CampaignRecord } from "../record/campaign-record.ts";

export interface CampaignKeeps {
  readonly campaignId: string;
  /** The campaign that it was forked from. */
  readonly parentId: string | null;
  readonly retention: RetentionConfig;
  readonly policies: KeptPolicies;
  readonly isEnded: boolean;
  /** Iterations that are complete, and those whose training is. */
  readonly complete: ReadonlySet<number>;
  readonly trained: ReadonlySet<number>;
  /** Milliseconds since 1970: what was stored later may be known to the campaign's workflow alone. */
  readonly lastCommit: number;
}

/** A campaign that cannot be read keeps all that it names. */
export interface UnreadableCampaign {
  readonly campaignId: string;
  readonly problem: string;
}

export async function readKeeps(record: CampaignRecord): Promise<{ keeps: CampaignKeeps[]; unreadable: UnreadableCampaign[] }> {
  const keeps: CampaignKeeps[] = [];
  const unreadable: UnreadableCampaign[] = [];
  const ids = await record.listCampaigns();
  const found = await Promise.all(ids.map((id) => readCampaign(record, id)));
  const forks = found.flatMap((campaign) => ("problem" in campaign || campaign.manifest.parent === null ? [] : [campaign.manifest.parent]));
  for (const campaign of found) {
    const result = "problem" in campaign ? campaign : await orProblem(campaign.campaignId, () => keepsOf(record, campaign.manifest, forks));
    if ("problem" in result) unreadable.push(result);
    else keeps.push(result);
  }
  return { keeps: withForks(keeps), unreadable };
}

/** A fork's first iterations are its parent's: what the fork keeps of them the parent keeps for it. */
function withForks(campaigns: readonly CampaignKeeps[]): CampaignKeeps[] {
  const keptBy = (parent: CampaignKeeps): KeptPolicies =>
    campaigns
      .filter((fork) => fork.parentId === parent.campaignId)
      .map(keptBy)
      .reduce((a, b) => ({ weights: union(a.weights, b.weights), moments: union(a.moments, b.moments) }), parent.policies);
  return campaigns.map((campaign) => ({ ...campaign, policies: keptBy(campaign) }));
}

function union(a: ReadonlySet<string> | "all", b: ReadonlySet<string> | "all"): ReadonlySet<string> | "all" {
  return a === "all" || b === "all" ? "all" : new Set([...a, ...b]);
}

async function readCampaign(record: CampaignRecord, campaignId: string) {
  return orProblem(campaignId, async () => ({ campaignId, manifest: await record.requireCampaign(campaignId) }));
}

async function orProblem<T>(campaignId: string, work: () => Promise<T>): Promise<T | UnreadableCampaign> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CampaignError)) throw error;
    return { campaignId, problem: error.message };
  }
}

async function keepsOf(
  record: CampaignRecord,
  manifest: CampaignManifest,
  forks: readonly { campaignId: string; iteration: number }[],
): Promise<CampaignKeeps> {
  const { id, config, basePolicy, createdAt } = manifest;
  const numbers = await record.listIterations(id);
  const iterations = await record.readIterations(id);
  const trained = await Promise.all(
    numbers.map(async (number) => ((await record.readStage(id, number, "training")) === null ? [] : [number])),
  );
  const end = await record.readEnd(id);
  const retention = config.retention;
  return {
    campaignId: id,
    parentId: manifest.parent?.campaignId ?? null,
    retention,
    policies: keptPolicies(retention, {
      base: basePolicy.hash,
      iterations: iterations.map(({ iteration, policyTrained, policyAfter, selectionPassRate }) => ({
        iteration,
        trained: policyTrained?.hash ?? null,
        promoted: policyAfter.hash,
        passRate: selectionPassRate ?? 0,
      })),
      final: end?.finalPolicy.hash ?? null,
      forkedAt: forks.filter(({ campaignId }) => campaignId === id).map(({ iteration }) => iteration),
    }),
    isEnded: end !== null,
    complete: new Set(iterations.map(({ iteration }) => iteration)),
    trained: new Set(trained.flat()),
    lastCommit: Math.max(Date.parse(createdAt), ...iterations.map(({ finishedAt }) => Date.parse(finishedAt))),
  };
}
