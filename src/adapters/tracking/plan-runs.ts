// What MLflow should show of a campaign: one run for the campaign, one below it per iteration. A pure function of the record, so
// that the same record gives the same runs, params and points (timestamps too) however often and by whomever it is projected.
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { StageManifest } from "#contracts/manifests.ts";
import type { Meters } from "#contracts/meters.ts";
import type { TrainingResult } from "#contracts/training.ts";
import { addMeters, meterMetrics, NO_METERS } from "#core/campaign/meters.ts";
import { shorten, startOf } from "#core/text.ts";
import { noTestReasonOf } from "../history/facts.ts";
import type { RecordedCampaign, RecordedIteration } from "../history/load.ts";
import type { MetricPoint, RunStatus } from "./mlflow-client.ts";

export const KEY_TAG = "turnwise.key";
export const CAMPAIGN_TAG = "turnwise.campaign";

export interface RunPlan {
  /** Identifies the run for ever: its value of the tag turnwise.key. */
  readonly key: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly status: RunStatus;
  readonly endTime: number | null;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** In ascending order of step for each key. */
  readonly metrics: readonly MetricPoint[];
  readonly artifacts: readonly { readonly path: string; readonly content: ArtifactRef | { readonly json: unknown } }[];
}

export interface ProjectedCampaign extends RecordedCampaign {
  /** Results of the training stages, by iteration. */
  readonly training: ReadonlyMap<number, TrainingResult>;
}

/** The campaign's run first, then its iterations'. An iteration appears with its first committed stage. */
export function planRuns(campaign: ProjectedCampaign): RunPlan[] {
  const started = campaign.iterations.filter(({ stages }) => stages.length > 0);
  return [planCampaignRun(campaign), ...started.map((iteration) => planIterationRun(campaign, iteration))];
}

export const campaignKey = (campaignId: string) => `campaign/${campaignId}`;

function planCampaignRun(projected: ProjectedCampaign): RunPlan {
  const { id, campaign, end, iterations, test, steering } = projected;
  return {
    key: campaignKey(id),
    name: id,
    startTime: Date.parse(campaign.createdAt),
    status: end === null ? "RUNNING" : end.state === "completed" ? "FINISHED" : "KILLED",
    endTime: end === null ? null : Date.parse(end.finishedAt),
    params: paramsOf(campaign.config),
    tags: campaignTags(projected),
    metrics: [
      ...iterations.flatMap((iteration) => [...stagePoints(iteration), ...rewardPoints(iteration)]),
      ...(test === null ? [] : stagePoints({ iteration: test.stage.iteration, stages: [test.stage] })),
      ...meterPoints(projected),
    ],
    artifacts: [
      { path: "campaign.json", content: { json: campaign } },
      { path: "prior-reward-table.json", content: campaign.priorTable },
      ...(test === null ? [] : stageArtifacts(test.stage)),
      ...(steering.length === 0 ? [] : [{ path: "steering.json", content: { json: steering } }]),
    ],
  };
}

function campaignTags(projected: ProjectedCampaign): Record<string, string> {
  const { id, campaign, end, steering } = projected;
  const noTestReason = noTestReasonOf(projected);
  const last = steering.at(-1);
  return {
    [KEY_TAG]: campaignKey(id),
    [CAMPAIGN_TAG]: id,
    "turnwise.code_version": campaign.codeVersion,
    "turnwise.data_sha256": campaign.dataSha256,
    "turnwise.base_policy": campaign.basePolicy.name,
    "turnwise.result": noTestReason === null ? "test" : truncate(`none: ${noTestReason}`, MAX_TAG_LENGTH),
    ...(campaign.parent === null
      ? {}
      : { "turnwise.parent": `${campaign.parent.campaignId} after iteration ${campaign.parent.iteration}` }),
    ...(end === null ? {} : { "turnwise.final_policy": end.finalPolicy.name, "turnwise.end_reason": truncate(end.reason, MAX_TAG_LENGTH) }),
    ...(last === undefined ? {} : { "turnwise.last_word": truncate(`${last.word} by ${last.who}: ${last.why}`, MAX_TAG_LENGTH) }),
    ...(campaign.config.description === "" ? {} : { "mlflow.note.content": truncate(campaign.config.description, MAX_TAG_LENGTH) }),
  };
}

/** What the campaign itself has used up to and with each of its iterations, at step = iteration; with its test, one step later. */
function meterPoints({ id, iterations, test }: ProjectedCampaign): MetricPoint[] {
  let used = NO_METERS;
  const points = iterations.flatMap(({ owner, iteration, manifest }) => {
    if (owner !== id || manifest === null) return [];
    used = addMeters(used, manifest.meters);
    return metersAt(used, Date.parse(manifest.finishedAt), iteration);
  });
  if (test === null) return points;
  const finishedAt = Date.parse(test.stage.startedAt) + Math.round(test.stage.seconds * 1000);
  return [...points, ...metersAt(addMeters(used, test.stage.meters), finishedAt, (iterations.at(-1)?.iteration ?? 0) + 1)];
}

const metersAt = (meters: Meters, timestamp: number, step: number): MetricPoint[] =>
  Object.entries(meterMetrics("campaign", meters)).flatMap(([key, value]) => point(key, value, timestamp, step));

