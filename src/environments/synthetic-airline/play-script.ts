// A scripted agent, the scripted user and a real environment in one conversation.
import type { GoldenTask } from "#contracts/task.ts";
import type { Turn } from "#contracts/trajectory.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { Conversation, SimulatorView } from "#core/ports.ts";
import { STOP } from "#simulators/phrases.ts";
import { scriptedReply } from "#simulators/scripted.ts";

export type AgentMove =
  | { readonly type: "say"; readonly content: string }
  | { readonly type: "call"; readonly name: string; readonly argumentsJson: string };
/** Yields what the agent does; receives the tool's observation or the user's reply. */
export type AgentScript = Generator<AgentMove, void, string>;

export interface PlayedScript {
  readonly conversation: Conversation;
  readonly isPassed: boolean;
}

/** Plays one task. The conversation has at most `maxTurns` turns; it passes when the user ended it and the grade is 1. */
export function playScript<State>(
  environment: Environment<State>,
  task: GoldenTask,
  script: AgentScript,
  { seed, maxTurns }: { readonly seed: string; readonly maxTurns: number },
): PlayedScript {
  const firstUserMessage = scriptedReply(task, { firstUserMessage: null, exchanges: [] }, seed);
  const turns: Turn[] = [];
  const exchanges: SimulatorView["exchanges"][number][] = [];
  let state = environment.reset();
  let heard = firstUserMessage;
  for (let index = 0; index < maxTurns && !heard.includes(STOP); index++) {
    const move = script.next(heard);
    if (move.done === true) break;
    if (move.value.type === "call") {
      const { name, argumentsJson } = move.value;
      const result = environment.step(state, { name, argumentsJson });
      state = result.state;
      heard = result.observation;
      turns.push(callTurn(index, move.value, heard, result.isError));
    } else {
      const agent = move.value.content;
      heard = scriptedReply(task, { firstUserMessage, exchanges: [...exchanges, { agent, user: null }] }, seed);
      exchanges.push({ agent, user: heard });
      turns.push({ index, content: agent, toolCalls: [], userReply: heard, finishReason: "stop", stateHash: null });
    }
  }
  const replies = exchanges.map(({ agent }) => agent);
  const isPassed = heard.includes(STOP) && environment.grade(state, task, replies).reward === 1;
  return {
    conversation: { systemPrompt: "", tools: [], firstUserMessage, turns: turns.map((turn) => ({ turn, tokens: null })) },
    isPassed,
  };
}

function callTurn(index: number, { name, argumentsJson }: Extract<AgentMove, { type: "call" }>, result: string, isError: boolean): Turn {
  const toolCall = { id: `call-${index}`, name, argumentsJson, result, isError, isExecuted: true };
  return { index, content: null, toolCalls: [toolCall], userReply: null, finishReason: "tool_calls", stateHash: null };
}
