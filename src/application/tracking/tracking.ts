// The projection of the record to MLflow: what it shows, and the way to show it all again.
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { MlflowClient } from "#adapters/tracking/mlflow-client.ts";
import { planRuns } from "#adapters/tracking/plan-runs.ts";
import { readTrackingProblems } from "#adapters/tracking/problems-file.ts";
import { compareProjection, isServerDown, loadProjected, type Projection, projectCampaign } from "#adapters/tracking/projector.ts";
import { CampaignError } from "#core/errors.ts";
import { openRecord } from "../record.ts";
import { readSettings } from "../settings.ts";

export interface CampaignTracking {
  readonly campaignId: string;
  readonly numRuns: number;
  readonly numProjected: number | null;
  /** Why it is not in MLflow. */
  readonly problem: string | null;
}

export interface TrackingStatus {
  readonly url: string;
  /** Null when MLflow does not answer. */
  readonly version: string | null;
  readonly campaigns: readonly CampaignTracking[];
}

/** What could not be sent of a campaign; the others were. */
interface FailedProjection {
  readonly campaignId: string;
  readonly problem: { readonly code: string; readonly message: string };
}

export type SentCampaign = Projection | FailedProjection;

function open(): { record: CampaignRecord; mlflow: MlflowClient } {
  const settings = readSettings();
  return { record: openRecord(settings), mlflow: new MlflowClient({ baseUrl: settings.mlflowUrl }) };
}

/** How much of each campaign MLflow shows. A server that does not answer is no failure. */
export async function readTrackingStatus(): Promise<TrackingStatus> {
  const { record, mlflow } = open();
  const version = await mlflow.version().catch((error: unknown) => {
    if (error instanceof CampaignError && error.code === "tracking.unavailable") return null;
    throw error;
  });
  const reasons = await readTrackingProblems(readSettings().home);
  const campaigns: CampaignTracking[] = [];
  for (const id of await record.listCampaigns()) {
    const tracking = await trackingOf(record, version === null ? null : mlflow, id);
    const isBehind = tracking.numProjected !== tracking.numRuns;
    campaigns.push({ ...tracking, problem: tracking.problem ?? (isBehind ? (reasons[id] ?? null) : null) });
  }
  return { url: mlflow.baseUrl, version, campaigns };
}

async function trackingOf(record: CampaignRecord, mlflow: MlflowClient | null, campaignId: string): Promise<CampaignTracking> {
  try {
    const plans = planRuns(await loadProjected(record, campaignId));
    const numProjected = mlflow === null ? null : (await compareProjection(mlflow, campaignId, plans)).numProjected;
    return { campaignId, numRuns: plans.length, numProjected, problem: null };
  } catch (error) {
    if (!(error instanceof CampaignError) || (mlflow !== null && (await isServerDown(mlflow, error)))) throw error;
    return { campaignId, numRuns: 0, numProjected: null, problem: error.message };
  }
}

/** Sends MLflow everything that it lacks, also of campaigns that were sent before. Throws tracking.unavailable when it does not answer. */
export async function* rebuildTracking(): AsyncGenerator<SentCampaign> {
  const { record, mlflow } = open();
  await mlflow.version();
  for (const campaignId of await record.listCampaigns()) {
    yield await projectCampaign(record, mlflow, campaignId, { force: true }).catch(async (error: unknown) => {
      if (!(error instanceof CampaignError) || (await isServerDown(mlflow, error))) throw error;
      return { campaignId, problem: { code: error.code, message: error.message } };
    });
  }
}
