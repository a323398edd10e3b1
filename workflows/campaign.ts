// Iterations until the stop rule, then the test. Everything that changes is one CampaignState, which goes whole through continue-as-new; a
// word of a person or a guard is in the record before it has an effect.
import { defineSearchAttributeKey, SearchAttributeType } from "@temporalio/common";
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  type ChildWorkflowHandle,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  rootCause,
  setHandler,
  startChild,
  upsertSearchAttributes,
  type Workflow,
  workflowInfo,
} from "@temporalio/workflow";
import type { BudgetConfig } from "#contracts/campaign-config.ts";
import type { CampaignState, CampaignStatus, Question, StateName } from "#contracts/campaign-status.ts";
import type { CampaignEnd, StageName } from "#contracts/manifests.ts";
import { LONGEST_REASON, type SteeringWord } from "#contracts/steering.ts";
import { iterationWorkflowId, testWorkflowId } from "#contracts/workflow-ids.ts";
import { endReason } from "#core/campaign/progress.ts";
import { advanceState, applyWord, isHeld } from "#core/campaign/state.ts";
import { startOf } from "#core/text.ts";
import { controlActivities } from "./activity-options.ts";
import { campaignTest } from "./campaign-test.ts";
import { iteration } from "./iteration.ts";
import { LONG_HISTORY } from "./long-history.ts";
import {
  approveRewardUpdate,
  type CampaignInput,
  type Heard,
  heardSignal,
  pauseUpdate,
  rejectRewardUpdate,
  resumeUpdate,
  type Speaker,
  setBudgetUpdate,
  stageSignal,
  statusQuery,
  stopUpdate,
} from "./messages.ts";
import { RunningClock } from "./running-clock.ts";
import { signalWorkflow } from "./signal-workflow.ts";
import { startOnceGone } from "./start-once-gone.ts";

const CAMPAIGN_KEY = defineSearchAttributeKey("TurnwiseCampaign", SearchAttributeType.KEYWORD);
const STATE_KEY = defineSearchAttributeKey("TurnwiseState", SearchAttributeType.KEYWORD);
const STAGE_KEY = defineSearchAttributeKey("TurnwiseStage", SearchAttributeType.KEYWORD);
const ITERATION_KEY = defineSearchAttributeKey("TurnwiseIteration", SearchAttributeType.INT);

export async function campaign(input: CampaignInput): Promise<CampaignEnd> {
  const run = new CampaignRun(input);
  run.listen();
  for (let numIterations = 0; ; ) {
    if (run.endReason() !== null) {
      const end = await run.end();
      if (end !== null) return end;
    } else if (await run.nextIteration()) numIterations += 1;
    const isOver = input.iterationsPerRun !== undefined && numIterations >= input.iterationsPerRun;
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (isOver || continueAsNewSuggested || historyLength > LONG_HISTORY) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof campaign>({ ...input, state: run.handOver() });
    }
  }
}

type DraftOf<Word> = Word extends SteeringWord ? Omit<Word, "schemaVersion" | "campaignId" | "number" | "iteration" | "at"> : never;
type WordDraft = DraftOf<SteeringWord>;

/** One run of the workflow: the state, what is said to it, and the child that works. */
class CampaignRun {
  private readonly input: CampaignInput;
  private state: CampaignState;
  private readonly clock: RunningClock;
  private stage: StageName | null = null;
  private question: Question | null = null;
  private childId: string | null = null;
  private scope: CancellationScope | null = null;
  private ended: CampaignEnd["state"] | null = null;
  private lastWord: Promise<void> = Promise.resolve();

  constructor(input: CampaignInput) {
    this.input = input;
    this.state = input.state;
    this.clock = new RunningClock(input.state.runningSeconds);
  }

  listen(): void {
    setHandler(statusQuery, () => this.status());
    setHandler(stageSignal, ({ iteration, stage, question }) => {
      // One that a lost parent has left behind may still speak.
      if (this.scope === null || iteration !== this.state.progress.nextIteration) return;
      this.stage = stage;
      this.question = question;
      this.runClock();
      this.show();
    });
    setHandler(pauseUpdate, (speaker) => this.say({ word: "pause", by: "person", ...speaker }));
    setHandler(resumeUpdate, (speaker) => this.say({ word: "resume", by: "person", ...speaker }));
    setHandler(stopUpdate, (speaker) => this.say({ word: "stop", by: "person", ...speaker }));
    setHandler(setBudgetUpdate, (speaker) => this.say({ word: "budget", by: "person", ...speaker }));
    const mustAsk = { validator: (_speaker: Speaker): void => void this.tableInQuestion() };
    setHandler(approveRewardUpdate, (speaker) => this.answer("approve", speaker), mustAsk);
    setHandler(rejectRewardUpdate, (speaker) => this.answer("reject", speaker), mustAsk);
  }

