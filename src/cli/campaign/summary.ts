// What a campaign found, read from the record: the same numbers for the quickstart's table, `campaign show` and --json.

import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { CalibrationReport, type GateRow, type TableAssessment, type TableRole } from "#contracts/calibration-report.ts";
import type { Estimate, EvaluationReport } from "#contracts/evaluation-report.ts";
import type { CampaignEnd, CampaignManifest, IterationManifest, StageManifest } from "#contracts/manifests.ts";
import { StageName } from "#contracts/manifests.ts";
import { RewardTable, type TierValue } from "#contracts/reward-table.ts";
import { StoredEvaluationReport } from "#contracts/upcast/evaluation-report.ts";

export interface TierChange {
  readonly tier: string;
  readonly before: TierValue | null;
  readonly after: TierValue | null;
}

export interface JudgedTable {
  readonly roles: readonly TableRole[];
  readonly discriminativeAccuracy: number | null;
  readonly rewardOutcomeWithinTask: number | null;
  readonly turnMisalignment: number | null;
}

export interface IterationSummary {
  readonly iteration: number;
  readonly isComplete: boolean;
  readonly trainPassRate: number | null;
  /** Of the iteration's training tasks. */
  readonly trainDoNothingFloor: number | null;
  readonly mixedGroupShare: number | null;
  readonly evaluation: Estimate | null;
  readonly differenceToBase: Estimate | null;
  readonly gate: string | null;
  /** The criteria of the gate that did not accept. */
  readonly gateDoubts: readonly GateRow[];
  /** The author's table, the one in force and the fitted one on the tasks that only judge. */
  readonly judged: readonly JudgedTable[];
  readonly tableChanges: readonly TierChange[];
  readonly promotion: IterationManifest["promotion"] | null;
  readonly stageSeconds: Readonly<Record<string, number>>;
}

export interface CampaignSummary {
  readonly campaignId: string;
  readonly description: string;
  readonly createdAt: string;
  readonly codeVersion: string;
  readonly state: CampaignEnd["state"] | "open";
  readonly reason: string | null;
  readonly doNothingFloor: number | null;
  readonly numEvaluationTasks: number | null;
  readonly trials: number | null;
  readonly confidence: number;
  readonly basePolicy: string;
  readonly promotedPolicy: string;
  readonly promotedIteration: number;
  readonly basePassRate: Estimate | null;
  readonly finalPassRate: Estimate | null;
  readonly differenceToBase: Estimate | null;
  readonly finalTable: Readonly<Record<string, TierValue>>;
  readonly iterations: readonly IterationSummary[];
  readonly seconds: number;
}

export async function summarizeCampaign(record: CampaignRecord, campaignId: string): Promise<CampaignSummary> {
  const campaign = await record.requireCampaign(campaignId);
  const end = await record.readEnd(campaignId);
  const iterations: (IterationSummary & {
    report: EvaluationReport | null;
    table: RewardTable | null;
    manifest: IterationManifest | null;
  })[] = [];
  for (const number of await record.listIterations(campaignId)) iterations.push(await summarizeIteration(record, campaignId, number));
  const base = iterations.find(({ iteration }) => iteration === 0)?.report ?? null;
  const promoted = iterations.findLast(({ manifest }) => manifest?.promotion === "promote");
  const promotedReport = promoted?.report ?? base;
  const table =
    iterations.findLast((iteration) => iteration.table !== null)?.table ?? (await record.readJson(RewardTable, campaign.priorTable));
  return {
    campaignId,
    description: campaign.config.description,
    createdAt: campaign.createdAt,
    codeVersion: campaign.codeVersion,
    state: end?.state ?? "open",
    reason: end?.reason ?? null,
    doNothingFloor: base?.doNothingFloor ?? null,
    numEvaluationTasks: base?.numTasks ?? null,
    trials: base?.trials ?? null,
    confidence: campaign.config.evaluation.confidence,
    basePolicy: campaign.basePolicy.name,
    promotedPolicy: (promoted?.manifest?.policyAfter ?? campaign.basePolicy).name,
    promotedIteration: promoted?.iteration ?? 0,
    basePassRate: passRateOf(base),
    finalPassRate: passRateOf(promotedReport),
    differenceToBase: promoted === undefined ? null : differenceOf(promoted.report),
    finalTable: table.values,
    iterations: iterations.map(({ report: _report, table: _table, manifest: _manifest, ...summary }) => summary),
    seconds: secondsOf(
      campaign,
      end,
      iterations.map(({ manifest }) => manifest),
    ),
  };
}

