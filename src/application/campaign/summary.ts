// What a campaign found, read from the record: the same numbers for the quickstart's table, `campaign show` and --json. The result is the
// test; selection figures stand under that name and are never the result.
import {
  comparisonOf,
  finalPolicyOf,
  finalSelectionOf,
  inheritedMetersOf,
  isOfRelease010,
  metersOf,
  noTestReasonOf,
  numRolloutsOf,
  passRateOf,
  runningSecondsOf,
  wallSecondsOf,
} from "#adapters/history/facts.ts";
import { loadCampaign, type RecordedCampaign, type RecordedIteration } from "#adapters/history/load.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { CalibrationReport, type GateRow, type TableAssessment, type TableRole } from "#contracts/calibration-report.ts";
import type { BudgetConfig } from "#contracts/campaign-config.ts";
import type { CampaignEstimate } from "#contracts/campaign-estimate.ts";
import type { Estimate, EvaluationReport, PolicyComparison } from "#contracts/evaluation-report.ts";
import type { CampaignEnd, CampaignManifest, IterationManifest, StageManifest } from "#contracts/manifests.ts";
import type { Meters } from "#contracts/meters.ts";
import { RewardTable, type TierValue } from "#contracts/reward-table.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { totalMeter } from "#core/campaign/meters.ts";
import { rebuildState } from "#core/campaign/state.ts";
import { pendingMeters } from "./pending-meters.ts";

export interface TierChange {
  readonly tier: string;
  readonly before: TierValue | null;
  readonly after: TierValue | null;
}

interface JudgedTable {
  readonly roles: readonly TableRole[];
  readonly discriminativeAccuracy: number | null;
  readonly rewardOutcomeWithinTask: number | null;
  readonly turnMisalignment: number | null;
}

export interface IterationSummary {
  readonly iteration: number;
  readonly isComplete: boolean;
  /** Of a fork: it is an iteration of the campaign that it was forked from. */
  readonly isInherited: boolean;
  readonly trainPassRate: number | null;
  /** Of the iteration's training tasks. */
  readonly trainDoNothingFloor: number | null;
  readonly mixedGroupShare: number | null;
  /** On the selection tasks: what the promotion was decided by. */
  readonly selectionPassRate: Estimate | null;
  readonly selectionAgainstBase: Estimate | null;
  /** Against the best policy so far; under the rules of 0.1.0 against the one promoted last. */
  readonly selectionAgainstIncumbent: Estimate | null;
  readonly incumbent: "best" | "promoted" | null;
  readonly gate: string | null;
  /** The gate accepted the fitted table, and a person kept the one in force. */
  readonly isTableRefused: boolean;
  /** What decided, when the gate did not accept: the criteria that reject, else those that lack evidence. */
  readonly gateDoubts: readonly GateRow[];
  /** The author's table, the one in force and the fitted one on the tasks that only judge. */
  readonly judged: readonly JudgedTable[];
  readonly tableChanges: readonly TierChange[];
  /** A fitted table that the gate accepted and nobody has decided about yet, against the one in force; null where there is none. */
  readonly undecided: { readonly changes: readonly TierChange[]; readonly sha256: string; readonly reportUri: string } | null;
  readonly promotion: IterationManifest["promotion"] | null;
  readonly stageSeconds: Readonly<Record<string, number>>;
}

/** Tasks that policies are measured on. */
export interface MeasuredTasks {
  readonly numTasks: number;
  readonly numClusters: number;
  readonly trials: number;
  readonly doNothingFloor: number | null;
  readonly confidence: number;
  readonly method: EvaluationReport["method"];
}

/** The test: what the campaign reports. */
export interface TestResultSummary extends MeasuredTasks {
  readonly base: EvaluationReport["passHatK"];
  readonly final: EvaluationReport["passHatK"];
  /** Null when the base policy is the final one. */
  readonly comparison: PolicyComparison | null;
  /** Rollouts of both policies whose user stopped before the last golden write. */
  readonly flaggedUserStops: number | null;
  readonly seconds: number;
}

/** What a campaign was expected to take, or took. */
export type CostFigures = Pick<CampaignEstimate, "rollouts" | "policyCalls" | "userCalls" | "usd">;

