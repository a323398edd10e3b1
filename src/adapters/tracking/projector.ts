// Brings MLflow's runs to what the record says. Everything is found by tag before it is made and compared before it is sent, so it may
// be stopped anywhere and started again by anybody: MLflow's own state says what is missing.
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import { TrainingResult } from "#contracts/training.ts";
import { canonicalJson, hashJson } from "#core/canonical-json.ts";
import type { CampaignError } from "#core/errors.ts";
import { loadCampaign, type RecordedCampaign } from "../history/load.ts";
import type { CampaignRecord } from "../record/campaign-record.ts";
import type { MlflowClient, MlflowRun } from "./mlflow-client.ts";
import { CAMPAIGN_TAG, campaignKey, KEY_TAG, type ProjectedCampaign, planRuns, type RunPlan } from "./plan-runs.ts";

const EXPERIMENT = "turnwise";
/** Hash of the plan that was sent whole; set last. */
const PROJECTED_TAG = "turnwise.projected";
const SUPERSEDED_TAG = "turnwise.superseded_by";
const PARENT_TAG = "mlflow.parentRunId";

export interface Projection {
  readonly campaignId: string;
  readonly numRuns: number;
  /** Runs that were made or brought up to date. */
  readonly numChanged: number;
}

/**
 * Projects one campaign. With `force`, runs that are marked as complete are compared again.
 * Throws campaign.unknown, store.* and contract.* from the record, tracking.* from MLflow.
 */
export async function projectCampaign(
  record: CampaignRecord,
  mlflow: MlflowClient,
  campaignId: string,
  options: { readonly force?: boolean } = {},
): Promise<Projection> {
  return await projectPlans(record, mlflow, campaignId, planRuns(await loadProjected(record, campaignId)), options);
}

/** The campaign with what projection needs beyond manifests. */
export async function loadProjected(record: CampaignRecord, campaignId: string): Promise<ProjectedCampaign> {
  const campaign = await loadCampaign(record, campaignId);
  return { ...campaign, training: await loadTraining(record, campaign) };
}

async function loadTraining(record: CampaignRecord, { iterations }: RecordedCampaign): Promise<Map<number, TrainingResult>> {
  const training = new Map<number, TrainingResult>();
  for (const { iteration, stages } of iterations) {
    const ref = stages.find(({ stage }) => stage === "training")?.outputs["result"];
    if (ref !== undefined) training.set(iteration, await record.readJson(TrainingResult, ref));
  }
  return training;
}

export async function projectPlans(
  record: CampaignRecord,
  mlflow: MlflowClient,
  campaignId: string,
  plans: readonly RunPlan[],
  options: { readonly force?: boolean } = {},
): Promise<Projection> {
  const experimentId = await mlflow.ensureExperiment(EXPERIMENT);
  const known = await mlflow.searchRunsByTag(experimentId, CAMPAIGN_TAG, campaignId);
  let parentRunId: string | null = null;
  let numChanged = 0;
  for (const plan of plans) {
    const run = await ensureRun(mlflow, experimentId, withParent(plan, parentRunId), known);
    if (plan.key === campaignKey(campaignId)) parentRunId = run.info.run_id;
    const complete = withParent(plan, parentRunId);
    if (options.force !== true && tagsOf(run)[PROJECTED_TAG] === hashPlan(complete)) continue;
    await bringUpToDate(record, mlflow, run, complete);
    numChanged += 1;
  }
  return { campaignId, numRuns: plans.length, numChanged };
}

/**
 * Whether a failure means that no campaign can be sent now. A server that answers to its version has an error of its own with this one
 * campaign (MLflow says 500 to values that its database cannot hold), and the others need not wait for it.
 */
export async function isServerDown(mlflow: MlflowClient, error: CampaignError): Promise<boolean> {
  if (error.code !== "tracking.unavailable") return false;
  return await mlflow.version().then(
    () => false,
    () => true,
  );
}

export interface ProjectionState {
  /** Runs that the record asks for. */
  readonly numRuns: number;
  readonly numProjected: number;
}

