// A child's side of the conversations: with its parent (stages, what was said, approval) and with its own child (rollouts). Iterations
// and the test share it.
import { ApplicationFailure, condition, ParentClosePolicy, setHandler, startChild } from "@temporalio/workflow";
import type { CanaryReport } from "#contracts/activities.ts";
import type { CampaignSettings, Question } from "#contracts/campaign-status.ts";
import type { RolloutPurpose, StageName } from "#contracts/manifests.ts";
import type { Meters } from "#contracts/meters.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { campaignWorkflowId, rolloutWorkflowId } from "#contracts/workflow-ids.ts";
import { reachedBudget } from "#core/campaign/budget.ts";
import { guardDisk, type RaisedGuard } from "#core/campaign/guards.ts";
import { addMeters, NO_METERS } from "#core/campaign/meters.ts";
import { controlActivities, rolloutActivities } from "./activity-options.ts";
import { type Heard, heardSignal, later, stageSignal } from "./messages.ts";
import { rolloutBatch } from "./rollout-batch.ts";
import { RunningClock } from "./running-clock.ts";
import { signalWorkflow } from "./signal-workflow.ts";
import { startOnceGone } from "./start-once-gone.ts";

export interface StageRunInput {
  readonly campaignId: string;
  /** That the parent is told of. */
  readonly iteration: number;
  readonly settings: CampaignSettings;
  /** Of the iterations before. */
  readonly meters: Meters;
  readonly runningSeconds: number;
  readonly heard: Heard;
  /** Guards that a person has seen and resumed from. */
  readonly acknowledged: readonly string[];
}

export class StageRun {
  private readonly input: StageRunInput;
  private heard: Heard;
  private readonly clock: RunningClock;
  private rolloutId: string | null = null;
  private isAsking = false;
  private stage: StageName = "rollout";
  /** Of this run's own stages. */
  meters: Meters = NO_METERS;

  constructor(input: StageRunInput) {
    this.input = input;
    this.heard = input.heard;
    this.clock = new RunningClock(input.runningSeconds);
    this.runClock();
    setHandler(heardSignal, async (heard) => {
      this.heard = later(this.heard, heard);
      this.runClock();
      await this.signalRollouts();
    });
  }

  /** Begins a stage: the campaign is told, and a pause, a used-up budget or a full disk holds it here. */
  async enter(stage: StageName): Promise<void> {
    this.stage = stage;
    await this.signalStage(null);
    await condition(() => this.heard.pause === null);
    this.holdBudget();
    if (this.input.settings.guards.minFreeGb === null) return;
    const { freeGb } = await controlActivities.freeSpace();
    this.raise(guardDisk(this.input.settings.guards, freeGb));
  }

  /** `sampledIn` is the iteration whose stored turns the policy's server is checked with. Answers what the check found. */
  async rollOut(purpose: RolloutPurpose, iteration: number, policy: PolicyRef, sampledIn: number | null): Promise<CanaryReport | null> {
    const { campaignId, settings } = this.input;
    const canary = await rolloutActivities.openPolicy({ campaignId, iteration, policy, sampledIn });
    const id = rolloutWorkflowId(campaignId, iteration, purpose);
    const spent = addMeters(this.input.meters, this.meters);
    const input = { campaignId, iteration, purpose, policy, concurrentGroups: settings.concurrentGroups, spent };
    try {
      const child = await startOnceGone(id, () =>
        startChild(rolloutBatch, {
          workflowId: id,
          args: [{ ...input, runningSeconds: this.clock.seconds(), heard: this.heard }],
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        }),
      );
      this.rolloutId = id;
      await this.signalRollouts();
      const { summary, reached } = await child.result();
      this.meters = addMeters(this.meters, summary.meters);
      if (reached !== null) throw ApplicationFailure.nonRetryable(reached, "guard.budget");
    } finally {
      this.rolloutId = null;
    }
    return canary;
  }

  /** A person's word on a fitted table: the one that was given already, or the one that comes. */
  async askPerson(table: string): Promise<"approved" | "rejected"> {
    if (this.heard.answers[table] === undefined) {
      this.wait(true);
      await this.signalStage({ table });
      await condition(() => this.heard.answers[table] !== undefined);
      this.wait(false);
      await this.signalStage(null);
    }
    return this.heard.answers[table]?.word === "approve" ? "approved" : "rejected";
  }

  /** Throws the first guard that nobody has acknowledged. */
  raise(guards: readonly RaisedGuard[]): void {
    const raised = guards.find(({ code }) => !this.input.acknowledged.includes(code));
    if (raised !== undefined) throw ApplicationFailure.nonRetryable(raised.message, raised.code);
  }

  add(meters: Meters): void {
    this.meters = addMeters(this.meters, meters);
  }

  /** Of the whole campaign, without pauses. */
  runningSeconds(): number {
    return this.clock.seconds();
  }

  signalStage(question: Question | null): Promise<void> {
    const { campaignId, iteration } = this.input;
    return signalWorkflow(campaignWorkflowId(campaignId), stageSignal, { iteration, stage: this.stage, question });
  }

  private holdBudget(): void {
    const spent = { meters: addMeters(this.input.meters, this.meters), runningSeconds: this.clock.seconds() };
    const reached = reachedBudget(this.heard.budget, spent);
    if (reached !== null) throw ApplicationFailure.nonRetryable(reached, "guard.budget");
  }

  private wait(isAsking: boolean): void {
    this.isAsking = isAsking;
    this.runClock();
  }

  /** A person's time to answer is no running time either. */
  private runClock(): void {
    this.clock.run(this.heard.pause === null && !this.isAsking);
  }

  private async signalRollouts(): Promise<void> {
    if (this.rolloutId !== null) await signalWorkflow(this.rolloutId, heardSignal, this.heard);
  }
}

export const timestamp = (): string => new Date().toISOString();
