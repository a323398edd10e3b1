// Everything small that the record says of its campaigns: manifests, reports, reward tables, steering. Groups and trajectories stay files.
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { EvaluationReport } from "#contracts/evaluation-report.ts";
import {
  type CampaignEnd,
  type CampaignManifest,
  type IterationManifest,
  IterationStageName,
  type StageManifest,
} from "#contracts/manifests.ts";
import { RewardTable } from "#contracts/reward-table.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { StoredEvaluationReport } from "#contracts/upcast/evaluation-report.ts";
import { CampaignError } from "#core/errors.ts";
import type { CampaignRecord } from "../record/campaign-record.ts";

export interface RecordedIteration {
  readonly iteration: number;
  /** The campaign whose record holds it: a fork's first iterations are its parent's. */
  readonly owner: string;
  /** Null while the iteration runs. */
  readonly manifest: IterationManifest | null;
  readonly stages: readonly StageManifest[];
  /** Of selection: it chose the policy, and is never the result. */
  readonly report: EvaluationReport | null;
  readonly tableBefore: RewardTable | null;
  readonly tableAfter: RewardTable | null;
}

/** What a campaign reports: base and final policy on tasks that nothing was decided by. */
interface RecordedTest {
  readonly stage: StageManifest;
  readonly base: EvaluationReport;
  /** The base policy's own when it is the final one. */
  readonly final: EvaluationReport;
}

export interface RecordedCampaign {
  readonly id: string;
  readonly campaign: CampaignManifest;
  readonly end: CampaignEnd | null;
  readonly iterations: readonly RecordedIteration[];
  readonly test: RecordedTest | null;
  /** Every word that steered it, in order. */
  readonly steering: readonly SteeringWord[];
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
  const [end, iterations, steering] = await Promise.all([
    record.readEnd(id),
    Promise.all(numbers.map((number) => loadIteration(record, id, number))),
    record.readSteering(id),
  ]);
  return { id, campaign, end, iterations, test: await loadTest(record, id, end), steering };
}

/** A test that the campaign was stopped in is none. */
async function loadTest(record: CampaignRecord, id: string, end: CampaignEnd | null): Promise<RecordedTest | null> {
  if (end !== null && end.test === null) return null;
  const stage = await record.readStage(id, end?.finalIteration ?? 0, "test");
  const { base, final } = stage?.outputs ?? {};
  if (stage === null || base === undefined || final === undefined) return null;
  return { stage, base: await record.readJson(StoredEvaluationReport, base), final: await record.readJson(StoredEvaluationReport, final) };
}

async function loadIteration(record: CampaignRecord, id: string, iteration: number): Promise<RecordedIteration> {
  const manifest = await record.readIteration(id, iteration);
  const found = await Promise.all(IterationStageName.options.map((stage) => record.readStage(id, iteration, stage)));
  const stages = found.filter((stage) => stage !== null);
  const table = (ref: ArtifactRef | undefined) => (ref === undefined ? null : record.readJson(RewardTable, ref));
  const reportRef = stages.find(({ stage }) => stage === "selection")?.outputs["report"];
  return {
    iteration,
    owner: await record.ownerOf(id, iteration),
    manifest,
    stages,
    report: reportRef === undefined ? null : await record.readJson(StoredEvaluationReport, reportRef),
    tableBefore: await table(manifest?.tableBefore),
    tableAfter: await table(manifest?.tableAfter),
  };
}
