// The G rollouts of one task: all of them or an error. Failed rollouts are made again, never dropped and never counted as zero.
import type { Task } from "#contracts/task.ts";
import { FailedOutcomeType, type Trajectory, type Turn, type Usage } from "#contracts/trajectory.ts";
import type { Environment } from "../environment/environment.ts";
import type { World } from "../environment/episode.ts";
import { CampaignError, FEW_TRIES } from "../errors.ts";
import type { Clock, Policy, TurnJournal, UserSimulator } from "../ports.ts";
import { deriveSeed } from "../rng.ts";
import { abandonTrajectory, runTrajectory, type TrajectoryInput, type TrajectoryResult } from "./run-trajectory.ts";
import { sumUsage } from "./usage.ts";
import { numFlaggedStops, type UserHelp } from "./user-help.ts";

export interface GroupInput<State> {
  readonly task: Task;
  readonly groupSize: number;
  readonly environment: Environment<State> | World;
  readonly policy: Policy;
  readonly simulator: UserSimulator;
  /** Of the group; the rollout of trial t has deriveSeed(seed, t), its attempt a > 0 deriveSeed(seed, t, "attempt", a). */
  readonly seed: string;
  /** The journal of one attempt at one trial. A later attempt must get another one. */
  readonly journal: (trial: number, attempt: number) => TurnJournal;
  readonly limits: GroupLimits;
  /** Absent: count. */
  readonly userHelp?: UserHelp | undefined;
  /** Makes the policy available again: waits for its server and loads its weights where they are gone. Must be safe to repeat. */
  readonly ensurePolicy: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onTurn?: (trial: number, turn: Turn) => void;
  /** Called before every wait and every new attempt, also of a user's reply: for logs, and for whoever looks on. */
  readonly onTrouble?: (trial: number, trouble: unknown) => void;
}

interface GroupLimits {
  readonly maxTurns: number;
  /** Attempts at one rollout that may end in env_error, sim_error or infra_error, the first one included. */
  readonly maxAttempts: number;
  /** How long a rollout waits for a model that does not answer, counted from its last finished turn. */
  readonly maxWaitSeconds: number;
}
export const DEFAULT_GROUP_LIMITS = { maxAttempts: 3, maxWaitSeconds: 600 } as const;

export interface GroupResult {
  /** In order of trial; every one carries a reward. */
  readonly trajectories: Trajectory[];
  readonly numRetriedRollouts: number;
  /** The same by what they had ended in; only what occurred. */
  readonly retriedByOutcome: RetriedByOutcome;
  /** Rollouts whose user stopped before the last golden write. */
  readonly numFlaggedStops: number;
  readonly numResumedTurns: number;
  /** Of all attempts, the failed ones included. */
  readonly usage: Usage;
}

export type RetriedByOutcome = Readonly<Partial<Record<FailedOutcomeType, number>>>;

/** An answer that cannot be read is asked for again this many times; with the same seed it may well come again. */
const MAX_INVALID_RESPONSES = 3;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/**
 * Rolls out one task `groupSize` times at once.
 *
 * throws  rollout.incomplete-group when a rollout fails `maxAttempts` times, retryable only if its cause is; a party's own error, at once,
 *         when no wait and no other rollout can help, or when the wait was too long; environment.replay-mismatch; the signal's reason.
 *         Journals keep every finished turn: call again to go on.
 */
export async function runGroup<State>(input: GroupInput<State>): Promise<GroupResult> {
  const siblings = new AbortController();
  const signal = AbortSignal.any([input.signal, siblings.signal]);
  const recover = singleFlight(() => input.ensurePolicy(signal));
  const members = Array.from({ length: input.groupSize }, (_, trial) =>
    runMember({ ...input, signal }, trial, recover).catch((error: unknown) => {
      siblings.abort(error);
      throw error;
    }),
  );
  const settled = await Promise.allSettled(members);
  input.signal.throwIfAborted();
  siblings.signal.throwIfAborted();
  const finished = settled.flatMap((member) => (member.status === "fulfilled" ? [member.value] : []));
  return {
    trajectories: finished.map((member) => member.trajectory),
    numRetriedRollouts: finished.reduce((sum, member) => sum + member.failures.length, 0),
    retriedByOutcome: countOutcomes(finished.flatMap(({ failures }) => failures)),
    numFlaggedStops: numFlaggedStops(finished.map(({ trajectory }) => trajectory)),
    numResumedTurns: finished.reduce((sum, member) => sum + member.numResumedTurns, 0),
    usage: sumUsage(finished.map((member) => member.usage)),
  };
}

interface Member {
  readonly trajectory: Trajectory;
  /** What the attempts before it ended in. */
  readonly failures: readonly FailedOutcomeType[];
  readonly numResumedTurns: number;
  readonly usage: Usage;
}