/** How much of a campaign MLflow shows as the record has it. */
export async function compareProjection(mlflow: MlflowClient, campaignId: string, plans: readonly RunPlan[]): Promise<ProjectionState> {
  const experimentId = await mlflow.ensureExperiment(EXPERIMENT);
  const runs = (await mlflow.searchRunsByTag(experimentId, CAMPAIGN_TAG, campaignId)).filter(isCurrent);
  const find = (key: string) => runs.find((run) => tagsOf(run)[KEY_TAG] === key);
  const parentRunId = find(campaignKey(campaignId))?.info.run_id ?? null;
  const isProjected = (plan: RunPlan) => {
    const run = find(plan.key);
    const hash = hashPlan(withParent(plan, parentRunId)); // also of a run that is not there: a plan that cannot be sent fails here
    return run !== undefined && tagsOf(run)[PROJECTED_TAG] === hash;
  };
  return { numRuns: plans.length, numProjected: plans.filter(isProjected).length };
}

function withParent(plan: RunPlan, parentRunId: string | null): RunPlan {
  const isChild = parentRunId !== null && plan.key.includes("/iteration/");
  return isChild ? { ...plan, tags: { ...plan.tags, [PARENT_TAG]: parentRunId } } : plan;
}

function hashPlan(plan: RunPlan): string {
  return hashJson(plan);
}

const tagsOf = ({ data }: MlflowRun): Record<string, string> => Object.fromEntries(data.tags.map(({ key, value }) => [key, value]));
const isCurrent = (run: MlflowRun) => tagsOf(run)[SUPERSEDED_TAG] === undefined;

/** The one run of this key. MLflow cannot make a run only once, so two may exist after a lost answer: the oldest stands. */
async function ensureRun(mlflow: MlflowClient, experimentId: string, plan: RunPlan, known: readonly MlflowRun[]): Promise<MlflowRun> {
  const ofKey = (runs: readonly MlflowRun[]) => runs.filter((run) => tagsOf(run)[KEY_TAG] === plan.key && isCurrent(run));
  let found = ofKey(known);
  if (found.length === 0) {
    await mlflow.createRun({ experimentId, name: plan.name, startTime: plan.startTime, tags: plan.tags });
    found = ofKey(await mlflow.searchRunsByTag(experimentId, KEY_TAG, plan.key));
  }
  const [current, ...others] = found;
  if (current === undefined) throw new Error(`MLflow does not find the run ${plan.key} that it made`);
  for (const { info } of others) {
    await mlflow.logBatch(info.run_id, { metrics: [], params: {}, tags: { [SUPERSEDED_TAG]: current.info.run_id } });
    await mlflow.updateRun(info.run_id, "KILLED", plan.startTime);
  }
  return current;
}

/** Sends what the run lacks. The mark that it is complete comes last. */
async function bringUpToDate(record: CampaignRecord, mlflow: MlflowClient, run: MlflowRun, plan: RunPlan): Promise<void> {
  const runId = run.info.run_id;
  await mlflow.logBatch(runId, missingFrom(run, plan));
  for (const { path, content } of plan.artifacts) await mlflow.putArtifact(run, path, await bytesOf(record, content));
  if (run.info.status !== plan.status) await mlflow.updateRun(runId, plan.status, plan.endTime ?? undefined);
  await mlflow.logBatch(runId, { metrics: [], params: {}, tags: { [PROJECTED_TAG]: hashPlan(plan) } });
}

/** Points after the last one of their metric, params that are absent (they can never change), tags that differ. */
function missingFrom(run: MlflowRun, plan: RunPlan): Parameters<MlflowClient["logBatch"]>[1] {
  const lastStep = new Map(run.data.metrics.map(({ key, step }) => [key, step]));
  const params = new Set(run.data.params.map(({ key }) => key));
  const tags = tagsOf(run);
  return {
    metrics: plan.metrics.filter(({ key, step }) => step > (lastStep.get(key) ?? Number.NEGATIVE_INFINITY)),
    params: Object.fromEntries(Object.entries(plan.params).filter(([key]) => !params.has(key))),
    tags: Object.fromEntries(Object.entries(plan.tags).filter(([key, value]) => tags[key] !== value)),
  };
}

async function bytesOf(record: CampaignRecord, content: ArtifactRef | { readonly json: unknown }): Promise<Uint8Array> {
  return "json" in content ? Buffer.from(canonicalJson(content.json)) : await record.store.getBlob(content);
}
