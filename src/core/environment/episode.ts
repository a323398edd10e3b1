// One run of a task in its world, and what it earned. A world may be anything that can be waited for: a pure function, a sandbox, a server.
import type { Task } from "#contracts/task.ts";
import type { StopReason, Turn } from "#contracts/trajectory.ts";
import type { ToolSchema } from "../ports.ts";
import type { EnvironmentCall } from "./environment.ts";
import type { Protocol } from "./protocol.ts";

export interface Observation {
  readonly text: string;
  readonly isError: boolean;
  /** The world says that the episode is over with this: the conversation ends as if the agent had ended it. Absent: it goes on. */
  readonly isLast?: true;
}

/** What an episode earned. */
export interface Grade {
  /** In [0, 1]. */
  readonly reward: number;
  /** What statistics of "pass" count; an environment says it apart, since a graded reward does not. */
  readonly passed: boolean;
  /** What the reward is made of, by name. `database`, 1 or 0, is whether the final database is the golden one. */
  readonly parts: Readonly<Record<string, number>>;
  /** One line for people: why it is no pass. */
  readonly detail?: string;
}

/** What a grade may look at. */
export interface FinishedConversation {
  readonly firstUserMessage: string;
  readonly turns: readonly Turn[];
  readonly stopReason: StopReason;
}

export interface Episode {
  /** Where the task opens: the first message, when that is more than the task's instruction. */
  readonly opening?: string;
  /**
   * One observation for each call, in order; none for calls after the last one of the episode, which are not executed. Malformed arguments
   * are answered, never thrown. A message's executed calls come together.
   */
  act(calls: readonly EnvironmentCall[], signal: AbortSignal): Promise<readonly Observation[]>;
  /** Hash of the state, equal for equal states; null where there is none. */
  fingerprint(): Promise<string | null>;
  grade(conversation: FinishedConversation, signal: AbortSignal): Promise<Grade>;
  /** Called once, whatever happens. */
  close(): Promise<void>;
  /** What `open` continues from. Only where the world restores. */
  snapshot?(signal: AbortSignal): Promise<string>;
  /** Golden writes that nothing was done for yet, for judging whether a user stops too early. Absent where there are no golden actions. */
  numPendingWrites?(turns: readonly Turn[]): number;
}

/**
 * What an interrupted rollout does.
 *
 * re-execute  plays the recorded calls on a new episode and compares what it sees with the record
 * restore     opens from the snapshot of its last turn
 * restart     begins again; the trajectory says how often, and what was given up is paid for
 */
export type Resume = "re-execute" | "restore" | "restart";

export interface OpenOptions {
  /** Of the rollout: an episode with chance in it draws from this alone. */
  readonly seed: string;
  readonly signal: AbortSignal;
  /** Of an earlier episode of the same rollout; null for a new one. */
  readonly snapshot: string | null;
}

/** Where the episodes of a task set are opened, and what every rollout of it has to know. */
export interface World {
  readonly id: string;
  /** In the order the model sees them. */
  readonly tools: readonly ToolSchema[];
  readonly systemPrompt: string;
  readonly protocol: Protocol;
  readonly resume: Resume;
  /** True for an episode that never waits: it needs no deadline. */
  readonly isInstant?: boolean;
  open(task: Task, options: OpenOptions): Promise<Episode>;
}
