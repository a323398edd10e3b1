// What the record no longer needs: found, told, and removed. docs/retention.md says what goes when; the decision record of 2026-11-30 says
// why it is safe beside running campaigns and other collections, and at any kill.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { DroppedBlob } from "#contracts/retention.ts";
import { CampaignError } from "#core/errors.ts";
import type { CollectableStore, StoredBlob } from "#core/ports.ts";
import { droppedName, isJournalName } from "../artifact-store/names.ts";
import type { CampaignRecord } from "../record/campaign-record.ts";
import { RecordPaths } from "../record/paths.ts";
import { type CampaignKeeps, readKeeps } from "./campaign-keeps.ts";
import { foldersBelow, leftovers, measureFolder, removeEmptyFolder, removeFolder } from "./disk-folders.ts";
import { findReach, type Reach } from "./reach.ts";

const HOUR = 3_600_000;
/** Between the storing of a blob and the manifest that names it lies at most this: an import of large weights, a fork. */
const GRACE_MS = HOUR;
/** What no manifest names goes later: it takes no part in how much a campaign needs. */
const ORPHAN_GRACE_MS = 24 * HOUR;

export interface CollectOptions {
  readonly store: CollectableStore;
  /** Over that store. */
  readonly record: CampaignRecord;
  readonly policyRoot: string;
  readonly jobRoot: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly isDryRun?: boolean;
  /** Only what these campaigns let go; null: of all of them, and what belongs to none. */
  readonly campaigns?: readonly string[] | null;
  readonly onProgress?: () => void;
}

/** The order of the report. */
const KINDS = ["weights", "moments", "batches", "orphans", "policy folders", "job folders", "journals", "temporary files"] as const;
type GarbageKind = (typeof KINDS)[number];

export interface GarbageRow {
  readonly kind: GarbageKind;
  readonly freed: Amount;
  /** Of the same kind, and still there. */
  readonly left: Amount;
}
export interface Amount {
  readonly count: number;
  readonly numBytes: number;
}

export interface GarbageReport {
  readonly isDryRun: boolean;
  readonly rows: readonly GarbageRow[];
  readonly freedBytes: number;
  /** Why something was left, in words. */
  readonly notes: readonly string[];
}

/** Removes what can go, or with `isDryRun` only says it. Throws campaign.unknown for a campaign that is not in the record. */
export async function collectGarbage(options: CollectOptions): Promise<GarbageReport> {
  const { store, campaigns = null, isDryRun = false } = options;
  if (!isDryRun) await store.restoreRemovals();
  const { keeps, unreadable } = await readKeeps(options.record);
  const unknown = campaigns?.find((id) => !keeps.some(({ campaignId }) => campaignId === id));
  if (unknown !== undefined)
    throw new CampaignError("campaign.unknown", `no campaign ${JSON.stringify(unknown)} in the record that can be read`, {
      next: "turnwise history",
    });
  const reach = await findReach(store, keeps, options.onProgress);
  const collection = new Collection(options, keeps, reach);
  for (const { campaignId, problem } of unreadable) collection.note(`campaign ${campaignId} cannot be read and keeps all: ${problem}`);
  await collection.collectJobs();
  await collection.collectJournals();
  await collection.collectPolicyFolders();
  await collection.collectBlobs(unreadable.length > 0);
  await collection.collectTemporaries();
  return collection.report();
}

class Collection {
  readonly #options: CollectOptions;
  readonly #keeps: readonly CampaignKeeps[];
  readonly #reach: Reach;
  readonly #freed = new Map<GarbageKind, Amount>();
  readonly #left = new Map<GarbageKind, Amount>();
  readonly #notes: string[] = [];

