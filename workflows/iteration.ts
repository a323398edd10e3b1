// rollout -> calibration -> redesign -> training -> selection, once. Every stage finds its own committed output and reuses it,
// so an iteration that is run again (retry, resume, lost Temporal database) repeats nothing that the record holds.
import { CancellationScope } from "@temporalio/workflow";
import type { IterationContext, IterationDraft } from "#contracts/activities.ts";
import type { CampaignProgress, CampaignSettings } from "#contracts/campaign-status.ts";
import type { IterationManifest } from "#contracts/manifests.ts";
import { guardGradient, guardRejects, guardRollouts } from "#core/campaign/guards.ts";
import { controlActivities, trainingActivities } from "./activity-options.ts";
import type { Heard } from "./messages.ts";
import { StageRun, timestamp } from "./stage-run.ts";

export interface IterationInput {
  readonly campaignId: string;
  readonly iteration: number;
  readonly settings: CampaignSettings;
  readonly progress: CampaignProgress;
  readonly acknowledged: readonly string[];
  readonly heard: Heard;
  readonly runningSeconds: number;
}

type StagesResult = Omit<IterationDraft, "meters" | "runningSeconds">;

export async function iteration(input: IterationInput): Promise<IterationManifest> {
  const run = new StageRun({ ...input, meters: input.progress.meters });
  const result = input.iteration === 0 ? await measureBase(input, run) : await runStages(input, run);
  const runningSeconds = Math.max(0, run.runningSeconds() - input.progress.runningSeconds);
  // What is done is told: a stop at the last moment must not end a campaign one iteration before the one that its record ends with.
  return CancellationScope.nonCancellable(async () => {
    const manifest = await controlActivities.commitIteration({ ...result, meters: run.meters, runningSeconds });
    await controlActivities.applyRetention({ campaignId: input.campaignId });
    return manifest;
  });
}

/** Iteration 0: the base policy on the selection tasks, so that every later policy has something to be compared with. */
async function measureBase(input: IterationInput, run: StageRun): Promise<StagesResult> {
  const { campaignId, iteration, settings, progress } = input;
  if (!settings.hasSelection) return unchanged(input);
  await run.enter("selection");
  const startedAt = timestamp();
  const policy = progress.basePolicy;
  const canary = await run.rollOut("selection", iteration, policy, null);
  const { passRate } = await controlActivities.select({ campaignId, iteration, policy, best: null, promoted: 0, canary, startedAt });
  return { ...unchanged(input), selectionPassRate: passRate };
}

async function runStages(input: IterationInput, run: StageRun): Promise<StagesResult> {
  const { campaignId, iteration, settings, progress } = input;
  const context: IterationContext = { campaignId, iteration };
  const policy = progress.promoted.policy;

  await run.enter("rollout");
  const rolloutStart = timestamp();
  const canary = await run.rollOut("train", iteration, policy, settings.hasSelection ? progress.promoted.iteration : null);
  const rollouts = await controlActivities.commitRollout({ ...context, policy, canary, startedAt: rolloutStart });
  run.raise(guardRollouts(settings.guards, progress, rollouts));

  await run.enter("calibration");
  const calibration = await controlActivities.calibrate({ ...context, table: progress.table, startedAt: timestamp() });
  run.add(calibration.meters);

  await run.enter("redesign");
  const redesignStart = timestamp();
  const isAsking = settings.isApproving && calibration.decision === "accept" && !calibration.isRedesigned;
  const approval = isAsking ? await run.askPerson(calibration.fittedSha256) : null;
  const { report } = calibration;
  const { table } = await controlActivities.redesign({ ...context, report, table: progress.table, approval, startedAt: redesignStart });
  run.raise(guardRejects(settings.guards, progress, calibration.decision));

  await run.enter("training");
  const trainingStart = timestamp();
  const { batch, credit, numLiveRows } = await controlActivities.buildBatch({ ...context, policy, table });
  const result = {
    ...unchanged(input),
    tableAfter: table,
    gateDecision: calibration.decision,
    trainPassRate: rollouts.passRate,
    trainTruncationRate: rollouts.truncationRate,
  };
  // Nothing to learn from: every advantage is zero. The policy stays, the next iteration draws other tasks.
  if (numLiveRows === 0) return result;
  const reference = progress.basePolicy;
  const trained = await trainingActivities.train({ ...context, policy, reference, batch, credit, startedAt: trainingStart });
  run.add(trained.meters);
  run.raise(guardGradient(settings.guards, trained.gradientNorm));

  const following = { ...result, policyTrained: trained.policy, policyAfter: trained.policy, promotion: "promote" as const };
  if (!settings.hasSelection) return following;
  await run.enter("selection");
  const selectionStart = timestamp();
  const found = await run.rollOut("selection", iteration, trained.policy, null);
  const incumbents = { best: progress.best.iteration, promoted: progress.promoted.iteration };
  const selected = await controlActivities.select({
    ...context,
    ...incumbents,
    policy: trained.policy,
    canary: found,
    startedAt: selectionStart,
  });
  const isPromoted = selected.promotion === "promote";
  return {
    ...following,
    policyAfter: isPromoted ? trained.policy : policy,
    promotion: selected.promotion,
    selectionPassRate: selected.passRate,
  };
}

function unchanged({ campaignId, iteration, progress }: IterationInput): StagesResult {
  return {
    campaignId,
    iteration,
    policyBefore: progress.promoted.policy,
    policyTrained: null,
    policyAfter: progress.promoted.policy,
    tableBefore: progress.table,
    tableAfter: progress.table,
    gateDecision: "none",
    promotion: "none",
    trainPassRate: null,
    selectionPassRate: null,
    trainTruncationRate: null,
  };
}
