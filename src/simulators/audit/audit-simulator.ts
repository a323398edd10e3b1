// The whole audit: every script replayed k times against one simulator, outcomes compared, users' words looked at.
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import type { FlagCounts, SimulatorAudit, UserFlag } from "#contracts/simulator-audit.ts";
import type { GoldenTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { doNothingFloor } from "#core/environment/do-nothing-floor.ts";
import type { Environment } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import type { UserSimulator } from "#core/ports.ts";
import { deriveSeed } from "#core/rng.ts";
import { costOf } from "#core/rollout/cost.ts";
import { addTroubles, type SimulatorTroubles } from "#core/rollout/simulator-failure.ts";
import { type AgentScript, scriptOfGoldenActions, scriptOfTrajectory } from "./agent-script.ts";
import { type FlagContext, flagUser } from "./flag-user.ts";
import { auditTask, type NoiseOptions, overallNoise } from "./noise-floor.ts";
import { type Replay, replayScript } from "./replay-script.ts";
import { knownRecords } from "./user-records.ts";

export interface AuditInput {
  /** What the report calls the set of tasks. */
  readonly taskSet: string;
  readonly environment: Environment;
  readonly simulator: UserSimulator;
  /** True for the scripted simulator: what it does follows from task, conversation and seed alone. */
  readonly isDeterministic: boolean;
  /** Golden actions of these tasks, or recorded trajectories. */
  readonly source:
    | { readonly type: "golden-actions"; readonly tasks: readonly GoldenTask[] }
    | {
        readonly type: "trajectories";
        readonly rollouts: readonly { readonly task: GoldenTask; readonly trajectory: Trajectory }[];
        readonly reading?: RolloutReading;
      };
  readonly trials: number;
  readonly seed: string;
  readonly confidence: number;
  readonly resamples: number;
  /** Replays at once. */
  readonly concurrency: number;
  readonly priceUsdPerMillionTokens: { readonly input: number; readonly output: number } | null;
  readonly signal: AbortSignal;
  readonly onReplay?: (numDone: number, numReplays: number) => void;
  /** Called before the user is waited for or asked again. */
  readonly onTrouble?: (trouble: Error) => void;
}

/** So many replays, and no outcome among them: the rest would not have any either. */
const HOPELESS_REPLAYS = 8;

interface Job {
  readonly script: AgentScript;
  /** Which script of its task, and which replay of the script. */
  readonly scriptIndex: number;
  readonly trial: number;
}
interface DoneJob extends Job {
  readonly replay: Replay;
}

/**
 * Deterministic in the seed for a deterministic simulator.
 *
 * throws  what a replay throws: provider.* errors that no waiting can heal; the user's own failure when no replay has an outcome, as soon
 *         as that is plain; the signal's reason
 */
export async function auditSimulator(input: AuditInput): Promise<Omit<SimulatorAudit, "notes">> {
  const scripts = scriptsOf(input).sort((a, b) => compareIds(a.task.id, b.task.id));
  const done = await runJobs(jobsOf(scripts, input.trials), input);
  throwUnlessMeasured(done);
  const noise: NoiseOptions = { ...input, seed: deriveSeed(input.seed, "audit-bootstrap") };
  const byTask = Map.groupBy(done, ({ script }) => script.task.id);
  const tasks = Array.from(byTask, ([taskId, jobs]) => auditTask(taskId, replayedScripts(taskId, jobs), noise));
  const tasksOnce = Array.from(byTask.values(), ([first]) => (first as DoneJob).script.task);
  const recordedFlags = input.source.type === "trajectories" ? recordedFlagsOf(input, input.source.rollouts) : null;
  const replayedFlags = done.flatMap((job) => flagReplay(input, job));
  const { id, hash } = input.simulator;
  return {
    schemaVersion: 1,
    taskSet: input.taskSet,
    simulator: { id, hash, isDeterministic: input.isDeterministic },
    source: input.source.type,
    ...("reading" in input.source ? { reading: input.source.reading } : {}),
    trials: input.trials,
    seed: input.seed,
    doNothingFloor: doNothingFloor(input.environment, tasksOnce),
    tasks,
    overall: overallNoise(tasks, noise),
    recorded: recordedFlags === null ? null : countFlags(recordedFlags, scripts.length),
    replayed: countFlags(replayedFlags, done.length),
    flags: recordedFlags ?? [],
    replayedFlags,
    ...accountOf(done, input),
  };
}

/** "2" before "10". */
const compareIds = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });

function scriptsOf({ source, environment }: AuditInput): AgentScript[] {
  return source.type === "golden-actions"
    ? source.tasks.map((task) => scriptOfGoldenActions(task, environment))
    : source.rollouts.map(({ task, trajectory }) => scriptOfTrajectory(task, trajectory));
}

