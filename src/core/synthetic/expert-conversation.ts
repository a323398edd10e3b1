// Expert, scripted user and real environment in one conversation: demonstrations for supervised training, and the check that every
// generated task can be passed.
import type { Task } from "#contracts/task.ts";
import type { Turn } from "#contracts/trajectory.ts";
import type { Conversation, SimulatorView } from "../ports.ts";
import { STOP } from "../simulator/phrases.ts";
import { scriptedReply } from "../simulator/scripted.ts";
import { type AgentMove, expertScript } from "./expert.ts";
import { randomFrom } from "./random.ts";
import type { TaskSource } from "./tasks.ts";

const MAX_TURNS = 40;

export interface ExpertConversation {
  readonly conversation: Conversation;
  readonly isPassed: boolean;
}

/** Plays one task with the expert. Same seed, same conversation. */
export function expertConversation<State>(source: TaskSource<State>, task: Task, seed: string, slipRate: number): ExpertConversation {
  const { environment, records } = source;
  const script = expertScript(task, records, randomFrom(seed, "expert"), slipRate);
  const firstUserMessage = scriptedReply(task, { firstUserMessage: null, exchanges: [] }, seed);
  const turns: Turn[] = [];
  const exchanges: SimulatorView["exchanges"][number][] = [];
  let state = environment.reset();
  let heard = firstUserMessage;
  for (let index = 0; index < MAX_TURNS && !heard.includes(STOP); index++) {
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
