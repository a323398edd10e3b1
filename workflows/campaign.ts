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
import type { CampaignState, CampaignStatus, Question, StateName } from "#contracts/campaign-status.ts";
import type { CampaignEnd, StageName } from "#contracts/manifests.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { iterationWorkflowId, testWorkflowId } from "#contracts/workflow-ids.ts";
import { endReason } from "#core/campaign/progress.ts";
import { advanceState, applyWord } from "#core/campaign/state.ts";
import { controlActivities } from "./activity-options.ts";
import { campaignTest } from "./campaign-test.ts";
import { iteration } from "./iteration.ts";
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
import { startOnceGone } from "./start-once-gone.ts";
import { tell } from "./tell.ts";

const CAMPAIGN_KEY = defineSearchAttributeKey("TurnwiseCampaign", SearchAttributeType.KEYWORD);
const STATE_KEY = defineSearchAttributeKey("TurnwiseState", SearchAttributeType.KEYWORD);
const STAGE_KEY = defineSearchAttributeKey("TurnwiseStage", SearchAttributeType.KEYWORD);
const ITERATION_KEY = defineSearchAttributeKey("TurnwiseIteration", SearchAttributeType.INT);

/** Far below what the server allows; interrupted iterations and many words fill a history too. */
const LONG_HISTORY = 2048;

export async function campaign(input: CampaignInput): Promise<CampaignEnd> {
  const run = new CampaignRun(input);
  run.listen();
  for (let numIterations = 0; ; ) {
    const reason = run.endReason();
    if (reason !== null) {
      const end = await run.end(reason);
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
    setHandler(stageSignal, ({ stage, question }) => {
      this.stage = stage;
      this.question = question;
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
    const acknowledged = steering.acknowledged.filter((guard) => guard.iteration === number).map(({ code }) => code);
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

  /** The test and the last manifest; null when the test was interrupted. */
  async end(reason: string): Promise<CampaignEnd | null> {
    const { campaignId, settings } = this.input;
    const { stop } = this.state.steering;
    const isTested = settings.hasTest && (stop === null || stop.withTest);
    const result = isTested ? await this.test() : null;
    if (isTested && result === null) return null;
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
    const { progress, runningSeconds, steering } = await this.readyToWork();
    if (steering.stop !== null && !steering.stop.withTest) return null;
    const workflowId = testWorkflowId(campaignId);
    return this.work(workflowId, () =>
      startChild(campaignTest, {
        workflowId,
        args: [{ campaignId, settings, progress, heard: this.heard(), runningSeconds }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      }),
    );
  }

  /** The state to go on with, once nothing holds it. */
  private async readyToWork(): Promise<CampaignState> {
    await condition(() => this.state.steering.pause === null || this.state.steering.stop !== null);
    this.show();
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
    this.scope = new CancellationScope();
    this.clock.run(true);
    try {
      return await this.scope.run(async () => {
        const child = await startOnceGone(id, start);
        // Whatever was said while it started is told again: it was told the state from before.
        this.childId = id;
        await this.tellChild();
        return (await child.result()) as Awaited<ReturnType<Work>>;
      });
    } catch (error) {
      if (!isCancellation(error)) await this.pauseFor(error);
      else if (this.state.steering.stop === null) throw error;
      return null;
    } finally {
      this.clock.run(false);
      this.childId = null;
      this.question = null;
      this.scope = null;
    }
  }

  /** One word after the other: into the record, then into the state, then to whoever works. Answers the state that was reached. */
  private async say(draft: WordDraft, check: () => void = () => {}): Promise<StateName> {
    const spoken = this.lastWord.then(async () => {
      check();
      const word = {
        ...draft,
        schemaVersion: 1,
        campaignId: this.input.campaignId,
        number: this.state.steering.numWords + 1,
        iteration: this.state.progress.nextIteration,
        at: new Date().toISOString(),
      } as SteeringWord;
      await CancellationScope.nonCancellable(() => controlActivities.recordWord(word));
      this.state = applyWord(this.state, word);
      this.clock.run(this.scope !== null && this.state.steering.pause === null);
      if (word.word === "stop") this.scope?.cancel();
      this.show();
      await this.tellChild();
    });
    this.lastWord = spoken.catch(() => {});
    await spoken;
    return this.stateName();
  }

  private answer(word: "approve" | "reject", speaker: Speaker): Promise<StateName> {
    const table = this.tableInQuestion();
    return this.say({ word, by: "person", table, ...speaker }, () => this.refuseSecondAnswer(table));
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
    const { pause, budget, answers } = this.state.steering;
    return { pause, budget, answers };
  }

  private async tellChild(): Promise<void> {
    if (this.childId !== null) await tell(this.childId, heardSignal, this.heard());
  }

  /** A failure that retries could not cure, or a guard: the campaign waits for a person instead of failing. */
  private async pauseFor(error: unknown): Promise<void> {
    const code = failureType(error) ?? "campaign.iteration-failed";
    const by = code.startsWith("guard.") ? "guard" : "failure";
    await this.say({ word: "pause", by, who: code, why: rootCause(error) ?? String(error) });
  }

  private status(): CampaignStatus {
    const { campaignId, settings } = this.input;
    const { progress, steering } = this.state;
    const isBase = progress.nextIteration === 0 && this.stage !== null;
    return {
      campaignId,
      state: this.stateName(),
      reason: steering.pause,
      question: this.question,
      iteration: Math.min(progress.nextIteration, settings.maxIterations),
      maxIterations: settings.maxIterations,
      stage: isBase && this.stage === "selection" ? "base-selection" : this.stage,
      progress: null,
      promotedPolicy: progress.promoted.policy.name,
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
    const { stop, pause } = this.state.steering;
    if (stop !== null) return "stopping";
    if (pause !== null) return "paused";
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

/** The code of the innermost failure that has one. */
function failureType(error: unknown): string | null {
  let type: string | null = null;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type) type = cause.type;
  }
  return type;
}
