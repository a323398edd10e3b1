// Which blobs the record's manifests reach, and which of those a retention lets go. Nothing here knows the kinds of manifests: whatever
// holds a reference is followed, through blobs that are JSON too. Only two kinds of blobs are known by what they are: a policy's manifest,
// whose files and moments a campaign may let go, and a training batch.
import { PolicyManifest } from "#contracts/policy.ts";
import { CampaignError } from "#core/errors.ts";
import type { CollectableStore } from "#core/ports.ts";
import { type Reference, referencesIn } from "#core/retention/references.ts";
import { blobName } from "../artifact-store/names.ts";
import type { CampaignKeeps } from "./campaign-keeps.ts";

/** Blobs of these contracts hold no references. Every other one is opened, so a new kind is followed until it is named here. */
const LEAVES = /^(Trajectories|TurnCredit|TrainingBatch|ModelFile|OptimizerState|PolicyCanary)\//;
/** No JSON that names others is as large; what is larger is not read. */
const MAX_JSON_BYTES = 64_000_000;

export interface Reach {
  /** Blobs that stay: sha256 -> contract. */
  readonly kept: ReadonlyMap<string, string>;
  /** Blobs that manifests name and every campaign that names them lets go. */
  readonly released: ReadonlyMap<string, Release>;
  /** Policies whose weights stay, and those whose weights go, by hash. */
  readonly keptPolicies: ReadonlySet<string>;
  readonly releasedPolicies: ReadonlySet<string>;
  /** Manifests and blobs that could not be followed: while there are any, nobody knows all that is reachable. */
  readonly problems: readonly string[];
}

interface Release {
  readonly schema: string;
  readonly campaignId: string;
  readonly reason: string;
}

/** Reads every manifest of the record. `onProgress` is called now and then: a heartbeat. */
export async function findReach(
  store: CollectableStore,
  keeps: readonly CampaignKeeps[],
  onProgress: () => void = () => {},
): Promise<Reach> {
  const walk = new Walk(store);
  const byCampaign = new Map(keeps.map((campaign) => [campaign.campaignId, campaign]));
  const names = await store.listManifests();
  for (let start = 0; start < names.length; start += READS_AT_ONCE) {
    const chunk = names.slice(start, start + READS_AT_ONCE);
    await Promise.all(chunk.map((name) => walk.enter(name, keeperOf(name, byCampaign))));
    await walk.follow();
    onProgress();
  }
  return walk.result();
}

const READS_AT_ONCE = 64;

/** The campaign whose retention applies to what a manifest names; null where everything stays. */
function keeperOf(name: string, campaigns: ReadonlyMap<string, CampaignKeeps>): CampaignKeeps | null {
  const [, campaignId = "", iteration] = /^campaigns\/([^/]+)\/(?:iterations\/(\d+)\/)?/.exec(name) ?? [];
  const keeper = campaigns.get(campaignId) ?? null;
  const isUnfinished = iteration !== undefined && keeper?.complete.has(Number(iteration)) === false && !keeper.isEnded;
  return isUnfinished ? null : keeper;
}

interface Step {
  readonly reference: Reference;
  readonly keeper: CampaignKeeps | null;
}

interface Content {
  /** Null for everything else, and for a policy's manifest of a later version: nothing that it names is let go. */
  readonly policy: PolicyManifest | null;
  readonly references: readonly Reference[];
}

class Walk {
  readonly #store: CollectableStore;
  readonly #kept = new Map<string, string>();
  readonly #released = new Map<string, Release>();
  readonly #keptPolicies = new Set<string>();
  readonly #releasedPolicies = new Set<string>();
  readonly #problems = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #contents = new Map<string, Content>();
  #pending: Step[] = [];

  constructor(store: CollectableStore) {
    this.#store = store;
  }

  /** Begins at a manifest. */
  async enter(name: string, keeper: CampaignKeeps | null): Promise<void> {
    try {
      this.#push(referencesIn(await this.#store.read(name)), keeper);
    } catch (error) {
      // What nobody calls a manifest need not be JSON.
      if (name.endsWith(".json")) this.#problem(name, error);
    }
  }