  endReason(): string | null {
    return this.state.steering.stop?.reason ?? endReason(this.state.progress, this.input.settings);
  }

  /** True when an iteration was committed; false when it was interrupted, and the state says how to go on. */
  async nextIteration(): Promise<boolean> {
    const { campaignId, settings } = this.input;
    const { progress, steering, runningSeconds } = await this.readyToWork();
    if (steering.stop !== null) return false;
    const number = progress.nextIteration;
    const acknowledged = this.acknowledged();
    const workflowId = iterationWorkflowId(campaignId, number);
    const manifest = await this.work(workflowId, () =>
      startChild(iteration, {
        workflowId,
        args: [{ campaignId, iteration: number, settings, progress, acknowledged, heard: this.heard(), runningSeconds }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      }),
    );
    if (manifest === null) return false;
    this.state = advanceState(this.state, manifest);
    return true;
  }

  /** The test and the last manifest; null when the test was interrupted, or a pause came before the end. */
  async end(): Promise<CampaignEnd | null> {
    const { campaignId, settings } = this.input;
    const { steering } = await this.readyToWork();
    const isTested = settings.hasTest && steering.stop?.withTest !== false;
    const result = isTested ? await this.test() : null;
    const { stop } = this.state.steering;
    const reason = this.endReason();
    if (reason === null || (isTested && result === null) || isHeld(this.state.steering)) return null;
    const { promoted, nextIteration } = this.state.progress;
    const end = await CancellationScope.nonCancellable(() =>
      controlActivities.commitEnd({
        campaignId,
        state: stop === null ? "completed" : "stopped",
        reason,
        numIterations: Math.max(0, nextIteration - 1),
        finalPolicy: promoted.policy,
        finalIteration: promoted.iteration,
        test: result,
        noTestReason: result !== null ? null : settings.hasTest ? "it was stopped before its test" : "its config has test: null",
      }),
    );
    this.stage = null;
    this.ended = end.state;
    this.show();
    await condition(allHandlersFinished);
    return end;
  }

  private async test() {
    const { campaignId, settings } = this.input;
    const { progress, runningSeconds } = this.handOver();
    const acknowledged = this.acknowledged();
    const workflowId = testWorkflowId(campaignId);
    return this.work(workflowId, () =>
      startChild(campaignTest, {
        workflowId,
        args: [{ campaignId, settings, progress, acknowledged, heard: this.heard(), runningSeconds }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      }),
    );
  }

  /** The state to go on with, once nothing holds it. */
  private async readyToWork(): Promise<CampaignState> {
    this.show();
    await condition(() => !isHeld(this.state.steering));
    return this.handOver();
  }

  handOver(): CampaignState {
    return { ...this.state, runningSeconds: this.clock.seconds() };
  }

  /** A child's result; null when it was interrupted: by a stop, or by a failure that paused the campaign. */
  private async work<Work extends Workflow>(
    id: string,
    start: () => Promise<ChildWorkflowHandle<Work>>,
  ): Promise<Awaited<ReturnType<Work>> | null> {
    const { budget } = this.state.steering;
    this.scope = new CancellationScope();
    this.stage = null;
    this.runClock();
    try {
      return await this.scope
        .run(async () => {
          const child = await startOnceGone(id, start);
          // Whatever was said while it started is told again: it was told the state from before.
          this.childId = id;
          await this.signalChild();
          return (await child.result()) as Awaited<ReturnType<Work>>;
        })
        .finally(() => this.leaveWork());
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      const isStopped = isCancellation(error) && this.state.steering.stop !== null;
      if (!isStopped) await this.pauseFor(error, budget);
      return null;
    }
  }

  private leaveWork(): void {
    this.childId = null;
    this.question = null;
    this.scope = null;
    this.runClock();
  }

  /**
   * One word after the other: into the record, then into the state, then to whoever works. Answers the state that was reached.
   * `isMeant` is asked when its turn comes: a word that has lost its sense by then is not said.
   */
  private async say(draft: WordDraft, isMeant: () => boolean = () => true): Promise<StateName> {
    const spoken = this.lastWord.then(async () => {
      if (this.ended !== null)
        throw ApplicationFailure.nonRetryable(`campaign ${this.input.campaignId} is ${this.ended}`, "campaign.ended");
      if (!isMeant()) return;
      const word = {
        ...draft,
        why: shorten(draft.why),
        schemaVersion: 1,
        campaignId: this.input.campaignId,
        number: this.state.steering.numWords + 1,
        iteration: this.state.progress.nextIteration,
        at: new Date().toISOString(),
      } as SteeringWord;
      await CancellationScope.nonCancellable(() => controlActivities.recordWord(word));
      this.state = applyWord(this.state, word);
      this.runClock();
      this.show();
      if (word.word === "stop") this.scope?.cancel();
      else await this.signalChild();
    });
    this.lastWord = spoken.catch(() => {});
    await spoken;
    return this.stateName();
  }

  private answer(word: "approve" | "reject", speaker: Speaker): Promise<StateName> {
    const table = this.tableInQuestion();
    return this.say({ word, by: "person", table, ...speaker }, () => {
      this.refuseSecondAnswer(table);
      return true;
    });
  }

  /** Throws when nobody is asked, or the first answer is there already. */
  private tableInQuestion(): string {
    const { campaignId } = this.input;
    if (this.question === null)
      throw ApplicationFailure.nonRetryable(`campaign ${campaignId} does not wait for approval`, "campaign.not-waiting");
    this.refuseSecondAnswer(this.question.table);
    return this.question.table;
  }

  private refuseSecondAnswer(table: string): void {
    const first = this.state.steering.answers[table];
    if (first === undefined) return;
    const message = `the reward table ${table.slice(0, 12)} has its answer already: ${first.word}, by ${first.who}`;
    throw ApplicationFailure.nonRetryable(message, "campaign.already-answered");
  }

  private heard(): Heard {
    const { numWords, pause, budget, answers } = this.state.steering;
    return { numWords, pause, budget, answers };
  }

  /** Codes of guards that stay silent in what runs next. */
  private acknowledged(): string[] {
    const { progress, steering } = this.state;
    return steering.acknowledged.filter(({ iteration }) => iteration === progress.nextIteration).map(({ code }) => code);
  }

  private async signalChild(): Promise<void> {
    if (this.childId !== null) await signalWorkflow(this.childId, heardSignal, this.heard());
  }

  /**
   * A failure that retries could not cure, or a guard: the campaign waits for a person instead of failing. A budget that was set anew since
   * the work began under `budget` is tried first.
   */
  private async pauseFor(error: unknown, budget: BudgetConfig): Promise<void> {
    const failure = codedFailure(error);
    const code = failure?.type ?? "campaign.iteration-failed";
    const by = code.startsWith("guard.") ? "guard" : "failure";
    const isMeant = () => code !== "guard.budget" || this.state.steering.budget === budget;
    await this.say({ word: "pause", by, who: code, why: failure?.message ?? rootCause(error) ?? String(error) }, isMeant);
  }

  /** Running time is what the campaign's own work takes: pauses and a person's time to answer are not. */
  private runClock(): void {
    const state = this.stateName();
    this.clock.run(this.scope !== null && state !== "paused" && state !== "waiting-for-approval");
  }

  private status(): CampaignStatus {
    const { campaignId, settings } = this.input;
    const { progress, steering } = this.state;
    const isBase = progress.nextIteration === 0 && this.stage !== null;
    return {
      campaignId,
      state: this.stateName(),
      reason: isHeld(steering) ? steering.pause : null,
      question: this.question,
      iteration: Math.min(progress.nextIteration, settings.maxIterations),
      maxIterations: settings.maxIterations,
      stage: isBase && this.stage === "selection" ? "base-selection" : this.stage,
      progress: null,
      promotedPolicy: progress.promoted.policy.name,
      promotedIteration: progress.promoted.iteration,
      selectionPassRate: progress.promoted.passRate,
      basePassRate: progress.basePassRate,
      meters: progress.meters,
      budget: steering.budget,
      runningSeconds: this.clock.seconds(),
    };
  }

  /** Derived, never stored: it cannot say what is not so. */
  private stateName(): StateName {
    if (this.ended !== null) return this.ended;
    if (isHeld(this.state.steering)) return "paused";
    if (this.state.steering.stop !== null) return "stopping";
    const isAsking = this.question !== null && this.state.steering.answers[this.question.table] === undefined;
    return isAsking ? "waiting-for-approval" : "running";
  }

  private show(): void {
    upsertSearchAttributes([
      { key: CAMPAIGN_KEY, value: this.input.campaignId },
      { key: STATE_KEY, value: this.stateName() },
      { key: STAGE_KEY, value: this.stage ?? "none" },
      { key: ITERATION_KEY, value: this.state.progress.nextIteration },
    ]);
  }
}

/**
 * The innermost failure that has a code, in the words of whoever gave it: what it was caused by in turn (an HTTP client's error, a file
 * system's) names neither the party nor the next step. Types of unexpected errors, like TypeError, are no codes.
 */
function codedFailure(error: unknown): ApplicationFailure | null {
  let found: ApplicationFailure | null = null;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type?.includes(".") === true) found = cause;
  }
  return found;
}

const shorten = (text: string): string => (text.length > LONGEST_REASON ? `${startOf(text, LONGEST_REASON)}…` : text);