export interface CampaignSummary {
  readonly campaignId: string;
  readonly description: string;
  readonly createdAt: string;
  readonly codeVersion: string;
  readonly parent: CampaignManifest["parent"];
  readonly state: CampaignEnd["state"] | "open";
  readonly reason: string | null;
  readonly basePolicy: string;
  /** The policy that the campaign ended with, or has promoted last. */
  readonly finalPolicy: string;
  readonly finalIteration: number;
  readonly test: TestResultSummary | null;
  /** Why there is no result; null when there is one. */
  readonly noTestReason: string | null;
  /** Whether the figures are of 0.1.0, which measured on the tasks that chose. */
  readonly isOfRelease010: boolean;
  readonly hasSelection: boolean;
  /** The selection tasks; null where nothing is selected or was measured yet. */
  readonly selection: MeasuredTasks | null;
  /** Of the base policy on the selection tasks. */
  readonly selectionBase: Estimate | null;
  /** Of the final policy on the tasks that chose it. */
  readonly selectionFinal: Estimate | null;
  readonly finalTable: Readonly<Record<string, TierValue>>;
  readonly iterations: readonly IterationSummary[];
  /** From creation to the end, pauses included. */
  readonly seconds: number;
  /** Of the committed iterations, without pauses; null for campaigns of 0.1.0. */
  readonly runningSeconds: number | null;
  /** Of the campaign's own committed stages. */
  readonly meters: Meters;
  /** Of the groups of the stage at work; null where nobody asked. */
  readonly pendingMeters: Meters | null;
  /** Of the iterations that a fork has of its parent; null for any other campaign. */
  readonly inheritedMeters: Meters | null;
  /** As it was set last. It counts what the campaign itself used. */
  readonly budget: BudgetConfig;
  readonly estimate: CampaignEstimate | null;
  readonly actual: CostFigures;
  readonly steering: readonly SteeringWord[];
}

/** `isWhole` also reads what the stage at work has used so far. */
export async function summarizeCampaign(
  record: CampaignRecord,
  campaignId: string,
  { isWhole = false }: { readonly isWhole?: boolean } = {},
): Promise<CampaignSummary> {
  const recorded = await loadCampaign(record, campaignId);
  const { campaign, end, iterations, steering } = recorded;
  const base = iterations.find(({ iteration }) => iteration === 0)?.report ?? null;
  const final = finalPolicyOf(recorded);
  const table = iterations.findLast(({ tableAfter }) => tableAfter !== null)?.tableAfter ?? null;
  const manifests = iterations.flatMap(({ manifest }) => manifest ?? []);
  return {
    campaignId,
    description: campaign.config.description,
    createdAt: campaign.createdAt,
    codeVersion: campaign.codeVersion,
    parent: campaign.parent,
    state: end?.state ?? "open",
    reason: end?.reason ?? null,
    basePolicy: campaign.basePolicy.name,
    finalPolicy: final.policy.name,
    finalIteration: final.iteration,
    test: summarizeTest(recorded),
    noTestReason: noTestReasonOf(recorded),
    isOfRelease010: isOfRelease010(recorded),
    hasSelection: campaign.config.selection !== null,
    selection: base === null ? null : measuredTasks(base),
    selectionBase: passRateOf(base),
    selectionFinal: passRateOf(finalSelectionOf(recorded)),
    finalTable: (table ?? (await record.readJson(RewardTable, campaign.priorTable))).values,
    iterations: await Promise.all(iterations.map((iteration) => summarizeIteration(record, campaignId, iteration))),
    seconds: wallSecondsOf(recorded),
    runningSeconds: runningSecondsOf(recorded),
    meters: metersOf(recorded),
    pendingMeters: isWhole ? await pendingMeters(record, recorded) : null,
    inheritedMeters: campaign.parent === null ? null : inheritedMetersOf(recorded),
    budget: rebuildState(campaign, manifests, steering).steering.budget,
    estimate: campaign.estimate,
    actual: costOf(recorded),
    steering,
  };
}

function summarizeTest({ test }: RecordedCampaign): TestResultSummary | null {
  if (test === null) return null;
  const { base, final, stage } = test;
  return {
    ...measuredTasks(final),
    base: base.passHatK,
    final: final.passHatK,
    comparison: comparisonOf(final, "base"),
    flaggedUserStops: flaggedStops(stage.metrics, stage.iteration === 0),
    seconds: stage.seconds,
  };
}

