// Policies on tasks that they were not trained on: selection decides, the test reports. Both on the same tasks and seeds for every policy.
import type {
  EndDraft,
  IterationContext,
  IterationDraft,
  SelectInput,
  SelectResult,
  TestInput,
  TestResult,
} from "#contracts/activities.ts";
import { type Estimate, EvaluationReport } from "#contracts/evaluation-report.ts";
import type { CampaignEnd, GroupManifest, IterationManifest } from "#contracts/manifests.ts";
import { sumMeters } from "#core/campaign/meters.ts";
import { clusterOf } from "#core/environment/cluster-of.ts";
import { CampaignError } from "#core/errors.ts";
import { bootstrapDifference } from "#core/evaluation/bootstrap-difference.ts";
import type { OtherPolicy } from "#core/evaluation/compare-policies.ts";
import { evaluate } from "#core/evaluation/evaluate.ts";
import { comparesWith, decidePromotion, decidingDifference } from "#core/evaluation/promotion.ts";
import type { TaskResult } from "#core/evaluation/task-result.ts";
import { deriveSeed } from "#core/rng.ts";
import { canaryMetrics } from "#core/rollout/canary.ts";
import { partyMetrics } from "#core/rollout/party-metrics.ts";
import { outputOf } from "./calibration.ts";
import { type OpenedCampaign, openCampaign, plannedTasks, tasksById } from "./campaign.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { floorMetric, idleFloor } from "./floors.ts";
import { partiesOf, readManifests } from "./groups.ts";
import { withHeartbeat } from "./heartbeat.ts";
import { runStage } from "./stage.ts";

type Measuring = "selection" | "test";

export function createEvaluationActivities(deps: ActivityDependencies) {
  return {
    /** Whether the iteration's policy is promoted, by its paired difference to the best policy so far. */
    async select(input: SelectInput): Promise<SelectResult> {
      const manifest = await withHeartbeat(() => runStage(deps, "selection", input, () => runSelection(deps, input)));
      const { decision } = manifest;
      return {
        report: outputOf(manifest.outputs, "report"),
        passRate: manifest.metrics["selection/pass_hat_1"] ?? 0,
        promotion: decision === "promote" || decision === "keep" ? decision : "none",
      };
    },

    /** Base and final policy on the test tasks: the campaign's result. */
    async test(input: TestInput): Promise<TestResult> {
      const stage = { ...input, iteration: input.finalIteration };
      const { outputs } = await withHeartbeat(() => runStage(deps, "test", stage, () => runTest(deps, input)));
      return { base: outputOf(outputs, "base"), final: outputOf(outputs, "final") };
    },

    /** Written when all stages are: what the next iteration starts from. */
    async commitIteration(draft: IterationDraft): Promise<IterationManifest> {
      const committed = await deps.record.readIteration(draft.campaignId, draft.iteration);
      if (committed !== null) return committed;
      return deps.record.commitIteration({ schemaVersion: 2, ...draft, finishedAt: new Date(deps.clock.now()).toISOString() });
    },

    async commitEnd(draft: EndDraft): Promise<CampaignEnd> {
      const committed = await deps.record.readEnd(draft.campaignId);
      if (committed !== null) return committed;
      const end: CampaignEnd = { schemaVersion: 2, ...draft, finishedAt: new Date(deps.clock.now()).toISOString() };
      await deps.record.putEnd(end);
      return end;
    },
  };
}

async function runSelection(deps: ActivityDependencies, input: SelectInput) {
  const campaign = await openCampaign(deps, input.campaignId);
  const { selection } = campaign.config;
  if (selection === null) throw new CampaignError("contract.invalid", `campaign ${input.campaignId} has selection: null`);
  const own = await measuredGroups(deps, campaign, input, "selection");
  const earlier = async (against: string, iteration: number) => {
    const groups = await measuredGroups(deps, campaign, { ...input, iteration }, "selection");
    return { against, policyHash: groups[0]?.policy.hash ?? "", results: resultsOf(campaign, groups, "selection") };
  };
  const incumbent = comparesWith(selection);
  const others =
    input.best === null ? [] : [await earlier("base", 0), await earlier(incumbent, incumbent === "best" ? input.best : input.promoted)];
  const report = measure(campaign, "selection", own, others);
  return {
    inputs: { policy: input.policy.hash, [incumbent]: others.at(-1)?.policyHash ?? "none", iteration: String(input.iteration) },
    outputs: { report: await deps.record.putJson(EvaluationReport, report, "EvaluationReport/2") },
    metrics: { ...measuredMetrics("selection", report, own), ...canaryMetrics("selection", input.canary) },
    meters: sumMeters(own.map(({ meters }) => meters)),
    decision: input.best === null ? null : decidePromotion(decidingBy(campaign, report, own, others.at(-1)), selection),
  };
}

