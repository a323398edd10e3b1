// What an agent did, as a script that can be played again: calls and messages in order, whatever the user answers.
import type { GoldenAction, GoldenTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import type { Environment, EnvironmentCall } from "#core/environment/environment.ts";
import { spokenArguments } from "#core/exact-json.ts";
import { spokenText } from "#core/rollout/spoken-text.ts";

export type AgentAction =
  | { readonly type: "call"; readonly call: EnvironmentCall }
  /** Without reasoning: what the user hears. */
  | { readonly type: "message"; readonly content: string };

export interface AgentScript {
  readonly task: GoldenTask;
  readonly actions: readonly AgentAction[];
  /** The outcome that was recorded with these actions; null for golden ones. */
  readonly recordedReward: 0 | 1 | null;
}

/** The executed calls and the messages that the user answered. */
export function scriptOfTrajectory(task: GoldenTask, { turns, outcome }: Pick<Trajectory, "turns" | "outcome">): AgentScript {
  const actions = turns.flatMap(({ toolCalls, content, userReply }): AgentAction[] => {
    const calls = toolCalls.filter(({ isExecuted }) => isExecuted);
    if (calls.length > 0) return calls.map(({ name, argumentsJson }) => ({ type: "call", call: { name, argumentsJson } }));
    return userReply === null ? [] : [{ type: "message", content: spokenText(content ?? "") }];
  });
  return { task, actions, recordedReward: outcome.passed === null ? null : outcome.passed ? 1 : 0 };
}

/**
 * A courteous agent that does exactly the golden actions: asks who is there, asks for a yes before every write, and says what the task
 * wants to be said when all is done.
 */
export function scriptOfGoldenActions(task: GoldenTask, environment: Pick<Environment, "isWrite" | "isTerminal">): AgentScript {
  const calls = task.goldenActions.flatMap((action): AgentAction[] => {
    const call: AgentAction = { type: "call", call: action };
    const needsYes = environment.isWrite(action.name) && !environment.isTerminal(action.name);
    return needsYes
      ? [{ type: "message", content: `I can do this for you: ${inWords(action)}. Shall I go ahead? (yes/no)` }, call]
      : [call];
  });
  const ending = `${task.outputs.length === 0 ? "" : `You asked for this: ${task.outputs.join(", ")}. `}Everything that can be done has been done. Is there anything else?`;
  return {
    task,
    actions: [
      { type: "message", content: "I can help you with that. What is your user id?" },
      ...calls,
      { type: "message", content: ending },
    ],
    recordedReward: null,
  };
}

/** "cancel reservation (reservation id NQNU5R)" */
function inWords({ name, argumentsJson }: GoldenAction): string {
  const words = (text: string) => text.replaceAll("_", " ");
  const facts = Object.entries(spokenArguments(argumentsJson)).flatMap(([key, value]) =>
    typeof value === "string" ? [`${words(key)} ${value}`] : [],
  );
  return `${words(name)} (${facts.join(", ")})`;
}
