// Typed access to the record: manifests are validated on the way in and on the way out.
import type { z } from "zod";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import {
  CampaignEnd,
  CampaignId,
  CampaignManifest,
  GroupManifest,
  IterationManifest,
  type RolloutPurpose,
  StageManifest,
  type StageName,
} from "#contracts/manifests.ts";
import { SteeringWord } from "#contracts/steering.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import {
  StoredCampaignEnd,
  StoredCampaignManifest,
  StoredGroupManifest,
  StoredIterationManifest,
  StoredStageManifest,
} from "#contracts/upcast/manifests.ts";
import { canonicalJson, hashJson } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import type { ArtifactStore } from "#core/ports.ts";
import type { TurnCredit } from "#core/training/turn-credit.ts";
import { encodeParquet } from "../duckdb/parquet.ts";
import { parseContract, parseContractJson } from "./parse-contract.ts";
import { EarlierPaths, RecordPaths } from "./paths.ts";
import { decodeTrajectoryFile, encodeTrajectories, TRAJECTORIES_SCHEMA } from "./trajectories.ts";
import { TURN_CREDIT_SCHEMA, TURN_CREDIT_TABLE } from "./turn-credit.ts";

/**
 * The record of campaigns in an artifact store. `read…` answers null for what is not written yet, and reads every release. Everything throws
 * contract.invalid when a manifest does not fit its contract, `put…` throws store.conflict when another one is there.
 *
 * A forked campaign's first iterations are its parent's: they are found there, by their numbers, and must be those that it was forked from.
 */
export class CampaignRecord {
  readonly store: ArtifactStore;
  readonly #campaigns = new Map<string, CampaignManifest>();

  constructor(store: ArtifactStore) {
    this.store = store;
  }

  /** Manifests of campaigns never change: each is read once. Throws store.corrupt when a fork's parent is not what it was. */
  async readCampaign(campaignId: string): Promise<CampaignManifest | null> {
    const known = this.#campaigns.get(campaignId);
    if (known !== undefined) return known;
    const manifest = await this.#read(RecordPaths.campaign(campaignId), StoredCampaignManifest);
    if (manifest === null) return null;
    await this.#checkParent(manifest);
    this.#campaigns.set(campaignId, manifest);
    return manifest;
  }

  /** The campaign, or campaign.unknown. */
  async requireCampaign(campaignId: string): Promise<CampaignManifest> {
    const campaign = CampaignId.safeParse(campaignId).success ? await this.readCampaign(campaignId) : null;
    if (campaign === null) {
      throw new CampaignError("campaign.unknown", `no campaign ${JSON.stringify(campaignId)} in the record`, { next: "turnwise history" });
    }
    return campaign;
  }

  async readEnd(campaignId: string): Promise<CampaignEnd | null> {
    return await this.#read(RecordPaths.end(campaignId), StoredCampaignEnd);
  }

  async readIteration(campaignId: string, iteration: number): Promise<IterationManifest | null> {
    const owner = await this.ownerOf(campaignId, iteration);
    return await this.#read(RecordPaths.iteration(owner, iteration), StoredIterationManifest);
  }

  /** All committed iterations from 0 on, in order. */
  async readIterations(campaignId: string): Promise<IterationManifest[]> {
    const manifests: IterationManifest[] = [];
    for (;;) {
      const manifest = await this.readIteration(campaignId, manifests.length);
      if (manifest === null) return manifests;
      manifests.push(manifest);
    }
  }

  /** Identity of a campaign's iterations from 0 to `last`, as they are stored. Throws store.missing when one is not committed. */
  async hashIterations(campaignId: string, last: number): Promise<string> {
    const stored: unknown[] = [];
    for (let iteration = 0; iteration <= last; iteration += 1) {
      const name = RecordPaths.iteration(await this.ownerOf(campaignId, iteration), iteration);
      const manifest = await this.store.read(name);
      if (manifest === null) throw new CampaignError("store.missing", `the record has no ${name}`);
      stored.push(manifest);
    }
    return hashJson(stored);
  }