function planIterationRun({ id, end, training }: ProjectedCampaign, iteration: RecordedIteration): RunPlan {
  const { manifest, stages } = iteration;
  const startTime = Math.min(...stages.map(({ startedAt }) => Date.parse(startedAt)));
  const key = `${campaignKey(id)}/iteration/${iteration.iteration}`;
  return {
    key,
    name: iteration.iteration === 0 ? `${id} base` : `${id} ${iteration.iteration}`,
    startTime,
    status: manifest !== null ? "FINISHED" : end === null ? "RUNNING" : "KILLED",
    endTime: manifest !== null ? Date.parse(manifest.finishedAt) : end === null ? null : Date.parse(end.finishedAt),
    params: {},
    tags: {
      [KEY_TAG]: key,
      [CAMPAIGN_TAG]: id,
      "turnwise.iteration": String(iteration.iteration),
      ...(manifest === null
        ? {}
        : {
            "turnwise.gate": manifest.gateDecision,
            "turnwise.promotion": manifest.promotion,
            "turnwise.policy": manifest.policyAfter.name,
          }),
      ...Object.fromEntries(stages.flatMap(({ stage, decision }) => (decision === null ? [] : [[`turnwise.${stage}`, decision]]))),
    },
    metrics: [...stagePoints(iteration), ...rewardPoints(iteration), ...trainingPoints(iteration, training.get(iteration.iteration))],
    artifacts: stages.flatMap(stageArtifacts),
  };
}

/** Every scalar of the stages and how long they took, at step = iteration. */
function stagePoints({ iteration, stages }: Pick<RecordedIteration, "iteration" | "stages">): MetricPoint[] {
  return stages.flatMap(({ stage, metrics, seconds, startedAt }) =>
    Object.entries({ ...metrics, [`${stage}/seconds`]: seconds }).flatMap(([key, value]) =>
      point(key, value, Date.parse(startedAt), iteration),
    ),
  );
}

/** The weights that the iteration ends with, at step = iteration; graded tiers have no single weight. */
function rewardPoints({ iteration, manifest, tableAfter }: RecordedIteration): MetricPoint[] {
  if (manifest === null || tableAfter === null) return [];
  const values = Object.entries(tableAfter.values);
  return values.flatMap(([tier, value]) =>
    value === "soft" ? [] : point(`reward/${tier}`, value, Date.parse(manifest.finishedAt), iteration),
  );
}

/** One point per optimizer step, a millisecond apart from the stage's start. */
function trainingPoints({ stages }: RecordedIteration, result: TrainingResult | undefined): MetricPoint[] {
  const startedAt = stages.find(({ stage }) => stage === "training")?.startedAt;
  if (result === undefined || startedAt === undefined) return [];
  return result.steps.flatMap(({ advantageByTurn, ...scalars }, index) => {
    const byTurn = advantageByTurn.map(({ turn, mean }) => [`advantage_by_turn/${turn}`, mean] as const);
    const named = [...Object.entries(scalars).map(([key, value]) => [snakeCase(key), value] as const), ...byTurn];
    return named.flatMap(([key, value]) => point(`training_step/${key}`, value, Date.parse(startedAt) + index + 1, index + 1));
  });
}

/** NaN and infinities are left out: MLflow stores them in ways of its own. */
function point(key: string, value: number, timestamp: number, step: number): MetricPoint[] {
  return Number.isFinite(value) ? [{ key: nameOf(key), value, timestamp, step }] : [];
}

/** What people read: reports and tables. Policies, batches and trajectories stay in the record. */
const READABLE = /^(RewardTable|CalibrationReport|EvaluationReport|TrainingResult)\/\d+$/;
const MAX_ARTIFACT_BYTES = 20_000_000;

function stageArtifacts({ stage, outputs }: StageManifest): RunPlan["artifacts"] {
  return Object.entries(outputs).flatMap(([name, ref]) => {
    const extension = ref.schema === "text/markdown" ? "md" : READABLE.test(ref.schema) ? "json" : null;
    return extension === null || ref.numBytes > MAX_ARTIFACT_BYTES ? [] : [{ path: `${stage}/${name}.${extension}`, content: ref }];
  });
}

const MAX_KEY_LENGTH = 250;
const MAX_PARAM_LENGTH = 6000;
const MAX_TAG_LENGTH = 5000;

/** The resolved config as dotted paths; arrays as JSON. */
function paramsOf(config: object): Record<string, string> {
  const params: Record<string, string> = {};
  const visit = (value: unknown, path: string): void => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [name, entry] of Object.entries(value)) visit(entry, path === "" ? name : `${path}.${name}`);
    } else if (value !== "" && value !== undefined) {
      params[nameOf(path)] = truncate(typeof value === "string" ? value : JSON.stringify(value), MAX_PARAM_LENGTH);
    }
  };
  visit(config, "");
  return params;
}

/** A name that MLflow accepts: letters, digits and _ - . / and spaces, at most 250. */
function nameOf(text: string): string {
  return startOf(text.replace(/[^\w.\-/ ]/g, "_"), MAX_KEY_LENGTH);
}

/** Half a character, which an earlier release may have left in the record, becomes a replacement character: it has no UTF-8. */
function truncate(text: string, length: number): string {
  return shorten(text.toWellFormed(), length);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
