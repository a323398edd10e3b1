// rollout -> calibration -> redesign -> training -> evaluation, once. Every stage finds its own committed output and reuses it,
// so an iteration that is run again (retry, resume, lost Temporal database) repeats nothing that the record holds.
import { ApplicationFailure, condition, executeChild, ParentClosePolicy, setHandler } from "@temporalio/workflow";
import type { CanaryReport, GroupSummary, IterationContext, IterationDraft } from "#contracts/activities.ts";
import type { IterationManifest, RolloutPurpose, StageName } from "#contracts/manifests.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { campaignWorkflowId, rolloutWorkflowId } from "#contracts/workflow-ids.ts";
import type { CampaignProgress } from "#core/campaign/progress.ts";
import { controlActivities, rolloutActivities, trainingActivities } from "./activity-options.ts";
import { approvalSignal, pausedSignal, stageSignal } from "./messages.ts";
import { rolloutBatch } from "./rollout-batch.ts";
import { tell } from "./tell.ts";

export interface IterationInput {
  readonly context: IterationContext;
  readonly progress: CampaignProgress;
  /** Guards that a person has seen and resumed from. */
  readonly acknowledgedGuards: readonly string[];
}

export async function iteration(input: IterationInput): Promise<IterationManifest> {
  const run = openIteration(input);
  const draft = input.context.iteration === 0 ? await evaluateBase(input, run) : await runStages(input, run);
  return controlActivities.commitIteration(draft);
}

/** Iteration 0: the base policy on the held-out tasks, so that every later policy has something to be compared with. */
async function evaluateBase({ context, progress }: IterationInput, run: IterationRun): Promise<IterationDraft> {
  const plan = await controlActivities.planTasks(context);
  await run.enter("evaluation");
  const startedAt = timestamp();
  const { summary, canary } = await run.rollOut("evaluation", plan.evaluation, progress.basePolicy, null);
  const { passRate } = await controlActivities.evaluate({
    ...context,
    taskIds: plan.evaluation,
    policy: progress.basePolicy,
    promoted: null,
    canary,
    startedAt,
  });
  return {
    ...unchanged(context, progress),
    evaluationPassRate: passRate,
    modelCalls: summary.modelCalls,
  };
}

async function runStages({ context, progress, acknowledgedGuards }: IterationInput, run: IterationRun): Promise<IterationDraft> {
  const plan = await controlActivities.planTasks(context);
  const policy = progress.promoted.policy;

  await run.enter("rollout");
  const rolloutStart = timestamp();
  const rollouts = await run.rollOut("train", plan.train, policy, progress.promoted.iteration);
  const { passRate, truncationRate } = await controlActivities.commitRollout({
    ...context,
    taskIds: plan.train,
    policy,
    canary: rollouts.canary,
    startedAt: rolloutStart,
  });
  guardTruncation(context, progress, truncationRate, acknowledgedGuards);

  await run.enter("calibration");
  const calibration = await controlActivities.calibrate({ ...context, taskIds: plan.train, table: progress.table, startedAt: timestamp() });

  await run.enter("redesign");
  const redesignStart = timestamp();
  const isAsking = context.config.calibration.mode === "approve" && calibration.decision === "accept";
  const approval = isAsking ? await run.askPerson() : null;
  const { table } = await controlActivities.redesign({
    ...context,
    report: calibration.report,
    table: progress.table,
    approval,
    startedAt: redesignStart,
  });
  guardRejects(context, progress, calibration.decision, acknowledgedGuards);

  await run.enter("training");
  const trainingStart = timestamp();
  const batch = await controlActivities.buildBatch({ ...context, taskIds: plan.train, policy, table });
  const draft = {
    ...unchanged(context, progress),
    tableAfter: table,
    gateDecision: calibration.decision,
    trainPassRate: passRate,
    trainTruncationRate: truncationRate,
  };
  // Nothing to learn from: every advantage is zero. The policy stays, the next iteration draws other tasks.
  if (batch.numLiveRows === 0) return { ...draft, modelCalls: rollouts.summary.modelCalls };
  const trained = await trainingActivities.train({
    ...context,
    policy,
    reference: progress.basePolicy,
    batch: batch.batch,
    credit: batch.credit,
    startedAt: trainingStart,
  });

  await run.enter("evaluation");
  const evaluationStart = timestamp();
  const evaluationRollouts = await run.rollOut("evaluation", plan.evaluation, trained.policy, null);
  const evaluation = await controlActivities.evaluate({
    ...context,
    taskIds: plan.evaluation,
    policy: trained.policy,
    promoted: { policy, iteration: progress.promoted.iteration },
    canary: evaluationRollouts.canary,
    startedAt: evaluationStart,
  });
  return {
    ...draft,
    policyTrained: trained.policy,
    policyAfter: evaluation.promotion === "promote" ? trained.policy : policy,
    promotion: evaluation.promotion,
    evaluationPassRate: evaluation.passRate,
    modelCalls: rollouts.summary.modelCalls + evaluationRollouts.summary.modelCalls,
  };
}

