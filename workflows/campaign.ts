// Iterations until the stop rule. Answers pause, resume, stop, approve-reward and set-budget; continues as new between iterations only.

import { defineSearchAttributeKey, SearchAttributeType, type SignalDefinition } from "@temporalio/common";
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  rootCause,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { CampaignState, CampaignStatus } from "#contracts/campaign-status.ts";
import type { CampaignEnd, IterationManifest, StageName } from "#contracts/manifests.ts";
import { iterationWorkflowId } from "#contracts/workflow-ids.ts";
import { advanceProgress, type CampaignProgress, endReason } from "#core/campaign/progress.ts";
import { controlActivities } from "./activity-options.ts";
import { iteration } from "./iteration.ts";
import {
  approvalSignal,
  approveRewardUpdate,
  type CampaignInput,
  pausedSignal,
  pauseUpdate,
  rejectRewardUpdate,
  resumeUpdate,
  setBudgetUpdate,
  stageSignal,
  statusQuery,
  stopUpdate,
} from "./messages.ts";
import { tell } from "./tell.ts";

const CAMPAIGN_KEY = defineSearchAttributeKey("TurnwiseCampaign", SearchAttributeType.KEYWORD);
const STATE_KEY = defineSearchAttributeKey("TurnwiseState", SearchAttributeType.KEYWORD);
const STAGE_KEY = defineSearchAttributeKey("TurnwiseStage", SearchAttributeType.KEYWORD);
const ITERATION_KEY = defineSearchAttributeKey("TurnwiseIteration", SearchAttributeType.INT);

export async function campaign(input: CampaignInput): Promise<CampaignEnd> {
  const run = new CampaignRun(input);
  run.listen();
  for (;;) {
    const reason = run.stopReason ?? endReason(run.progress, input.config);
    if (reason !== null) return run.end(reason);
    const manifest = await run.nextIteration();
    if (manifest !== null) run.progress = advanceProgress(run.progress, manifest);
    if (manifest !== null && workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof campaign>({ ...input, progress: run.progress });
    }
  }
}

/** The mutable state of one run and the handlers that change it. */
class CampaignRun {
  progress: CampaignProgress;
  stopReason: string | null = null;
  private readonly input: CampaignInput;
  private state: CampaignState = "starting";
  private reason: CampaignStatus["reason"] = null;
  private stage: StageName | null = null;
  private isPauseAsked = false;
  private isWaitingForApproval = false;
  private isIterationRunning = false;
  private acknowledgedGuards: string[] = [];
  private budget: { maxModelCalls?: number | undefined; maxHours?: number | undefined };
  private scope: CancellationScope | null = null;

  constructor(input: CampaignInput) {
    this.input = input;
    this.progress = input.progress;
    this.budget = input.config.budget;
  }

  listen(): void {
    setHandler(statusQuery, () => this.status());
    setHandler(stageSignal, ({ stage, isWaitingForApproval }) => {
      this.stage = stage;
      this.isWaitingForApproval = isWaitingForApproval;
      this.show(isWaitingForApproval ? "waiting-for-approval" : this.isPauseAsked ? "paused" : "running");
    });
    setHandler(pauseUpdate, async () => {
      await this.setPaused(true);
      this.reason = { code: "campaign.paused-by-user", message: "paused by a person", next: this.resumeCommand() };
      this.show("paused");
      return this.state;
    });
    setHandler(resumeUpdate, async () => {
      if (this.reason?.code.startsWith("guard.")) this.acknowledgedGuards.push(this.reason.code);
      this.reason = null;
      await this.setPaused(false);
      this.show("running");
      return this.state;
    });
    setHandler(stopUpdate, (reason) => {
      this.stopReason = reason;
      this.isPauseAsked = false;
      this.show("stopping");
      this.scope?.cancel();
      return this.state;
    });
    const mustWait = {
      validator: () => {
        if (!this.isWaitingForApproval) {
          throw ApplicationFailure.nonRetryable(`campaign ${this.input.campaignId} does not wait for approval`, "campaign.not-waiting");
        }
      },
    };
    setHandler(approveRewardUpdate, () => this.answer("approved"), mustWait);
    setHandler(rejectRewardUpdate, () => this.answer("rejected"), mustWait);
    setHandler(setBudgetUpdate, (budget) => {
      this.budget = { ...this.budget, ...budget };
      return this.state;
    });
  }