  async readStage(campaignId: string, iteration: number, stage: StageName): Promise<StageManifest | null> {
    const owner = stage === "test" ? campaignId : await this.ownerOf(campaignId, iteration);
    const found = await this.#read(RecordPaths.stage(owner, iteration, stage), StoredStageManifest);
    if (found !== null || stage !== "selection") return found;
    return await this.#read(EarlierPaths.selectionStage(owner, iteration), StoredStageManifest);
  }

  async readGroup(campaignId: string, iteration: number, purpose: RolloutPurpose, taskId: string): Promise<GroupManifest | null> {
    const owner = purpose === "test" ? campaignId : await this.ownerOf(campaignId, iteration);
    const found = await this.#read(RecordPaths.group(owner, iteration, purpose, taskId), StoredGroupManifest);
    if (found !== null || purpose !== "selection") return found;
    return await this.#read(`${EarlierPaths.selectionGroups(owner, iteration)}/${taskId}.json`, StoredGroupManifest);
  }

  /** Every word that steered the campaign, in order. */
  async readSteering(campaignId: string): Promise<SteeringWord[]> {
    const names = await this.store.list(RecordPaths.steering(campaignId));
    const words = await Promise.all(names.map((name) => this.#read(name, SteeringWord)));
    return words.filter((word) => word !== null).sort((left, right) => left.number - right.number);
  }

  async putSteeringWord(word: SteeringWord): Promise<void> {
    await this.#put(RecordPaths.steeringWord(word.campaignId, word.number), SteeringWord, word);
  }

  /** Whose record holds an iteration: the campaign's own, or that of the one it was forked from. */
  async ownerOf(campaignId: string, iteration: number): Promise<string> {
    const parent = (await this.readCampaign(campaignId))?.parent ?? null;
    return parent !== null && iteration <= parent.iteration ? await this.ownerOf(parent.campaignId, iteration) : campaignId;
  }

  async putCampaign(manifest: CampaignManifest): Promise<void> {
    await this.#put(RecordPaths.campaign(manifest.id), CampaignManifest, manifest);
  }

  async putEnd(manifest: CampaignEnd): Promise<void> {
    await this.#put(RecordPaths.end(manifest.campaignId), CampaignEnd, manifest);
  }

  async putIteration(manifest: IterationManifest): Promise<void> {
    await this.#put(RecordPaths.iteration(manifest.campaignId, manifest.iteration), IterationManifest, manifest);
  }

  async putStage(manifest: StageManifest): Promise<void> {
    await this.#put(RecordPaths.stage(manifest.campaignId, manifest.iteration, manifest.stage), StageManifest, manifest);
  }

  async putGroup(manifest: GroupManifest): Promise<void> {
    const name = RecordPaths.group(manifest.campaignId, manifest.iteration, manifest.purpose, manifest.taskId);
    await this.#put(name, GroupManifest, manifest);
  }

  /** Like putGroup, but when another attempt came first, its manifest stands and is the answer. */
  async commitGroup(manifest: GroupManifest): Promise<GroupManifest> {
    const existing = () => this.readGroup(manifest.campaignId, manifest.iteration, manifest.purpose, manifest.taskId);
    return await firstWins(manifest, () => this.putGroup(manifest), existing);
  }

  /** Like putStage, but when another attempt came first, its manifest stands and is the answer. */
  async commitStage(manifest: StageManifest): Promise<StageManifest> {
    const existing = () => this.readStage(manifest.campaignId, manifest.iteration, manifest.stage);
    return await firstWins(manifest, () => this.putStage(manifest), existing);
  }

  /** Like putIteration, but when another attempt came first, its manifest stands and is the answer. */
  async commitIteration(manifest: IterationManifest): Promise<IterationManifest> {
    return await firstWins(
      manifest,
      () => this.putIteration(manifest),
      () => this.readIteration(manifest.campaignId, manifest.iteration),
    );
  }

  /** Ids of all campaigns, sorted. */
  async listCampaigns(): Promise<string[]> {
    return await this.store.listFolders(RecordPaths.campaigns);
  }

  /** Numbers of the iterations that have written anything, ascending; 0 holds the base policy's evaluation. */
  async listIterations(campaignId: string): Promise<number[]> {
    const folders = await this.store.listFolders(RecordPaths.iterations(campaignId));
    const own = folders.filter((folder) => /^\d+$/.test(folder)).map(Number);
    const parent = (await this.readCampaign(campaignId))?.parent ?? null;
    if (parent === null) return own;
    const inherited = (await this.listIterations(parent.campaignId)).filter((iteration) => iteration <= parent.iteration);
    return [...new Set([...inherited, ...own])].sort((left, right) => left - right);
  }

  /** Ids of the tasks whose group is committed, sorted. */
  async listGroups(campaignId: string, iteration: number, purpose: RolloutPurpose): Promise<string[]> {
    const owner = purpose === "test" ? campaignId : await this.ownerOf(campaignId, iteration);
    const earlier = purpose === "selection" ? await this.store.list(EarlierPaths.selectionGroups(owner, iteration)) : [];
    const names = [...(await this.store.list(RecordPaths.groups(owner, iteration, purpose))), ...earlier];
    return [...new Set(names.map((name) => name.slice(name.lastIndexOf("/") + 1).replace(/\.json$/, "")))].sort();
  }

  /** Stores trajectories as one Parquet blob (Trajectories/1), in the order given. */
  async putTrajectories(trajectories: readonly Trajectory[]): Promise<ArtifactRef> {
    return await this.store.putBlob(await encodeTrajectories(trajectories), TRAJECTORIES_SCHEMA);
  }

  /** Stores the credit of an iteration's turns as one Parquet blob (TurnCredit/1). */
  async putTurnCredit(turns: readonly TurnCredit[]): Promise<ArtifactRef> {
    return await this.store.putBlob(await encodeParquet(TURN_CREDIT_TABLE, turns), TURN_CREDIT_SCHEMA);
  }

  async readTrajectories(ref: ArtifactRef): Promise<Trajectory[]> {
    return await decodeTrajectoryFile(await this.store.localPath(ref));
  }

  /** Stores a value as canonical JSON under its hash; `schema` is `<contract>/<version>`, e.g. RewardTable/1. */
  async putJson<Schema extends z.ZodType>(contract: Schema, value: z.input<Schema>, schema: string): Promise<ArtifactRef> {
    return await this.store.putBlob(Buffer.from(canonicalJson(parseContract(contract, value, schema))), schema);
  }

  /** Reads what `putJson` stored. */
  async readJson<Schema extends z.ZodType>(contract: Schema, ref: ArtifactRef): Promise<z.output<Schema>> {
    return parseContractJson(contract, await this.store.getBlob(ref), ref.uri);
  }

  async #checkParent({ id, parent }: CampaignManifest): Promise<void> {
    if (parent === null) return;
    const { campaignId, iteration, iterationsSha256 } = parent;
    if ((await this.hashIterations(campaignId, iteration)) === iterationsSha256) return;
    const message = `campaign ${id} was forked from iteration ${iteration} of ${campaignId}, whose iterations are not what they were then`;
    throw new CampaignError("store.corrupt", message, { next: "put the files of the parent back from a copy: manifests never change" });
  }

  async #read<Schema extends z.ZodType>(name: string, contract: Schema): Promise<z.output<Schema> | null> {
    const value = await this.store.read(name);
    return value === null ? null : parseContract(contract, value, name);
  }

  async #put<Schema extends z.ZodType>(name: string, contract: Schema, value: z.input<Schema>): Promise<void> {
    await this.store.putOnce(name, parseContract(contract, value, name));
  }
}

/** Two attempts of one piece of work differ in their wall times at least: the first one that is written is the one that counts. */
async function firstWins<T>(manifest: T, put: () => Promise<void>, readExisting: () => Promise<T | null>): Promise<T> {
  try {
    await put();
    return manifest;
  } catch (error) {
    const isTaken = error instanceof CampaignError && error.code === "store.conflict";
    const existing = isTaken ? await readExisting() : null;
    if (existing === null) throw error;
    return existing;
  }
}