function unchanged({ campaignId, iteration }: IterationContext, progress: CampaignProgress): IterationDraft {
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
    evaluationPassRate: progress.promoted.passRate ?? 0,
    trainTruncationRate: null,
    modelCalls: 0,
  };
}

interface Rollouts {
  readonly summary: GroupSummary;
  /** What the check of the policy's server found. */
  readonly canary: CanaryReport | null;
}

interface IterationRun {
  enter(stage: StageName): Promise<void>;
  rollOut(purpose: RolloutPurpose, taskIds: string[], policy: PolicyRef, sampledIn: number | null): Promise<Rollouts>;
  askPerson(): Promise<"approved" | "rejected">;
}

/** The iteration's side of the conversation with its parent (stages, pauses, approval) and its child (rollouts). */
function openIteration({ context, progress: _progress }: IterationInput): IterationRun {
  const { campaignId, iteration } = context;
  const parentId = campaignWorkflowId(campaignId);
  let isPaused = false;
  let rolloutId: string | null = null;
  let approval: "approved" | "rejected" | null = null;
  let stage: StageName = "rollout";

  setHandler(pausedSignal, async (value) => {
    isPaused = value;
    if (rolloutId !== null) await tell(rolloutId, pausedSignal, value);
  });
  setHandler(approvalSignal, (word) => {
    approval = word;
  });

  return {
    async enter(next) {
      stage = next;
      await tell(parentId, stageSignal, { iteration, stage, isWaitingForApproval: false });
      await condition(() => !isPaused);
    },
    async rollOut(purpose, taskIds, policy, sampledIn) {
      // Histories of earlier versions have no report.
      const canary = (await rolloutActivities.openPolicy({ ...context, policy, sampledIn })) ?? null;
      rolloutId = rolloutWorkflowId(campaignId, iteration, purpose);
      try {
        const summary = await executeChild(rolloutBatch, {
          workflowId: rolloutId,
          args: [{ ...context, purpose, taskIds, policy, isPaused }],
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        });
        return { summary, canary };
      } finally {
        rolloutId = null;
      }
    },
    async askPerson() {
      await tell(parentId, stageSignal, { iteration, stage, isWaitingForApproval: true });
      await condition(() => approval !== null);
      await tell(parentId, stageSignal, { iteration, stage, isWaitingForApproval: false });
      return approval ?? "rejected";
    },
  };
}

function guardTruncation({ config }: IterationContext, progress: CampaignProgress, rate: number, acknowledged: readonly string[]): void {
  const before = progress.trainTruncationRate;
  const growth = config.guards.truncationGrowth;
  if (growth === null || before === null || rate <= 0.05 || rate < growth * before) return;
  raiseGuard("guard.truncation", `the truncation rate rose from ${percent(before)} to ${percent(rate)}`, acknowledged);
}

function guardRejects({ config }: IterationContext, progress: CampaignProgress, decision: string, acknowledged: readonly string[]): void {
  const limit = config.guards.consecutiveRejects;
  const count = decision === "reject" ? progress.consecutiveRejects + 1 : 0;
  if (limit === null || count < limit) return;
  raiseGuard("guard.gate-rejects", `the gate rejected ${count} reward tables in a row`, acknowledged);
}

function raiseGuard(code: string, message: string, acknowledged: readonly string[]): void {
  if (acknowledged.includes(code)) return;
  throw ApplicationFailure.nonRetryable(message, code);
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const timestamp = (): string => new Date().toISOString();