function flaggedStops(metrics: Readonly<Record<string, number>>, isBaseFinal: boolean): number | null {
  const [base, final] = [metrics["test/base/flagged_user_stops"], metrics["test/flagged_user_stops"]];
  if (base === undefined || final === undefined) return null;
  return isBaseFinal ? base : base + final;
}

function measuredTasks({ numTasks, numClusters, trials, doNothingFloor, confidence, method }: EvaluationReport): MeasuredTasks {
  return { numTasks, numClusters, trials, doNothingFloor, confidence, method };
}

function costOf(recorded: RecordedCampaign): CostFigures {
  const meters = metersOf(recorded);
  return {
    rollouts: numRolloutsOf(recorded),
    policyCalls: meters.policy.calls,
    userCalls: meters.user.calls,
    usd: totalMeter(meters).usd,
  };
}

async function summarizeIteration(record: CampaignRecord, campaignId: string, recorded: RecordedIteration): Promise<IterationSummary> {
  const { iteration, owner, manifest, stages, report, tableBefore } = recorded;
  const stage = (name: string) => stages.find((one) => one.stage === name);
  const calibrationRef = stage("calibration")?.outputs["report"];
  const calibration = calibrationRef === undefined ? null : await record.readJson(CalibrationReport, calibrationRef);
  const tableRef = stage("redesign")?.outputs["table"];
  const table = tableRef === undefined ? null : await record.readJson(RewardTable, tableRef);
  const inForce = tableBefore ?? calibration?.inForceTable ?? null;
  const rollout = stage("rollout")?.metrics ?? {};
  const [best, promoted] = [comparisonOf(report, "best"), comparisonOf(report, "promoted")];
  return {
    iteration,
    isComplete: manifest !== null,
    isInherited: owner !== campaignId,
    trainPassRate: rollout["rollout/pass_rate"] ?? null,
    trainDoNothingFloor: rollout["rollout/do_nothing_floor"] ?? null,
    mixedGroupShare: rollout["rollout/mixed_group_share"] ?? null,
    selectionPassRate: passRateOf(report),
    selectionAgainstBase: comparisonOf(report, "base")?.difference ?? null,
    selectionAgainstIncumbent: (best ?? promoted)?.difference ?? null,
    incumbent: best !== null ? "best" : promoted !== null ? "promoted" : null,
    gate: calibration?.gate.decision ?? null,
    isTableRefused: calibration?.gate.decision === "accept" && stage("redesign")?.decision === "keep",
    gateDoubts: calibration?.gate.rows.filter(({ verdict }) => verdict !== "accept" && verdict === calibration.gate.decision) ?? [],
    judged: (calibration?.assessments ?? []).filter(({ split }) => split === "judge").map(judgedTable),
    tableChanges: inForce === null || table === null ? [] : tierChanges(inForce, table),
    undecided:
      table === null && calibration?.gate.decision === "accept" && inForce !== null
        ? undecidedOf(calibration, inForce, stage("calibration"))
        : null,
    promotion: manifest?.promotion ?? null,
    stageSeconds: Object.fromEntries(stages.map(({ stage: name, seconds }) => [name, seconds])),
  };
}

function undecidedOf({ fittedTable }: CalibrationReport, inForce: RewardTable, stage: StageManifest | undefined) {
  const reportUri = stage?.outputs["markdown"]?.uri ?? "";
  return { changes: tierChanges(inForce, fittedTable), sha256: fittedTable.sha256, reportUri };
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

/** What it cost; null for campaigns of 0.1.0, which knew no prices. */
export const usdOf = ({ actual, isOfRelease010 }: CampaignSummary): number | null => (isOfRelease010 ? null : actual.usd);

/** The pass rate of a list of pass^k. */
export const passHat1 = (passHatK: EvaluationReport["passHatK"] | undefined): Estimate | null =>
  passHatK?.find(({ k }) => k === 1)?.estimate ?? null;

function tierChanges(before: RewardTable, after: RewardTable): TierChange[] {
  const tiers = [...new Set([...Object.keys(before.values), ...Object.keys(after.values)])].sort();
  return tiers
    .map((tier) => ({ tier, before: before.values[tier] ?? null, after: after.values[tier] ?? null }))
    .filter((change) => change.before !== change.after);
}

/** The gate's word on the iteration's table, with that of a person who overruled it; null without a calibration. */
export function gateWord({ gate, isTableRefused }: Pick<IterationSummary, "gate" | "isTableRefused">): string | null {
  return isTableRefused ? "accepted, but rejected by a person" : gate;
}
