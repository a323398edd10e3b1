// native/1: the model's own chat template and tool calls, rendered by its server. Here are the messages that go in and what comes out.
import type { AgentTurn, AgentTurnRecord, Conversation } from "../ports.ts";

export const NATIVE_FORMAT = "native/1";

export type ChatMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string | null; readonly tool_calls?: readonly ChatToolCall[] }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };
export interface ChatToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** The conversation as chat messages. Of a message's tool calls only the executed one is shown again, as in tau-bench. */
export function chatMessages({ systemPrompt, firstUserMessage, turns }: Conversation): ChatMessage[] {
  return [{ role: "system", content: systemPrompt }, { role: "user", content: firstUserMessage }, ...turns.flatMap(messagesOfTurn)];
}

function messagesOfTurn({ turn }: AgentTurnRecord): ChatMessage[] {
  const call = turn.toolCalls.find(({ isExecuted }) => isExecuted);
  if (call === undefined) {
    const reply: ChatMessage[] = turn.userReply === null ? [] : [{ role: "user", content: turn.userReply }];
    return [{ role: "assistant", content: turn.content ?? "" }, ...reply];
  }
  const shown: ChatToolCall = { id: call.id, type: "function", function: { name: call.name, arguments: call.argumentsJson } };
  return [
    { role: "assistant", content: turn.content, tool_calls: [shown] },
    { role: "tool", tool_call_id: call.id, content: call.result ?? "" },
  ];
}

/**
 * An assistant message as an agent turn. Arguments that are not a JSON object end the rollout as unparsable: tau-bench dies on them, and
 * no chat template could show them to the model again.
 */
export function parseChatMessage(
  content: string | null,
  calls: readonly ChatToolCall[],
): Pick<AgentTurn, "content" | "toolCalls" | "parseError"> {
  const toolCalls = calls.map(({ id, function: { name, arguments: argumentsJson } }) => ({ id, name, argumentsJson }));
  const first = toolCalls[0];
  const isUnreadable = first !== undefined && !isJsonObject(first.argumentsJson);
  const text = content === null || content.trim() === "" ? null : content;
  return { content: text, toolCalls, parseError: isUnreadable ? `the arguments of ${first.name} are not a JSON object` : null };
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
