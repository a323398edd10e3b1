// When a rollout is over, and what it is then worth. Pure, so that a journal read back ends exactly where the live rollout did.

import type { GoldenTask } from "#contracts/task.ts";
import type { Outcome, StopReason, Turn } from "#contracts/trajectory.ts";
import type { Environment } from "../environment/environment.ts";
import type { Grade } from "../environment/episode.ts";
import { agentsEnding, type Protocol, saysStop } from "../environment/protocol.ts";
import { gradeOfState } from "../environment/state-grade.ts";
import { CampaignError } from "../errors.ts";
import { spokenText } from "./spoken-text.ts";

/** The user simulator's word for "I am done"; anywhere in a reply, as in tau-bench. */
export const STOP_TOKEN = "###STOP###";

export interface Ending {
  readonly stopReason: Exclude<StopReason, "error">;
  /** One line for people, or null where the stop reason says it all. */
  readonly detail: string | null;
}

/** What of a turn is not in the trajectory, and may end it. */
export interface TurnEnd {
  readonly parseError: string | null;
  /** The environment said that the episode is over. */
  readonly isLast?: true | undefined;
}

/** Why the conversation is over after the last of these turns, or null when it goes on. */
export function endingAfter(turns: readonly Turn[], { parseError, isLast }: TurnEnd, protocol: Protocol, maxTurns: number): Ending | null {
  const turn = turns.at(-1);
  if (turn === undefined) return null;
  if (turn.finishReason === "length") return { stopReason: "token-cap", detail: "a turn reached its token limit" };
  if (parseError !== null) return { stopReason: "unparsable", detail: parseError };
  const byAgent = agentsEnding(protocol, turn) ?? (isLast === true ? "agent-stop" : null);
  if (byAgent !== null) return { stopReason: byAgent, detail: null };
  if (turn.userReply !== null && saysStop(protocol, turn.userReply)) return { stopReason: "user-stop", detail: null };
  return limitReached(turns, protocol, maxTurns);
}

function limitReached(turns: readonly Turn[], { limits }: Protocol, maxTurns: number): Ending | null {
  if (limits.maxErrors !== null) {
    const numErrors = turns.flatMap(({ toolCalls }) => toolCalls).filter(({ isError }) => isError).length;
    if (numErrors >= limits.maxErrors) return { stopReason: "error-cap", detail: `${numErrors} calls failed` };
  }
  const most = Math.min(maxTurns, limits.maxTurns ?? maxTurns);
  return turns.length >= most ? { stopReason: "turn-cap", detail: `no end after ${most} turns` } : null;
}

/**
 * The outcome of a finished conversation. Only a conversation that ended by itself can earn the reward: a truncated or unparsable one has
 * reward 0, as in tau-bench, with the comparison of the databases beside it.
 */
export function gradeEnding<State>(
  ending: Ending,
  environment: Environment<State>,
  state: State,
  task: GoldenTask,
  turns: readonly Turn[],
): Outcome {
  return outcomeOf(ending, gradeOfState(environment.grade(state, task, repliesOf(turns))));
}

/** The same of a grade, whoever gave it. Throws environment.failed when it is none: a reward outside [0, 1]. */
export function outcomeOf(ending: Ending, grade: Grade): Outcome {
  if (!(grade.reward >= 0 && grade.reward <= 1)) throw invalidReward(grade.reward);
  const isNatural = isNaturalEnding(ending.stopReason);
  const passed = isNatural && grade.passed;
  return {
    type: ending.stopReason === "unparsable" ? "agent_error" : passed ? "ok" : "task_failed",
    reward: isNatural ? grade.reward : 0,
    passed,
    parts: { ...grade.parts },
    stopReason: ending.stopReason,
    isDatabaseMatch: grade.parts["database"] === undefined ? null : grade.parts["database"] === 1,
    detail: ending.detail ?? (passed ? null : (grade.detail ?? null)),
  };
}

function invalidReward(reward: unknown): CampaignError {
  return new CampaignError("environment.failed", `the environment graded with ${String(reward)}: a reward is a number from 0 to 1`, {
    next: "mend the environment's grade, then resume: finished turns are kept",
  });
}

/** True when user or agent ended the conversation; no other one is graded. */
export function isNaturalEnding(stopReason: StopReason): boolean {
  return stopReason === "user-stop" || stopReason === "transfer" || stopReason === "agent-stop";
}

/** What the user was told: the text of turns without a tool call. Text beside a call, and reasoning, is never shown to the user. */
export function repliesOf(turns: readonly Turn[]): string[] {
  return turns.flatMap((turn) =>
    turn.toolCalls.length === 0 && turn.userReply !== null && turn.content !== null ? [spokenText(turn.content)] : [],
  );
}
