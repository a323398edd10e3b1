// Everything small that the record says of its campaigns: manifests, evaluation reports, reward tables. Groups and trajectories stay files.
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { EvaluationReport } from "#contracts/evaluation-report.ts";
import { type CampaignEnd, type CampaignManifest, type IterationManifest, type StageManifest, StageName } from "#contracts/manifests.ts";
import { RewardTable } from "#contracts/reward-table.ts";
import { StoredEvaluationReport } from "#contracts/upcast/evaluation-report.ts";
import { CampaignError } from "#core/errors.ts";
import type { CampaignRecord } from "../record/campaign-record.ts";

export interface RecordedIteration {
  readonly iteration: number;
  /** Null while the iteration runs. */
  readonly manifest: IterationManifest | null;
  readonly stages: readonly StageManifest[];
  readonly report: EvaluationReport | null;
  readonly tableBefore: RewardTable | null;
  readonly tableAfter: RewardTable | null;
}

export interface RecordedCampaign {
  readonly id: string;
  readonly campaign: CampaignManifest;
  readonly end: CampaignEnd | null;
  readonly iterations: readonly RecordedIteration[];
}

/** A campaign of the record that cannot be read, and why. It does not hide the others. */
export interface UnreadableCampaign {
  readonly id: string;
  readonly problem: CampaignError;
}

/** All campaigns, sorted by id. */
export async function loadCampaigns(record: CampaignRecord): Promise<{ readable: RecordedCampaign[]; unreadable: UnreadableCampaign[] }> {
  const readable: RecordedCampaign[] = [];
  const unreadable: UnreadableCampaign[] = [];
  for (const id of await record.listCampaigns()) {
    try {
      readable.push(await loadCampaign(record, id));
    } catch (error) {
      if (!(error instanceof CampaignError)) throw error;
      unreadable.push({ id, problem: error });
    }
  }
  return { readable, unreadable };
}

/** One campaign. Throws campaign.unknown, or store.* and contract.* when it cannot be read. */
export async function loadCampaign(record: CampaignRecord, id: string): Promise<RecordedCampaign> {
  const campaign = await record.requireCampaign(id);
  const numbers = await record.listIterations(id);
  const [end, iterations] = await Promise.all([
    record.readEnd(id),
    Promise.all(numbers.map((number) => loadIteration(record, id, number))),
  ]);
  return { id, campaign, end, iterations };
}

async function loadIteration(record: CampaignRecord, id: string, iteration: number): Promise<RecordedIteration> {
  const manifest = await record.readIteration(id, iteration);
  const found = await Promise.all(StageName.options.map((stage) => record.readStage(id, iteration, stage)));
  const stages = found.filter((stage) => stage !== null);
  const table = (ref: ArtifactRef | undefined) => (ref === undefined ? null : record.readJson(RewardTable, ref));
  const reportRef = stages.find(({ stage }) => stage === "selection")?.outputs["report"];
  return {
    iteration,
    manifest,
    stages,
    report: reportRef === undefined ? null : await record.readJson(StoredEvaluationReport, reportRef),
    tableBefore: await table(manifest?.tableBefore),
    tableAfter: await table(manifest?.tableAfter),
  };
}