  async follow(): Promise<void> {
    while (this.#pending.length > 0) {
      const steps = this.#pending.filter((step) => this.#isNew(step));
      this.#pending = [];
      for (const step of steps) await this.#visit(step);
    }
  }

  result(): Reach {
    for (const sha256 of this.#kept.keys()) this.#released.delete(sha256);
    for (const hash of this.#keptPolicies) this.#releasedPolicies.delete(hash);
    return {
      kept: this.#kept,
      released: this.#released,
      keptPolicies: this.#keptPolicies,
      releasedPolicies: this.#releasedPolicies,
      problems: [...this.#problems].sort(),
    };
  }

  /** What is kept whole need not be looked at with a campaign's eyes. */
  #isNew({ reference, keeper }: Step): boolean {
    const key = `${reference.sha256} ${keeper?.campaignId ?? ""}`;
    if (this.#seen.has(key) || this.#seen.has(`${reference.sha256} `)) return false;
    this.#seen.add(key);
    return true;
  }

  async #visit({ reference, keeper }: Step): Promise<void> {
    const { sha256, schema } = reference;
    if (keeper?.retention.batches === "none" && schema.startsWith("TrainingBatch/"))
      return this.#release(reference, keeper, "the training batch of a finished iteration");
    this.#kept.set(sha256, schema);
    if (LEAVES.test(schema) || (reference.numBytes ?? 0) > MAX_JSON_BYTES) return;
    const { policy, references } = await this.#contentOf(reference);
    if (policy !== null && keeper !== null) this.#visitPolicy(policy, keeper);
    else this.#push(references, policy === null && schema.startsWith("PolicyManifest/") ? null : keeper);
    if (policy !== null && keeper === null) this.#keptPolicies.add(policy.hash);
  }

  #visitPolicy({ hash, files, optimizerState, ...others }: PolicyManifest, keeper: CampaignKeeps): void {
    const keeps = (policies: ReadonlySet<string> | "all") => policies === "all" || policies.has(hash);
    const keepsWeights = keeps(keeper.policies.weights);
    (keepsWeights ? this.#keptPolicies : this.#releasedPolicies).add(hash);
    if (keepsWeights) this.#push(referencesIn(files), null);
    else for (const file of referencesIn(files)) this.#release(file, keeper, `weights of policy ${hash.slice(0, 12)}`);
    for (const moments of referencesIn(optimizerState)) {
      if (keeps(keeper.policies.moments)) this.#push([moments], null);
      else this.#release(moments, keeper, `optimizer moments of policy ${hash.slice(0, 12)}`);
    }
    this.#push(referencesIn(others), keepsWeights ? null : keeper); // an adapter that stays keeps its base
  }

  #push(references: readonly Reference[], keeper: CampaignKeeps | null): void {
    for (const reference of references) this.#pending.push({ reference, keeper });
  }

  #release({ sha256, schema }: Reference, { campaignId }: CampaignKeeps, what: string): void {
    this.#released.set(sha256, { schema, campaignId, reason: `${what}, which campaign ${campaignId} keeps no longer` });
  }

  async #contentOf({ sha256, schema }: Reference): Promise<Content> {
    const known = this.#contents.get(sha256) ?? (await this.#read(sha256, schema));
    this.#contents.set(sha256, known);
    return known;
  }

  async #read(sha256: string, schema: string): Promise<Content> {
    try {
      const value = parseJson(await this.#store.getBlob({ uri: blobName(sha256), sha256, numBytes: 0, schema }));
      const policy = schema.startsWith("PolicyManifest/") ? (PolicyManifest.safeParse(value).data ?? null) : null;
      return { policy, references: referencesIn(value) };
    } catch (error) {
      if (!(error instanceof CampaignError && error.code === "store.dropped")) this.#problem(`${schema} ${sha256.slice(0, 12)}`, error);
      return { policy: null, references: [] };
    }
  }

  #problem(name: string, error: unknown): void {
    if (!(error instanceof CampaignError)) throw error;
    this.#problems.add(`${name}: ${error.message}`);
  }
}

/** null for bytes that are no JSON object or array. */
function parseJson(bytes: Uint8Array): unknown {
  const first = bytes.find((byte) => byte > 0x20);
  if (first !== 0x7b && first !== 0x5b) return null; // neither { nor [
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return null;
  }
}