function jobsOf(scripts: readonly AgentScript[], trials: number): Job[] {
  const numSeen = new Map<string, number>();
  return scripts.flatMap((script) => {
    const scriptIndex = numSeen.get(script.task.id) ?? 0;
    numSeen.set(script.task.id, scriptIndex + 1);
    return Array.from({ length: trials }, (_, trial) => ({ script, scriptIndex, trial }));
  });
}

/** In the order of the jobs, `concurrency` at a time. */
async function runJobs(jobs: readonly Job[], input: AuditInput): Promise<DoneJob[]> {
  const done: DoneJob[] = [];
  const numHopeless = Math.max(HOPELESS_REPLAYS, input.concurrency);
  let next = 0;
  let numDone = 0;
  const stop = new AbortController();
  const signal = AbortSignal.any([input.signal, stop.signal]);
  const work = async (): Promise<void> => {
    for (let index = next++; index < jobs.length; index = next++) {
      const job = jobs[index] as Job;
      const seed = deriveSeed(input.seed, "audit", job.script.task.id, job.scriptIndex, job.trial);
      done[index] = { ...job, replay: await replayScript({ ...input, script: job.script, seed, signal }) };
      numDone += 1;
      input.onReplay?.(numDone, jobs.length);
      if (numDone === numHopeless) throwUnlessMeasured(done.filter(Boolean));
    }
  };
  const workers = Array.from({ length: Math.min(input.concurrency, jobs.length) }, () =>
    work().catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(workers);
  signal.throwIfAborted();
  return done;
}

/** Throws the failure that most replays ended with when none has an outcome. */
function throwUnlessMeasured(done: readonly DoneJob[]): void {
  const [most] = failuresOf(done);
  if (most === undefined || done.some(({ replay }) => replay.reward !== null)) return;
  const { failure } = most;
  throw new CampaignError(
    failure.code,
    `nothing was measured: none of ${done.length} replays has an outcome; ${most.count} of them: ${failure.message}`,
    {
      cause: failure,
      next: failure.next ?? "mend the endpoint, or take another model or strategy",
    },
  );
}

/** By their words, the most frequent first. */
function failuresOf(done: readonly DoneJob[]): { failure: CampaignError; count: number }[] {
  const failures = done.flatMap(({ replay }) => replay.failure ?? []);
  const groups = [...Map.groupBy(failures, ({ code, message }) => `${code} ${message}`).values()];
  return groups.map((same) => ({ failure: same[0] as CampaignError, count: same.length })).sort((a, b) => b.count - a.count);
}

function replayedScripts(taskId: string, jobs: readonly DoneJob[]) {
  return Array.from(Map.groupBy(jobs, ({ scriptIndex }) => scriptIndex).values(), (members) => ({
    taskId,
    recordedReward: (members[0] as DoneJob).script.recordedReward,
    replays: members.map(({ replay }) => replay),
  }));
}

function contextOf({ environment }: AuditInput, task: GoldenTask): FlagContext {
  return { task, environment, records: knownRecords(environment, task.userId) };
}

function recordedFlagsOf(input: AuditInput, rollouts: readonly { task: GoldenTask; trajectory: Trajectory }[]): UserFlag[] {
  return rollouts
    .flatMap(({ task, trajectory }) => flagUser({ ...trajectory, taskId: task.id }, contextOf(input, task)))
    .sort((a, b) => compareIds(a.taskId, b.taskId) || a.trial - b.trial);
}

function flagReplay(input: AuditInput, { script, scriptIndex, trial, replay }: DoneJob): UserFlag[] {
  const { firstUserMessage, turns } = replay;
  const conversation = { taskId: script.task.id, trial: scriptIndex * input.trials + trial, firstUserMessage, turns: [...turns] };
  return flagUser(conversation, contextOf(input, script.task));
}

function countFlags(flags: readonly UserFlag[], conversations: number): FlagCounts {
  const count = (kind: UserFlag["kind"]) =>
    new Set(flags.flatMap((flag) => (flag.kind === kind ? [`${flag.taskId} ${flag.trial}`] : []))).size;
  return { conversations, wrongFact: count("wrong-fact"), earlyStop: count("early-stop"), goldLeak: count("gold-leak") };
}

function accountOf(done: readonly DoneJob[], { priceUsdPerMillionTokens: price }: AuditInput) {
  const sum = (pick: (usage: Replay["usage"]) => number) => done.reduce((total, { replay }) => total + pick(replay.usage), 0);
  const simulatorPromptTokens = sum(({ promptTokens }) => promptTokens);
  const simulatorCompletionTokens = sum(({ completionTokens }) => completionTokens);
  return {
    usage: { simulatorPromptTokens, simulatorCompletionTokens, simulatorCalls: sum(({ calls }) => calls) },
    estimatedUsd:
      price === null ? null : costOf({ promptTokens: simulatorPromptTokens, completionTokens: simulatorCompletionTokens }, price),
    failures: failuresOf(done).map(({ failure: { code, message }, count }) => ({ code, message, count })),
    troubles: done.reduce<SimulatorTroubles>((total, { replay }) => addTroubles(total, replay.troubles), {}),
  };
}