async function summarizeIteration(record: CampaignRecord, campaignId: string, iteration: number) {
  const stages = new Map<string, StageManifest>();
  for (const stage of StageName.options) {
    const manifest = await record.readStage(campaignId, iteration, stage);
    if (manifest !== null) stages.set(stage, manifest);
  }
  const manifest = await record.readIteration(campaignId, iteration);
  const reportRef = stages.get("selection")?.outputs["report"];
  const calibrationRef = stages.get("calibration")?.outputs["report"];
  const tableRef = stages.get("redesign")?.outputs["table"];
  const report = reportRef === undefined ? null : await record.readJson(StoredEvaluationReport, reportRef);
  const calibration = calibrationRef === undefined ? null : await record.readJson(CalibrationReport, calibrationRef);
  const table = tableRef === undefined ? null : await record.readJson(RewardTable, tableRef);
  const rollout = stages.get("rollout")?.metrics ?? {};
  const before = manifest === null ? null : await record.readJson(RewardTable, manifest.tableBefore);
  return {
    iteration,
    isComplete: manifest !== null,
    trainPassRate: rollout["rollout/pass_rate"] ?? null,
    trainDoNothingFloor: rollout["rollout/do_nothing_floor"] ?? null,
    mixedGroupShare: rollout["rollout/mixed_group_share"] ?? null,
    evaluation: passRateOf(report),
    differenceToBase: differenceOf(report),
    gate: calibration?.gate.decision ?? null,
    gateDoubts: calibration?.gate.rows.filter(({ verdict }) => verdict !== "accept") ?? [],
    judged: (calibration?.assessments ?? []).filter(({ split }) => split === "judge").map(judgedTable),
    tableChanges: before === null || table === null ? [] : tierChanges(before, table),
    promotion: manifest?.promotion ?? null,
    stageSeconds: Object.fromEntries([...stages].map(([name, { seconds }]) => [name, seconds])),
    report,
    table,
    manifest,
  };
}

function judgedTable(assessment: TableAssessment): JudgedTable {
  const { roles, discriminativeAccuracy, rewardOutcomeWithinTask, turnMisalignment } = assessment;
  return {
    roles,
    discriminativeAccuracy: discriminativeAccuracy.value,
    rewardOutcomeWithinTask: rewardOutcomeWithinTask.value,
    turnMisalignment: turnMisalignment.value,
  };
}

export function tierChanges(before: RewardTable, after: RewardTable): TierChange[] {
  const tiers = [...new Set([...Object.keys(before.values), ...Object.keys(after.values)])].sort();
  return tiers
    .map((tier) => ({ tier, before: before.values[tier] ?? null, after: after.values[tier] ?? null }))
    .filter((change) => change.before !== change.after);
}

const passRateOf = (report: EvaluationReport | null): Estimate | null => report?.passHatK.find(({ k }) => k === 1)?.estimate ?? null;
const differenceOf = (report: EvaluationReport | null): Estimate | null =>
  report?.comparisons.find(({ against }) => against === "base")?.difference ?? null;

function secondsOf(campaign: CampaignManifest, end: CampaignEnd | null, manifests: readonly (IterationManifest | null)[]): number {
  const last = end?.finishedAt ?? manifests.findLast((manifest) => manifest !== null)?.finishedAt ?? campaign.createdAt;
  return Math.max(0, (Date.parse(last) - Date.parse(campaign.createdAt)) / 1000);
}