/** One trial: attempts until one of them carries a reward. */
async function runMember<State>(input: GroupInput<State>, trial: number, recover: () => Promise<void>): Promise<Member> {
  const usages: Usage[] = [];
  const failures: FailedOutcomeType[] = [];
  for (let attempt = 0; ; attempt++) {
    const { trajectory, numResumedTurns, error } = await runAttempt(input, trial, attempt, recover);
    usages.push(trajectory.usage);
    if (trajectory.outcome.reward !== null) return { trajectory, failures, numResumedTurns, usage: sumUsage(usages) };
    failures.push(FailedOutcomeType.parse(trajectory.outcome.type));
    input.onTrouble?.(trial, error);
    if (isHopeless(error)) throw error;
    if (attempt + 1 >= input.limits.maxAttempts) throw incompleteGroup(input.task, trial, attempt + 1, error);
  }
}

function countOutcomes(types: readonly FailedOutcomeType[]): RetriedByOutcome {
  const counts: Partial<Record<FailedOutcomeType, number>> = {};
  for (const type of types) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

/** One attempt, called again on its journal for as long as the model may come back; given up when the model only talks nonsense. */
async function runAttempt<State>(
  input: GroupInput<State>,
  trial: number,
  attempt: number,
  recover: () => Promise<void>,
): Promise<TrajectoryResult> {
  const seed = attempt === 0 ? deriveSeed(input.seed, trial) : deriveSeed(input.seed, trial, "attempt", attempt);
  const journal = input.journal(trial, attempt);
  const retries = createRetryPolicy(input.clock, input.limits.maxWaitSeconds);
  const onTurn = (turn: Turn): void => {
    retries.renew();
    input.onTurn?.(trial, turn);
  };
  const onUserTrouble = (trouble: Error): void => input.onTrouble?.(trial, trouble);
  const onEnvironmentTrouble = (trouble: Error): void => input.onTrouble?.(trial, trouble);
  const rollout: TrajectoryInput<State> = { ...input, trial, seed, journal, onTurn, onUserTrouble, onEnvironmentTrouble };
  for (let mustRecover = false; ; ) {
    try {
      if (mustRecover) await recover();
      return await runTrajectory(rollout);
    } catch (error) {
      if (input.signal.aborted || !isWorthWaiting(error)) throw error;
      if (retries.isInvalidAgain(error)) return await abandonTrajectory(rollout, error);
      if (retries.isExhausted()) throw error;
      input.onTrouble?.(trial, error);
      await input.clock.sleep(retries.nextDelay(error), input.signal);
      mustRecover = error.code === "provider.unavailable" || error.code === "provider.model-missing";
    }
  }
}

function isWorthWaiting(error: unknown): error is CampaignError {
  return error instanceof CampaignError && error.retryable && error.maxTries === null && error.code.startsWith("provider.");
}

/**
 * What another conversation may not meet, although asking the same again is useless: the user's context is full, or a bug that only some
 * calls and messages reach. A new attempt has another seed; the same attempt made again has not.
 */
const MET_BY_CHANCE: ReadonlySet<string> = new Set(["provider.context-overflow", "environment.failed", "simulator.failed"]);

/** Nothing about the rollout, everything about the set-up: another attempt cannot help. */
function isHopeless(error: unknown): boolean {
  return error instanceof CampaignError && !error.retryable && !MET_BY_CHANCE.has(error.code);
}

function incompleteGroup(task: Task, trial: number, attempts: number, error: unknown): CampaignError {
  const last = error instanceof CampaignError ? `${error.code}: ${error.message}` : String(error);
  const message = `trial ${trial} of task ${task.id} failed in ${attempts} attempts; the last: ${last}`;
  return new CampaignError("rollout.incomplete-group", message, {
    cause: error,
    maxTries: FEW_TRIES, // each is made of rollouts that were made again already
    next: "fix the cause and resume: finished turns are kept",
  });
}

/** Exponential backoff with a deadline; both start anew after every finished turn. */
function createRetryPolicy(clock: Clock, maxWaitSeconds: number) {
  let since = clock.now();
  let numWaits = 0;
  let numInvalid = 0;
  return {
    renew(): void {
      since = clock.now();
      numWaits = 0;
      numInvalid = 0;
    },
    isInvalidAgain(error: CampaignError): boolean {
      if (error.code === "provider.invalid-response") numInvalid += 1;
      return numInvalid > MAX_INVALID_RESPONSES;
    },
    isExhausted(): boolean {
      return clock.now() - since > maxWaitSeconds * 1000;
    },
    /** Milliseconds. A server that says how long to stay away is obeyed. */
    nextDelay(error: CampaignError): number {
      const backoff = Math.min(FIRST_WAIT_MS * 2 ** numWaits++, LONGEST_WAIT_MS);
      return Math.max(backoff, (error.retryAfterSeconds ?? 0) * 1000);
    },
  };
}

/** Calls that come while one is under way share its result: eight rollouts find the server gone, one of them brings it back. */
function singleFlight(action: () => Promise<void>): () => Promise<void> {
  let flight: Promise<void> | null = null;
  return () => {
    flight ??= action().finally(() => {
      flight = null;
    });
    return flight;
  };
}
