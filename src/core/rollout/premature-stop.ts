// When a user hangs up too early: the golden writes are not all done, and nothing in the conversation was a reason to stop.
// Judged so that an alarm is rarely false; a stop that is merely puzzling is let pass.
import type { Task } from "#contracts/task.ts";
import type { Turn } from "#contracts/trajectory.ts";
import type { Environment } from "../environment/environment.ts";
import type { SimulatorView } from "../ports.ts";
import { STOP_TOKEN } from "./ending.ts";
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
  const golden = (task.goldenActions ?? []).map(({ name }) => name).filter((name) => isWrite(name) && !isTerminal(name));
  const done = calls.filter(({ name, isError }) => isWrite(name) && !isError).map(({ name }) => name);
  if (done.length >= golden.length) return [];
  return golden.filter((name) => {
    const at = done.indexOf(name);
    if (at >= 0) done.splice(at, 1);
    return at < 0;
  });
}

/** The agent says that it is about to act, and waits for nothing. */
const ANNOUNCES = /\b(i will|i'll|i'm going to|i am going to|let me)\b(?! (need|be|not|know)\b)|\b(one moment|please hold|bear with me)\b/i;
/** The agent says that it has acted, rightly or not: the user cannot know better. */
const CLAIMS =
  /\b((has|have) (now |already )?been|i(?: ha|')ve|successfully) (now |just |successfully )*(cancel|chang|updat|add|sent|book|process|issu|upgrad|refund|remov|modif|return|exchang)/i;
const DECLINES =
  /\b(no|not|don't|do not|won't|never ?mind|instead|rather|forget|decline|leave it|keep (it|my|the)|hold off|think about|cancel (that|this|the request)|that's (all|it)|that is all)\b/i;
const APPROVES = /\b(go ahead|please (proceed|do)|yes,? (please|proceed|that)|sure,? please)\b/i;
const COMES_BACK =
  /\b(i'll|i will|let me|i'm going to) ([\w'-]+ ){0,6}(get back to you|come back|be back|reach out|be in touch|contact you|call (you )?(back|again)|return (once|when|with))\b(?! if\b)/i;
const USER_ID = /\buser[ -]?id\b/i;

export interface Stop {
  readonly task: Pick<Task, "instruction" | "userId">;
  /** Ends with the agent's message that the reply answers. */
  readonly view: Pick<SimulatorView, "firstUserMessage" | "exchanges">;
  readonly reply: string;
  readonly numPendingWrites: number;
}

/**
 * True when the reply stops, golden writes are pending, the agent's last message neither refuses nor claims to have acted, and one of:
 * the user approves of what the agent has yet to do, or leaves it waiting for an answer; the user says that it will come back; the agent
 * has asked for the user id that the task names, and the user never said it.
 */
export function isPrematureStop(stop: Stop): boolean {
  if (stop.numPendingWrites === 0 || !stop.reply.includes(STOP_TOKEN)) return false;
  const agent = stop.view.exchanges.at(-1)?.agent ?? "";
  if (hear(agent).isRefusal || CLAIMS.test(agent)) return false;
  return leavesAgentWaiting(stop.reply, agent) || promisesToReturn(stop) || withholdsUserId(stop);
}

function leavesAgentWaiting(reply: string, agent: string): boolean {
  const said = withoutStop(reply);
  if (DECLINES.test(said)) return false;
  if (APPROVES.test(said)) return true;
  const heard = hear(agent);
  return !heard.isDone && (heard.wantsConfirmation || heard.asks.length > 0 || ANNOUNCES.test(agent));
}

/** In this message or the one before it. */
function promisesToReturn({ reply, view }: Stop): boolean {
  const before = view.exchanges.at(-2)?.user ?? "";
  return COMES_BACK.test(withoutStop(reply)) || COMES_BACK.test(before);
}

function withholdsUserId({ task, view, reply }: Stop): boolean {
  const { userId } = task;
  if (userId === null || userId === "" || !task.instruction.includes(userId)) return false;
  const said = [view.firstUserMessage ?? "", ...view.exchanges.map(({ user }) => user ?? ""), reply];
  return (
    !said.some((text) => text.includes(userId)) &&
    view.exchanges.some(({ agent }) => USER_ID.test(agent)) &&
    !view.exchanges.some(({ agent }) => CLAIMS.test(agent))
  );
}

const withoutStop = (reply: string): string => reply.replaceAll(STOP_TOKEN, "");
