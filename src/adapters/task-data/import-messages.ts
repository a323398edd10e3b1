// Chat messages in OpenAI's form, as most harnesses store them, to the turns of a trajectory.
import type { ChatMessage } from "#contracts/rollout-line.ts";
import type { StopReason, ToolCall, Turn } from "#contracts/trajectory.ts";

export interface ImportedConversation {
  /** Null when no system message comes first. */
  readonly systemPrompt: string | null;
  readonly firstUserMessage: string;
  readonly turns: Turn[];
}

/** How the benchmarks begin the text of a failed call. */
const ERROR_TEXT = /^(error\b|unknown action\b)/i;
export const STOP_TOKEN = /###(STOP|TRANSFER|OUT-OF-SCOPE)###/;

/**
 * Assistant messages become turns; tool results and user replies are attached to the turn before them. A call without a result was
 * not executed. What the harness says before the user has spoken is no turn, and the user's own tool calls are not the agent's.
 */
export function importMessages(messages: readonly ChatMessage[]): ImportedConversation {
  const turns: Turn[] = [];
  let firstUserMessage: string | null = null;
  for (const message of messages) {
    const last = turns.at(-1);
    if (message.requestor === "user" || isGreeting(message, firstUserMessage)) continue;
    if (message.role === "assistant") turns.push(newTurn(message, turns.length));
    else if (message.role === "tool") attachResult(message, last);
    else if (message.role === "user") {
      if (firstUserMessage === null) firstUserMessage = textOf(message);
      else if (last !== undefined) last.userReply = textOf(message);
    }
  }
  const [first] = messages;
  const systemPrompt = first?.role === "system" ? textOf(first) : null;
  return { systemPrompt, firstUserMessage: firstUserMessage ?? "", turns };
}

/** How the conversation ended: by the user's stop token, by a transfer, or by the cap on turns. */
export function inferStopReason({ turns }: ImportedConversation, isTerminal: (toolName: string) => boolean): StopReason {
  const last = turns.at(-1);
  if (last?.userReply !== null && last?.userReply !== undefined && STOP_TOKEN.test(last.userReply)) return "user-stop";
  if (last?.toolCalls.some((call) => call.isExecuted && isTerminal(call.name)) === true) return "transfer";
  return "turn-cap";
}

/** Arguments as the text that they are, or that they would be. */
export function argumentsText(value: string | object | null | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? {});
}

function newTurn(message: ChatMessage, index: number): Turn {
  const toolCalls = (message.tool_calls ?? []).map(
    (call): ToolCall => ({
      id: call.id,
      name: call.name,
      argumentsJson: argumentsText(call.arguments),
      result: null,
      isError: false,
      isExecuted: false,
    }),
  );
  return {
    index,
    content: textOf(message) || null,
    toolCalls,
    userReply: null,
    finishReason: toolCalls.length > 0 ? "tool_calls" : "stop",
    stateHash: null,
  };
}

/** Ids repeat between turns of some files, so a result belongs to the open call of that id in the last turn, or to its first open call. */
function attachResult(message: ChatMessage, turn: Turn | undefined): void {
  const open = turn?.toolCalls.filter((call) => !call.isExecuted) ?? [];
  const call = open.find(({ id }) => id === (message.tool_call_id ?? message.id)) ?? open[0];
  if (call === undefined) return;
  call.result = textOf(message);
  call.isExecuted = true;
  call.isError = message.error === true || ERROR_TEXT.test(call.result);
}

function isGreeting(message: ChatMessage, firstUserMessage: string | null): boolean {
  return message.role === "assistant" && firstUserMessage === null && (message.tool_calls ?? []).length === 0;
}

function textOf({ content }: ChatMessage): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => part.text ?? "").join("");
}
