// turnwise tracking status | rebuild: what MLflow shows of the record, and the way to show it all again.
import type { Command } from "commander";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { openRecord } from "#adapters/record/open-record.ts";
import { readSettings } from "#adapters/settings.ts";
import { MlflowClient } from "#adapters/tracking/mlflow-client.ts";
import { planRuns } from "#adapters/tracking/plan-runs.ts";
import { readTrackingProblems } from "#adapters/tracking/problems-file.ts";
import { compareProjection, isServerDown, loadProjected, type Projection, projectCampaign } from "#adapters/tracking/projector.ts";
import { CampaignError } from "#core/errors.ts";
import { type Column, emit, type OutputOptions, plainText, printLine, renderTable } from "../output.ts";
import { style } from "../style.ts";

interface CampaignTracking {
  readonly campaignId: string;
  readonly numRuns: number;
  readonly numProjected: number | null;
  /** Why it is not in MLflow. */
  readonly problem: string | null;
}

interface TrackingStatus {
  readonly url: string;
  /** Null when MLflow does not answer. */
  readonly version: string | null;
  readonly campaigns: readonly CampaignTracking[];
}

export function registerTracking(program: Command): void {
  const family = program.command("tracking").description("the projection of the record to MLflow");
  family.command("status").option("--json").description("how much of each campaign MLflow shows").action(status);
  family
    .command("rebuild")
    .option("--json")
    .description("send MLflow everything that it lacks, also of campaigns that were sent before")
    .action(rebuild);
}

function open(): { record: CampaignRecord; mlflow: MlflowClient } {
  const settings = readSettings();
  return {
    record: openRecord(settings.recordRoot).record,
    mlflow: new MlflowClient({ baseUrl: settings.mlflowUrl }),
  };
}

async function status(options: OutputOptions): Promise<void> {
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
  if (campaigns.some(({ problem }) => problem !== null)) process.exitCode = MISSING_EXIT_CODE;
  emit({ url: mlflow.baseUrl, version, campaigns }, options, renderStatus);
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

const COLUMNS: readonly Column<CampaignTracking>[] = [
  { header: "campaign", value: ({ campaignId }) => campaignId },
  { header: "runs", align: "right", value: ({ numRuns }) => String(numRuns) },
  { header: "in MLflow", align: "right", value: ({ numProjected }) => (numProjected === null ? "–" : String(numProjected)) },
  {
    header: "",
    value: ({ problem, numRuns, numProjected }) =>
      (problem === null ? null : plainText(problem)) ?? (numProjected === numRuns || numProjected === null ? "" : "behind"),
  },
];

function renderStatus({ url, version, campaigns }: TrackingStatus): string {
  const server =
    version === null
      ? style.yellow(`MLflow does not answer at ${url}; campaigns do not need it, and it gets what it missed later`)
      : `MLflow ${version} at ${url}`;
  return campaigns.length === 0 ? server : `${server}\n${renderTable(COLUMNS, campaigns)}`;
}

async function rebuild(options: OutputOptions): Promise<void> {
  const { record, mlflow } = open();
  const projections: (Projection | FailedProjection)[] = [];
  await mlflow.version();
  for (const campaignId of await record.listCampaigns()) {
    const projection = await projectCampaign(record, mlflow, campaignId, { force: true }).catch(async (error: unknown) => {
      if (!(error instanceof CampaignError) || (await isServerDown(mlflow, error))) throw error;
      return { campaignId, problem: { code: error.code, message: error.message } };
    });
    projections.push(projection);
    if ("problem" in projection) process.exitCode = MISSING_EXIT_CODE;
    if (options.json !== true) printLine(describeProjection(projection));
  }
  if (options.json === true) emit(projections, options, String);
}

/** What could not be sent of a campaign; the others were. */
interface FailedProjection {
  readonly campaignId: string;
  readonly problem: { readonly code: string; readonly message: string };
}

function describeProjection(projection: Projection | FailedProjection): string {
  if (!("problem" in projection)) return `${projection.campaignId}: ${projection.numRuns} runs`;
  return `${style.yellow(projection.campaignId)} is not in MLflow: ${plainText(projection.problem.message)}`;
}

/** As of a service that failed: something that the record has is not in MLflow, and why is said. */
const MISSING_EXIT_CODE = 3;
