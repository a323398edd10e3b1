// native/1: the model's own chat template and tool calls, rendered by its server. Here are the messages that go in and what comes out.
import type { RequestFields } from "#contracts/request-fields.ts";
import type { ToolCall } from "#contracts/trajectory.ts";
import { hashJson } from "../canonical-json.ts";
import { isNoArguments, parseArguments } from "../exact-json.ts";
import type { AgentTurn, AgentTurnRecord, Conversation } from "../ports.ts";

const NATIVE_FORMAT = "native/1";

/** What a rollout says that its prompts were made with: fields of the request may change the template, so they are part of the name. */
export function nativeFormat(requestFields: RequestFields): string {
  return Object.keys(requestFields).length === 0 ? NATIVE_FORMAT : `${NATIVE_FORMAT}+${hashJson(requestFields).slice(0, 12)}`;
}

export type ChatMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | ({ readonly role: "assistant"; readonly content: string | null; readonly tool_calls?: readonly ChatToolCall[] } & ChatReasoning)
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };
/** One thing under two names: vLLM calls it `reasoning` since 0.12, before that and elsewhere it is `reasoning_content`. */
interface ChatReasoning {
  readonly reasoning?: string | null | undefined;
  readonly reasoning_content?: string | null | undefined;
}
export interface ChatToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/**
 * The conversation as chat messages. Of a message's tool calls only the executed ones are shown again, in tau-bench one. The reasoning of earlier
 * turns goes back where that is asked for: templates show it as long as a turn's tool calls go on, and drop it themselves after that.
 */
export function chatMessages(
  { systemPrompt, greeting, firstUserMessage, turns }: Conversation,
  { sendsReasoning = false }: { readonly sendsReasoning?: boolean } = {},
): ChatMessage[] {
  const said = turns.flatMap((record) => messagesOfTurn(record, sendsReasoning));
  const greeted: ChatMessage[] = greeting === undefined ? [] : [{ role: "assistant", content: greeting }];
  return [{ role: "system", content: systemPrompt }, ...greeted, { role: "user", content: firstUserMessage }, ...said];
}

function messagesOfTurn({ turn }: AgentTurnRecord, sendsReasoning: boolean): ChatMessage[] {
  const { reasoning } = turn;
  const thought: ChatReasoning = sendsReasoning && reasoning !== undefined ? { reasoning, reasoning_content: reasoning } : {};
  const executed = turn.toolCalls.filter(({ isExecuted }) => isExecuted);
  if (executed.length === 0) {
    const reply: ChatMessage[] = turn.userReply === null ? [] : [{ role: "user", content: turn.userReply }];
    return [{ role: "assistant", content: turn.content ?? "", ...thought }, ...reply];
  }
  const results = executed.map(({ id, result }): ChatMessage => ({ role: "tool", tool_call_id: id, content: result ?? "" }));
  return [{ role: "assistant", content: turn.content, tool_calls: executed.map(shownCall), ...thought }, ...results];
}

/** A later call of a message may have been executed although its arguments are no object: a template can show none, its result says what was wrong. */
function shownCall({ id, name, argumentsJson }: ToolCall): ChatToolCall {
  const isObject = !isNoArguments(argumentsJson) && parseArguments(argumentsJson) !== null;
  return { id, type: "function", function: { name, arguments: isObject ? argumentsJson : "{}" } };
}

/**
 * An assistant message as an agent turn. No arguments are `{}`, in whatever way a server writes that. Arguments that are not a JSON object end the rollout as unparsable: tau-bench dies on them, and
 * no chat template could show them to the model again.
 */
export function parseChatMessage(
  content: string | null,
  calls: readonly ChatToolCall[],
): Pick<AgentTurn, "content" | "toolCalls" | "parseError"> {
  const toolCalls = calls.map(({ id, function: { name, arguments: argumentsJson } }) => ({ id, name, argumentsJson }));
  const first = toolCalls[0];
  const isUnreadable = first !== undefined && parseArguments(first.argumentsJson) === null;
  const text = content === null || content.trim() === "" ? null : content;
  return { content: text, toolCalls, parseError: isUnreadable ? `the arguments of ${first.name} are not a JSON object` : null };
}
