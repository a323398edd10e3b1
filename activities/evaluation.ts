// The new policy on held-out tasks, beside the base policy and the promoted one on the same tasks and seeds.
import type { EndDraft, EvaluateInput, EvaluateResult, IterationDraft } from "#contracts/activities.ts";
import { EvaluationReport } from "#contracts/evaluation-report.ts";
import type { CampaignEnd, GroupManifest, IterationManifest } from "#contracts/manifests.ts";
import { clusterOf } from "#core/environment/cluster-of.ts";
import { doNothingFloor } from "#core/environment/do-nothing-floor.ts";
import { evaluate } from "#core/evaluation/evaluate.ts";
import { decidePromotion, differenceToBest } from "#core/evaluation/promotion.ts";
import { deriveSeed } from "#core/rng.ts";
import { canaryMetrics } from "#core/rollout/canary.ts";
import { outputOf } from "./calibration.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { readManifests } from "./groups.ts";
import { withHeartbeat } from "./heartbeat.ts";
import { runStage } from "./stage.ts";

export function createEvaluationActivities(deps: ActivityDependencies) {
  return {
    async evaluate(input: EvaluateInput): Promise<EvaluateResult> {
      const manifest = await withHeartbeat(() => runStage(deps, "evaluation", input, () => runEvaluation(deps, input)));
      const { decision } = manifest;
      return {
        report: outputOf(manifest.outputs, "report"),
        passRate: manifest.metrics["evaluation/pass_hat_1"] ?? 0,
        promotion: decision === "promote" || decision === "keep" ? decision : "none",
      };
    },

    /** Written when all stages are: what the next iteration starts from. */
    async commitIteration(draft: IterationDraft): Promise<IterationManifest> {
      const committed = await deps.record.readIteration(draft.campaignId, draft.iteration);
      if (committed !== null) return committed;
      return deps.record.commitIteration({ schemaVersion: 1, ...draft, finishedAt: new Date(deps.clock.now()).toISOString() });
    },

    async commitEnd(draft: EndDraft): Promise<CampaignEnd> {
      const committed = await deps.record.readEnd(draft.campaignId);
      if (committed !== null) return committed;
      const end: CampaignEnd = { schemaVersion: 1, ...draft, finishedAt: new Date(deps.clock.now()).toISOString() };
      await deps.record.putEnd(end);
      return end;
    },
  };
}

async function runEvaluation(deps: ActivityDependencies, input: EvaluateInput) {
  const { campaignId, config, iteration, taskIds, policy, promoted } = input;
  const { environment, splits } = await deps.openTaskSet(config.environment);
  const tasks = splits.selection.filter(({ id }) => taskIds.includes(id));
  const known = new Map(tasks.map((task) => [task.id, { cluster: clusterOf(task), kind: task.kind }]));
  const resultsOf = (manifests: readonly GroupManifest[]) =>
    manifests.map(({ taskId, outcomes }) => ({
      taskId,
      ...(known.get(taskId) ?? { cluster: clusterOf({ id: taskId, userId: "" }), kind: "unknown" }),
      passes: outcomes.map(({ reward }) => reward === 1),
    }));
  const own = await readManifests(deps, input, "evaluation", taskIds);
  const earlier = async (against: "base" | "promoted", of: number) => {
    const manifests = await readManifests(deps, { campaignId, iteration: of }, "evaluation", taskIds);
    return { against, policyHash: manifests[0]?.policy.hash ?? "", results: resultsOf(manifests) };
  };
  const report = evaluate({
    purpose: "selection",
    policyHash: policy.hash,
    results: resultsOf(own),
    comparisons: promoted === null ? [] : [await earlier("base", 0), await earlier("promoted", promoted.iteration)],
    confidence: config.evaluation.confidence,
    seed: deriveSeed(config.seed, "evaluation"),
    doNothingFloor: doNothingFloor(environment, tasks),
    stopReasons: countStopReasons(own),
  });
  return {
    inputs: { policy: policy.hash, promoted: promoted?.policy.hash ?? "none", iteration: String(iteration) },
    outputs: { report: await deps.record.putJson(EvaluationReport, report, "EvaluationReport/2") },
    metrics: { ...evaluationMetrics(report), ...canaryMetrics("evaluation", input.canary) },
    decision: promoted === null ? null : decidePromotion(differenceToBest(report), config.evaluation),
  };
}

function countStopReasons(manifests: readonly GroupManifest[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcomes } of manifests) for (const { stopReason } of outcomes) counts[stopReason] = (counts[stopReason] ?? 0) + 1;
  return counts;
}

function evaluationMetrics(report: EvaluationReport): Record<string, number> {
  const metrics: Record<string, number> = { "evaluation/do_nothing_floor": report.doNothingFloor };
  const put = (name: string, { value, low, high }: { value: number; low: number | null; high: number | null }) => {
    metrics[name] = value;
    if (low !== null && high !== null) Object.assign(metrics, { [`${name}_low`]: low, [`${name}_high`]: high });
  };
  for (const { k, estimate } of report.passHatK) put(`evaluation/pass_hat_${k}`, estimate);
  for (const { against, difference, pValue, pHolm, detectableDifference } of report.comparisons) {
    const name = `evaluation/difference_to_${against}`;
    put(name, difference);
    const tested = { [`${name}_p`]: pValue, [`${name}_p_holm`]: pHolm, [`${name}_detectable`]: detectableDifference };
    for (const [key, value] of Object.entries(tested)) if (value !== null) metrics[key] = value;
  }
  return metrics;
}