  /** One iteration, or null when it was interrupted and the state says how to go on. */
  async nextIteration(): Promise<IterationManifest | null> {
    this.guardBudget();
    await condition(() => !this.isPauseAsked || this.stopReason !== null);
    if (this.stopReason !== null) return null;
    this.show("running");
    const { campaignId, config } = this.input;
    const number = this.progress.nextIteration;
    this.scope = new CancellationScope();
    try {
      const manifest = await this.scope.run(async () => {
        const child = await startChild(iteration, {
          workflowId: iterationWorkflowId(campaignId, number),
          args: [
            { context: { campaignId, config, iteration: number }, progress: this.progress, acknowledgedGuards: this.acknowledgedGuards },
          ],
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        });
        this.isIterationRunning = true;
        if (this.isPauseAsked) await this.tellIteration(pausedSignal, true);
        return child.result();
      });
      this.acknowledgedGuards = [];
      return manifest;
    } catch (error) {
      if (isCancellation(error)) {
        if (this.stopReason === null) throw error;
        return null;
      }
      this.pauseFor(error);
      return null;
    } finally {
      this.isIterationRunning = false;
      this.isWaitingForApproval = false;
      this.scope = null;
    }
  }

  async end(reason: string): Promise<CampaignEnd> {
    const isStopped = this.stopReason !== null;
    const end = await CancellationScope.nonCancellable(() =>
      controlActivities.commitEnd({
        campaignId: this.input.campaignId,
        state: isStopped ? "stopped" : "completed",
        reason,
        numIterations: Math.max(0, this.progress.nextIteration - 1),
        finalPolicy: this.progress.promoted.policy,
      }),
    );
    this.stage = null;
    this.show(end.state);
    await condition(allHandlersFinished);
    return end;
  }

  private status(): CampaignStatus {
    const { campaignId, config } = this.input;
    return {
      campaignId,
      state: this.state,
      reason: this.reason,
      iteration: Math.min(this.progress.nextIteration, config.stop.maxIterations),
      maxIterations: config.stop.maxIterations,
      stage: this.progress.nextIteration === 0 && this.stage !== null ? "base-evaluation" : this.stage,
      progress: null,
      promotedPolicy: this.progress.promoted.policy.name,
      evaluationPassRate: this.progress.promoted.passRate,
      basePassRate: this.progress.basePassRate,
      modelCalls: this.progress.modelCalls,
    };
  }

  private async setPaused(isPaused: boolean): Promise<void> {
    this.isPauseAsked = isPaused;
    if (this.isIterationRunning) await this.tellIteration(pausedSignal, isPaused);
  }

  private async answer(word: "approved" | "rejected"): Promise<string> {
    await this.tellIteration(approvalSignal, word);
    return word;
  }

  private tellIteration<Args extends [boolean] | ["approved" | "rejected"]>(signal: SignalDefinition<Args>, ...args: Args): Promise<void> {
    return tell(iterationWorkflowId(this.input.campaignId, this.progress.nextIteration), signal, ...args);
  }

  private guardBudget(): void {
    const { maxModelCalls, maxHours } = this.budget;
    const hours = (Date.now() - workflowInfo().startTime.getTime()) / 3_600_000;
    if (maxModelCalls !== undefined && this.progress.modelCalls >= maxModelCalls) {
      this.pauseWith("guard.budget", `${this.progress.modelCalls} model calls reached the budget of ${maxModelCalls}`);
    } else if (maxHours !== undefined && hours >= maxHours) {
      this.pauseWith("guard.budget", `${hours.toFixed(1)} hours reached the budget of ${maxHours}`);
    }
  }

  /** A failure that retries could not cure: the campaign waits for a person instead of failing. */
  private pauseFor(error: unknown): void {
    const cause = rootCause(error) ?? String(error);
    this.pauseWith(failureType(error) ?? "campaign.iteration-failed", cause);
  }

  private pauseWith(code: string, message: string): void {
    if (this.acknowledgedGuards.includes(code)) return;
    this.isPauseAsked = true;
    this.reason = { code, message, next: this.resumeCommand() };
    this.show("paused");
  }

  private resumeCommand(): string {
    return `turnwise campaign resume ${this.input.campaignId}`;
  }

  private show(state: CampaignState): void {
    this.state = state;
    upsertSearchAttributes([
      { key: CAMPAIGN_KEY, value: this.input.campaignId },
      { key: STATE_KEY, value: state },
      { key: STAGE_KEY, value: this.stage ?? "none" },
      { key: ITERATION_KEY, value: this.progress.nextIteration },
    ]);
  }
}

/** The code of the innermost failure that has one. */
function failureType(error: unknown): string | null {
  let type: string | null = null;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type) type = cause.type;
  }
  return type;
}
