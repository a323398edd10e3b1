// The reward of a stored rollout, found again by playing its calls.
import type { GoldenTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import type { Environment } from "../environment/environment.ts";
import { gradeEnding, isNaturalEnding } from "./ending.ts";

export interface Regrade {
  readonly stored: number | null;
  readonly reward: number;
  readonly passed: boolean;
  /** Null when both rewards are equal, else one line for people. */
  readonly difference: string | null;
  readonly numCalls: number;
  /** Calls that were answered with the stored text. */
  readonly numSameResults: number;
}

/** Plays the executed calls on a fresh state and grades what they lead to. Calls no model. The task must be wholly told. */
export function regrade<State>(environment: Environment<State>, task: GoldenTask, trajectory: Trajectory): Regrade {
  const calls = trajectory.turns.flatMap(({ toolCalls }) => toolCalls).filter(({ isExecuted }) => isExecuted);
  let state = environment.reset();
  let numSameResults = 0;
  for (const call of calls) {
    const step = environment.step(state, call);
    if (step.observation === call.result) numSameResults += 1;
    state = step.state;
  }
  const { stopReason, reward: stored } = trajectory.outcome;
  const ending = { stopReason: stopReason === "error" ? ("turn-cap" as const) : stopReason, detail: null };
  const found = gradeEnding(ending, environment, state, task, trajectory.turns);
  const reward = found.reward ?? 0;
  const why = isNaturalEnding(stopReason) ? found.detail : `the conversation ended by ${stopReason}, which earns nothing`;
  const difference = stored === reward ? null : `stored ${stored ?? "no reward"}, replayed ${reward}${why === null ? "" : `: ${why}`}`;
  return { stored, reward, passed: found.passed === true, difference, numCalls: calls.length, numSameResults };
}
