// Typed access to the record: manifests are validated on the way in and on the way out.
import type { z } from "zod";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import {
  CampaignEnd,
  CampaignManifest,
  GroupManifest,
  IterationManifest,
  type RolloutPurpose,
  StageManifest,
  type StageName,
} from "#contracts/manifests.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import type { ArtifactStore } from "#core/ports.ts";
import type { TurnCredit } from "#core/training/turn-credit.ts";
import { encodeParquet } from "../duckdb/parquet.ts";
import { RecordPaths } from "./paths.ts";
import { decodeTrajectoryFile, encodeTrajectories, TRAJECTORIES_SCHEMA } from "./trajectories.ts";
import { TURN_CREDIT_SCHEMA, TURN_CREDIT_TABLE } from "./turn-credit.ts";

/**
 * The record of campaigns in an artifact store. `read…` answers null for what is not written yet. Everything throws
 * contract.invalid when a manifest does not fit its contract, `put…` throws store.conflict when another one is there.
 */
export class CampaignRecord {
  readonly store: ArtifactStore;

  constructor(store: ArtifactStore) {
    this.store = store;
  }

  async readCampaign(campaignId: string): Promise<CampaignManifest | null> {
    return await this.#read(RecordPaths.campaign(campaignId), CampaignManifest);
  }

  /** The campaign, or campaign.unknown. */
  async requireCampaign(campaignId: string): Promise<CampaignManifest> {
    const isId = CampaignManifest.shape.id.safeParse(campaignId).success;
    const campaign = isId ? await this.readCampaign(campaignId) : null;
    if (campaign === null) {
      throw new CampaignError("campaign.unknown", `no campaign ${JSON.stringify(campaignId)} in the record`, { next: "turnwise history" });
    }
    return campaign;
  }

  async readEnd(campaignId: string): Promise<CampaignEnd | null> {
    return await this.#read(RecordPaths.end(campaignId), CampaignEnd);
  }

  async readIteration(campaignId: string, iteration: number): Promise<IterationManifest | null> {
    return await this.#read(RecordPaths.iteration(campaignId, iteration), IterationManifest);
  }

  async readStage(campaignId: string, iteration: number, stage: StageName): Promise<StageManifest | null> {
    return await this.#read(RecordPaths.stage(campaignId, iteration, stage), StageManifest);
  }

  async readGroup(campaignId: string, iteration: number, purpose: RolloutPurpose, taskId: string): Promise<GroupManifest | null> {
    return await this.#read(RecordPaths.group(campaignId, iteration, purpose, taskId), GroupManifest);
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
    const standing = () => this.readGroup(manifest.campaignId, manifest.iteration, manifest.purpose, manifest.taskId);
    return await firstWins(manifest, () => this.putGroup(manifest), standing);
  }

  /** Like putStage, but when another attempt came first, its manifest stands and is the answer. */
  async commitStage(manifest: StageManifest): Promise<StageManifest> {
    const standing = () => this.readStage(manifest.campaignId, manifest.iteration, manifest.stage);
    return await firstWins(manifest, () => this.putStage(manifest), standing);
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
    return folders.filter((folder) => /^\d+$/.test(folder)).map(Number);
  }

  /** Ids of the tasks whose group is committed, sorted. */
  async listGroups(campaignId: string, iteration: number, purpose: RolloutPurpose): Promise<string[]> {
    const names = await this.store.list(RecordPaths.groups(campaignId, iteration, purpose));
    return names.map((name) => name.slice(name.lastIndexOf("/") + 1).replace(/\.json$/, "")).sort();
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
    return await this.store.putBlob(Buffer.from(canonicalJson(parse(contract, value, schema))), schema);
  }

  /** Reads what `putJson` stored. */
  async readJson<Schema extends z.ZodType>(contract: Schema, ref: ArtifactRef): Promise<z.output<Schema>> {
    return parse(contract, parseJson(ref.uri, await this.store.getBlob(ref)), ref.uri);
  }

  async #read<Schema extends z.ZodType>(name: string, contract: Schema): Promise<z.output<Schema> | null> {
    const value = await this.store.read(name);
    return value === null ? null : parse(contract, value, name);
  }

  async #put<Schema extends z.ZodType>(name: string, contract: Schema, value: z.input<Schema>): Promise<void> {
    await this.store.putOnce(name, parse(contract, value, name));
  }
}

/** Two attempts of one piece of work differ in their wall times at least: the first one that is written is the one that counts. */
async function firstWins<T>(manifest: T, put: () => Promise<void>, readStanding: () => Promise<T | null>): Promise<T> {
  try {
    await put();
    return manifest;
  } catch (error) {
    const isTaken = error instanceof CampaignError && error.code === "store.conflict";
    const standing = isTaken ? await readStanding() : null;
    if (standing === null) throw error;
    return standing;
  }
}

function parse<Schema extends z.ZodType>(contract: Schema, value: unknown, name: string): z.output<Schema> {
  const result = contract.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined ? "" : `: ${issue.path.join(".") || "value"}: ${issue.message}`;
  throw new CampaignError("contract.invalid", `${name} does not fit its contract${where}`, { cause: result.error });
}

function parseJson(name: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new CampaignError("store.corrupt", `${name} is not JSON`, { cause: error });
  }
}