/** The difference that the campaign's rule looks at. */
function decidingBy(
  campaign: OpenedCampaign,
  report: EvaluationReport,
  own: readonly GroupManifest[],
  incumbent?: OtherPolicy,
): Estimate | null {
  const { seed, selection, evaluation } = campaign.config;
  const resamples = selection?.bootstrapResamples;
  if (resamples === undefined || incumbent === undefined) return decidingDifference(report);
  return bootstrapDifference(resultsOf(campaign, own, "selection"), incumbent.results, {
    resamples,
    confidence: evaluation.confidence,
    seed: deriveSeed(seed, "evaluation-bootstrap"),
  });
}

async function runTest(deps: ActivityDependencies, { campaignId, base, final, finalIteration }: TestInput) {
  const campaign = await openCampaign(deps, campaignId);
  const baseGroups = await measuredGroups(deps, campaign, { campaignId, iteration: 0 }, "test");
  const isBase = finalIteration === 0;
  const finalGroups = isBase ? baseGroups : await measuredGroups(deps, campaign, { campaignId, iteration: finalIteration }, "test");
  const baseline = { against: "base", policyHash: base.hash, results: resultsOf(campaign, baseGroups, "test") };
  const baseReport = measure(campaign, "test", baseGroups, []);
  const finalReport = isBase ? baseReport : measure(campaign, "test", finalGroups, [baseline]);
  const groups = isBase ? baseGroups : [...baseGroups, ...finalGroups];
  return {
    inputs: { base: base.hash, final: final.hash, iteration: String(finalIteration) },
    outputs: {
      base: await deps.record.putJson(EvaluationReport, baseReport, "EvaluationReport/2"),
      final: await deps.record.putJson(EvaluationReport, finalReport, "EvaluationReport/2"),
    },
    metrics: { ...measuredMetrics("test/base", baseReport, baseGroups), ...measuredMetrics("test", finalReport, finalGroups) },
    meters: sumMeters(groups.map(({ meters }) => meters)),
    decision: null,
  };
}

function measuredGroups(deps: ActivityDependencies, campaign: OpenedCampaign, context: IterationContext, purpose: Measuring) {
  return readManifests(deps, context, purpose, plannedTasks(campaign, purpose, context.iteration));
}

function resultsOf(campaign: OpenedCampaign, groups: readonly GroupManifest[], purpose: Measuring): TaskResult[] {
  const tasks = tasksById(campaign, purpose);
  return groups.map(({ taskId, outcomes }) => {
    const task = tasks.get(taskId);
    if (task === undefined) throw new CampaignError("environment.data-missing", `the ${purpose} split has no task ${taskId}`);
    return { taskId, cluster: clusterOf(task), kind: task.kind, passes: outcomes.map(({ passed }) => passed) };
  });
}

function measure(
  campaign: OpenedCampaign,
  purpose: Measuring,
  groups: readonly GroupManifest[],
  others: readonly OtherPolicy[],
): EvaluationReport {
  const { config } = campaign;
  return evaluate({
    purpose,
    policyHash: groups[0]?.policy.hash ?? "",
    results: resultsOf(campaign, groups, purpose),
    comparisons: others,
    confidence: config.evaluation.confidence,
    seed: deriveSeed(config.evaluation.seed, purpose),
    doNothingFloor: idleFloor(campaign, purpose, groups),
    stopReasons: countStopReasons(groups),
  });
}

function countStopReasons(groups: readonly GroupManifest[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcomes } of groups) for (const { stopReason } of outcomes) counts[stopReason] = (counts[stopReason] ?? 0) + 1;
  return counts;
}

/** The user is the benchmark's own when it measures: what it did too early is counted, never mended. */
export function measuredMetrics(prefix: string, report: EvaluationReport, groups: readonly GroupManifest[]): Record<string, number> {
  return { ...reportMetrics(prefix, report), ...partyMetrics(prefix, groups.map(partiesOf)) };
}

function reportMetrics(prefix: string, report: EvaluationReport): Record<string, number> {
  const metrics: Record<string, number> = floorMetric(prefix, report.doNothingFloor);
  const put = (name: string, { value, low, high }: { value: number; low: number | null; high: number | null }) => {
    metrics[name] = value;
    if (low !== null && high !== null) Object.assign(metrics, { [`${name}_low`]: low, [`${name}_high`]: high });
  };
  for (const { k, estimate } of report.passHatK) put(`${prefix}/pass_hat_${k}`, estimate);
  for (const { against, difference, pValue, pHolm, detectableDifference } of report.comparisons) {
    const name = `${prefix}/difference_to_${against}`;
    put(name, difference);
    const tested = { [`${name}_p`]: pValue, [`${name}_p_holm`]: pHolm, [`${name}_detectable`]: detectableDifference };
    for (const [key, value] of Object.entries(tested)) if (value !== null) metrics[key] = value;
  }
  return metrics;
}