  constructor(options: CollectOptions, keeps: readonly CampaignKeeps[], reach: Reach) {
    this.#options = options;
    this.#keeps = keeps;
    this.#reach = reach;
    const everything = keeps.filter(({ retention }) => retention.policies === "all" && retention.jobFolders === "keep");
    if (everything.length > 0) this.note(`${everything.map(({ campaignId }) => campaignId).join(", ")}: its retention keeps everything`);
    if (reach.problems.length > 0) {
      this.note(
        `no blob is removed, because not everything that the record names can be followed: ${reach.problems.slice(0, 3).join("; ")}`,
      );
    }
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  report(): GarbageReport {
    const rows = KINDS.map((kind) => ({ kind, freed: this.#freed.get(kind) ?? NOTHING, left: this.#left.get(kind) ?? NOTHING }));
    return {
      isDryRun: this.#isDryRun,
      rows: rows.filter(({ freed, left }) => freed.count + left.count > 0),
      freedBytes: rows.reduce((sum, { freed }) => sum + freed.numBytes, 0),
      notes: this.#notes,
    };
  }

  /** The trainer's folder of an iteration whose training is in the record, or of a campaign that has ended. */
  async collectJobs(): Promise<void> {
    const { jobRoot } = this.#options;
    for (const { campaignId, retention, trained, isEnded } of this.#keeps) {
      const root = join(jobRoot, campaignId);
      for (const name of await foldersBelow(root)) {
        const isOver = isEnded || trained.has(Number(name)) || name.startsWith(".");
        const { numBytes } = await measureFolder(join(root, name));
        if (!isOver || retention.jobFolders === "keep" || !this.#isAsked(campaignId)) this.#leave("job folders", numBytes);
        else await this.#free("job folders", numBytes, () => removeFolder(root, name));
      }
      if (isEnded && !this.#isDryRun && this.#isAsked(campaignId)) await removeEmptyFolder(root); // of an open one the trainer may be about to fill it
    }
  }

  /** Journals that a process killed between commit and clean-up has left: of complete iterations, and of campaigns that have ended. */
  async collectJournals(): Promise<void> {
    const { store } = this.#options;
    for (const { campaignId, complete, isEnded } of this.#keeps.filter((keeps) => this.#isAsked(keeps.campaignId))) {
      const names = (await store.list(`${RecordPaths.campaigns}/${campaignId}`)).filter(isJournalName);
      for (const [folder, inside] of Map.groupBy(names, (name) => name.slice(0, name.lastIndexOf("/turns/") + "/turns".length))) {
        const iteration = /\/iterations\/(\d+)\/turns$/.exec(folder)?.[1];
        const isOver = isEnded || (iteration !== undefined && complete.has(Number(iteration)));
        if (isOver) await this.#free("journals", 0, () => store.removeJournal(folder), inside.length);
        else this.#count(this.#left, "journals", 0, inside.length);
      }
    }
  }

  /** Directories of policies whose weights go, and of those that no manifest has named for a day; each can be made again while its weights are there. */
  async collectPolicyFolders(): Promise<void> {
    const { policyRoot, now } = this.#options;
    for (const name of (await foldersBelow(policyRoot)).filter((folder) => !folder.startsWith("."))) {
      const { numBytes, changedAt } = await measureFolder(join(policyRoot, name));
      const isReleased = this.#reach.releasedPolicies.has(name);
      const isOld = changedAt <= now - (isReleased ? GRACE_MS : ORPHAN_GRACE_MS);
      const isFree = !this.#reach.keptPolicies.has(name) && isOld && this.#canRemoveBlobs && (isReleased || this.#isWhole);
      if (isFree) await this.#free("policy folders", numBytes, () => removeFolder(policyRoot, name));
      else this.#leave("policy folders", numBytes);
    }
    for (const { path, numBytes } of await leftovers(policyRoot, now - GRACE_MS))
      await this.#free("policy folders", numBytes, () => rm(path, { recursive: true, force: true }));
  }

  async collectBlobs(hasUnreadable: boolean): Promise<void> {
    let [numYoung, numHeld] = [0, 0];
    const horizon = hasUnreadable ? 0 : Math.min(...this.#keeps.filter(({ isEnded }) => !isEnded).map(({ lastCommit }) => lastCommit));
    for await (const blob of this.#options.store.listBlobs()) {
      const release = this.#reach.released.get(blob.sha256);
      const schema = this.#reach.kept.get(blob.sha256) ?? release?.schema;
      const kind = schema === undefined ? "orphans" : kindOf(schema);
      const fate = this.#fateOf(blob, horizon);
      if (fate === "young") numYoung += 1;
      if (fate === "held") numHeld += 1;
      const isGone = fate === "free" && (await this.#removeBlob(blob));
      if (isGone) this.#count(this.#freed, kind ?? "orphans", blob.numBytes);
      else if (kind !== null) this.#leave(kind, blob.numBytes);
    }
    if (numYoung > 0) this.note(`${numYoung} files were used within the last hour (orphans: day), and may yet be named: they go later`);
    if (numHeld > 0)
      this.note(`${numHeld} orphans may be known to a campaign that has not ended; they go when it commits its next iteration or ends`);
  }

  async collectTemporaries(): Promise<void> {
    if (!this.#isWhole) return;
    const { store, now } = this.#options;
    const { count, numBytes } = await store.sweepTemporaries({ now, isDryRun: this.#isDryRun });
    if (count > 0) this.#count(this.#freed, "temporary files", numBytes, count);
  }

  #fateOf({ sha256, touchedAt }: StoredBlob, horizon: number): "kept" | "young" | "held" | "free" {
    if (!this.#canRemoveBlobs || this.#reach.kept.has(sha256)) return "kept";
    const release = this.#reach.released.get(sha256);
    if (!(release === undefined ? this.#isWhole : this.#isAsked(release.campaignId))) return "kept";
    if (touchedAt > this.#graceEnd(sha256)) return "young";
    return release === undefined && touchedAt > horizon - GRACE_MS ? "held" : "free";
  }

  async #removeBlob({ sha256, numBytes }: StoredBlob): Promise<boolean> {
    if (this.#isDryRun) return true;
    const { store, now } = this.#options;
    const release = this.#reach.released.get(sha256);
    if (release !== undefined) {
      const { schema, reason } = release;
      await noteDropped(store, { schemaVersion: 1, sha256, numBytes, schema, reason, droppedAt: new Date(now).toISOString() });
    }
    return await store.removeBlob(sha256, this.#graceEnd(sha256));
  }

  #graceEnd(sha256: string): number {
    return this.#options.now - (this.#reach.released.has(sha256) ? GRACE_MS : ORPHAN_GRACE_MS);
  }

  async #free(kind: GarbageKind, numBytes: number, remove: () => Promise<void>, count = 1): Promise<void> {
    if (!this.#isDryRun) await remove();
    this.#count(this.#freed, kind, numBytes, count);
  }

  #leave(kind: GarbageKind, numBytes: number): void {
    this.#count(this.#left, kind, numBytes);
  }

  #count(amounts: Map<GarbageKind, Amount>, kind: GarbageKind, numBytes: number, count = 1): void {
    const before = amounts.get(kind) ?? NOTHING;
    amounts.set(kind, { count: before.count + count, numBytes: before.numBytes + numBytes });
  }

  #isAsked(campaignId: string): boolean {
    return this.#options.campaigns?.includes(campaignId) ?? true;
  }

  /** Whether what belongs to no campaign is looked at too. */
  get #isWhole(): boolean {
    return (this.#options.campaigns ?? null) === null;
  }

  get #canRemoveBlobs(): boolean {
    return this.#reach.problems.length === 0;
  }

  get #isDryRun(): boolean {
    return this.#options.isDryRun ?? false;
  }
}

const NOTHING: Amount = { count: 0, numBytes: 0 };

/** null: of no kind that is ever let go. */
function kindOf(schema: string): GarbageKind | null {
  if (schema.startsWith("ModelFile/")) return "weights";
  if (schema.startsWith("OptimizerState/")) return "moments";
  return schema.startsWith("TrainingBatch/") ? "batches" : null;
}

/** The first note stands: another collection may have told it, and been killed before it removed the blob. */
async function noteDropped(store: CollectableStore, note: DroppedBlob): Promise<void> {
  try {
    await store.putOnce(droppedName(note.sha256), note);
  } catch (error) {
    if (!(error instanceof CampaignError && error.code === "store.conflict")) throw error;
  }
}

/** Lets go what a campaign keeps no longer; for after the commit of an iteration. Nothing of other campaigns, and nothing that is unnamed. */
export async function applyRetention(campaignId: string, options: Omit<CollectOptions, "campaigns" | "isDryRun">): Promise<GarbageReport> {
  return await collectGarbage({ ...options, campaigns: [campaignId] });
}
