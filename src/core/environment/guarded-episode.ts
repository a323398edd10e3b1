// Episodes of worlds that may hang, fail or answer nonsense: every wait has a deadline, and close is called once, whatever happens.
import type { Task } from "#contracts/task.ts";
import { CampaignError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import type { EnvironmentCall } from "./environment.ts";
import type { Episode, FinishedConversation, Grade, Observation, OpenOptions, World } from "./episode.ts";

/** Seconds that a world gets for each of its answers: the one place for them. */
export const EPISODE_SECONDS = { open: 120, act: 120, fingerprint: 30, snapshot: 60, grade: 300, close: 30 } as const;
type Answer = keyof typeof EPISODE_SECONDS;

export interface GuardOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told what went wrong where nobody waits for it any more: in closing. */
  readonly onTrouble: (trouble: Error) => void;
}

/** An episode that answers in time, and whose `close` may be called any number of times and never throws. */
export interface GuardedEpisode {
  readonly opening: Episode["opening"];
  act(calls: readonly EnvironmentCall[]): Promise<readonly Observation[]>;
  fingerprint(): Promise<string | null>;
  snapshot(): Promise<string>;
  grade(conversation: FinishedConversation): Promise<Grade>;
  close(): Promise<void>;
  readonly numPendingWrites: Episode["numPendingWrites"];
}

/**
 * Opens an episode. One that comes after its deadline, or after the signal, is closed when it comes.
 *
 * throws  environment.timeout when a deadline is over; environment.failed when the world answers what is no answer; the signal's reason;
 *         what the world throws
 */
export async function openGuarded(
  world: World,
  task: Task,
  options: Pick<OpenOptions, "seed" | "snapshot">,
  guard: GuardOptions,
): Promise<GuardedEpisode> {
  if (world.isInstant === true)
    return guarded(await world.open(task, { ...options, signal: guard.signal }), instantly(guard.signal), guard);
  const wait = inTime(world.id, guard);
  let isLate = false;
  const opening = async (signal: AbortSignal) => {
    const episode = await world.open(task, { ...options, signal });
    if (isLate) void guarded(episode, wait, guard).close();
    return episode;
  };
  try {
    return guarded(await wait("open", opening), wait, guard);
  } catch (error) {
    isLate = true;
    throw error;
  }
}

type Wait = <Result>(answer: Answer, action: (signal: AbortSignal) => Promise<Result>) => Promise<Result>;

/** Nothing to wait for, so no timer: only the signal is heeded. */
const instantly =
  (signal: AbortSignal): Wait =>
  (_answer, action) =>
    action(signal);

/** Whichever comes first: the answer, its deadline, or the signal. The world's own signal is aborted with the latter two. */
function inTime(worldId: string, { clock, signal }: GuardOptions): Wait {
  return async (answer, action) => {
    const heed = answer === "close" ? new AbortController().signal : signal; // a closing is owed to whoever has aborted, too
    heed.throwIfAborted();
    const stop = new AbortController();
    const whole = AbortSignal.any([heed, stop.signal]);
    const seconds = EPISODE_SECONDS[answer];
    const work = (async () => await action(whole))(); // also of a world that throws before it waits
    work.catch(() => {}); // of what comes too late nobody waits
    const timeout = clock.sleep(seconds * 1000, whole).then(() => {
      throw timedOut(worldId, answer, seconds);
    });
    try {
      return await Promise.race([work, timeout]);
    } finally {
      stop.abort();
      timeout.catch(() => {});
    }
  };
}

function timedOut(worldId: string, answer: Answer, seconds: number): CampaignError {
  return new CampaignError("environment.timeout", `${worldId} gave no answer to ${answer} within ${seconds} s`, {
    next: "see what the environment waits for; the rollout is made again",
  });
}

function guarded(episode: Episode, wait: Wait, { onTrouble }: GuardOptions): GuardedEpisode {
  let closing: Promise<void> | null = null;
  return {
    opening: episode.opening,
    act: async (calls) => checkObservations(calls, await wait("act", (signal) => episode.act(calls, signal))),
    fingerprint: () => wait("fingerprint", () => episode.fingerprint()),
    snapshot: () =>
      wait("snapshot", (signal) => episode.snapshot?.(signal) ?? Promise.reject(noAnswer("a world that restores has no snapshot"))),
    grade: (conversation) => wait("grade", (signal) => episode.grade(conversation, signal)),
    close() {
      closing ??= wait("close", () => episode.close()).catch((error: unknown) => {
        onTrouble(error instanceof Error ? error : new Error(String(error)));
      });
      return closing;
    },
    numPendingWrites: episode.numPendingWrites?.bind(episode),
  };
}

function checkObservations(calls: readonly EnvironmentCall[], observations: readonly Observation[]): readonly Observation[] {
  const isEnd = observations.at(-1)?.isLast === true && observations.length < calls.length;
  if (observations.length !== calls.length && !isEnd) throw noAnswer(`${calls.length} calls have ${observations.length} observations`);
  return observations;
}

const noAnswer = (what: string): CampaignError =>
  new CampaignError("environment.failed", what, { next: "mend the environment, then resume: finished turns are kept" });
