// When a user hangs up too early: the golden writes are not all done, and nothing in the conversation was a reason to stop.
// Judged so that an alarm is rarely false; a stop that is merely puzzling is let pass.
import type { Task } from "#contracts/task.ts";
import type { Turn } from "#contracts/trajectory.ts";
import type { Environment } from "../environment/environment.ts";
import { STOP_TOKEN } from "../rollout/ending.ts";
import { hear } from "./hear.ts";

/**
 * Names of the golden writes for which nothing was done yet; empty once the agent has made as many writes as the task has, or has
 * transferred. Counted by tool: a write with wrong arguments counts as done, since the user cannot tell.
 */
export function pendingWrites(
  task: Pick<Task, "goldenActions">,
  turns: readonly Pick<Turn, "toolCalls">[],
  { isWrite, isTerminal }: Pick<Environment, "isWrite" | "isTerminal">,
): string[] {
  const calls = turns.flatMap(({ toolCalls }) => toolCalls.filter(({ isExecuted }) => isExecuted));
  if (calls.some(({ name }) => isTerminal(name))) return [];
  const golden = task.goldenActions.map(({ name }) => name).filter((name) => isWrite(name) && !isTerminal(name));
  const done = calls.filter(({ name, isError }) => isWrite(name) && !isError).map(({ name }) => name);
  if (done.length >= golden.length) return [];
  return golden.filter((name) => {
    const at = done.indexOf(name);
    if (at >= 0) done.splice(at, 1);
    return at < 0;
  });
}

/** The agent says that it is about to act, and waits for nothing. */
const ANNOUNCES =
  /\b(i will|i'll|i'm going to|i am going to|let me)\b(?! (need|be unable|not)\b)|\b(one moment|please hold|bear with me)\b/i;
const DECLINES =
  /\b(no|not|don't|do not|won't|never ?mind|instead|rather|forget|decline|leave it|keep (it|my|the)|hold off|think about|later|cancel (that|this|the request))\b/i;

/**
 * True when all of this holds: the reply stops, golden writes are pending, the agent's last message asks for something or announces an
 * action, it neither refuses nor says that anything is done, and the user does not decline.
 */
export function isPrematureStop({
  reply,
  agent,
  numPendingWrites,
}: {
  readonly reply: string;
  /** The message that the reply answers. */
  readonly agent: string;
  readonly numPendingWrites: number;
}): boolean {
  if (numPendingWrites === 0 || !reply.includes(STOP_TOKEN)) return false;
  const heard = hear(agent);
  if (heard.isRefusal || heard.isDone) return false;
  const isWaiting = heard.wantsConfirmation || heard.asks.length > 0 || ANNOUNCES.test(agent);
  return isWaiting && !DECLINES.test(reply.replaceAll(STOP_TOKEN, ""));
}
