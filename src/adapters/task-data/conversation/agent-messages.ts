// Every message of the agent with its calls, in whatever form the conversation has them.
import type { ChatMessage } from "#contracts/rollout-line.ts";
import { readArguments, unwrapValues } from "./arguments.ts";
import { messageRole, textOf } from "./message-text.ts";
import type { Notes } from "./notes.ts";
import { type CallReader, findTextReader, formInText, type KnownTools, readInForm, TEXT_READERS, type TextReader } from "./readers.ts";
import { resultsInUserMessage } from "./results.ts";

export interface AgentCall {
  /** Empty when the source has none. */
  readonly id: string;
  readonly name: string;
  readonly argumentsJson: string;
}

export interface AgentMessage {
  readonly content: string | null;
  readonly reasoning: string | null;
  readonly calls: readonly AgentCall[];
}

export interface AgentMessages {
  readonly reader: CallReader;
  readonly of: (message: ChatMessage) => AgentMessage;
}

/** Finds out the form of a conversation. Notes what was read otherwise than it stands when a message is asked for. */
export function agentMessages(messages: readonly ChatMessage[], tools: KnownTools, notes: Notes): AgentMessages {
  const answered = answeredMessages(messages);
  const agents = messages.filter((message) => messageRole(message) === "assistant" && message.requestor !== "user");
  const native = agents.filter(hasNativeCalls);
  const texts = agents.map((message) => ({ text: textOf(message), isAnswered: answered.has(message) }));
  const textReader = native.length > 0 ? null : findTextReader(texts, tools);
  const read = (message: ChatMessage): AgentMessage =>
    hasNativeCalls(message) ? nativeMessage(message, tools, notes) : textMessage(message, answered.has(message), textReader, tools, notes);
  return { reader: textReader?.name ?? nativeReader(native), of: read };
}

function nativeReader(native: readonly ChatMessage[]): CallReader {
  if (native.length === 0) return "no-calls";
  return native.some(({ tool_calls: calls }) => (calls ?? []).length > 0) ? "tool-calls" : "function-call";
}

const hasNativeCalls = ({ tool_calls: calls, function_call: call }: ChatMessage) => (calls ?? []).length > 0 || (call ?? null) !== null;

/** Messages of the agent that a result follows, with nothing but system messages between them. */
function answeredMessages(messages: readonly ChatMessage[]): ReadonlySet<ChatMessage> {
  const answered = new Set<ChatMessage>();
  let last: ChatMessage | null = null;
  for (const message of messages) {
    const role = messageRole(message);
    if (role === "system") continue;
    const isResult = role === "tool" ? message.requestor !== "user" : role === "user" && resultsInUserMessage(textOf(message)) !== null;
    if (isResult && last !== null) answered.add(last);
    last = role === "assistant" ? message : null;
  }
  return answered;
}

function nativeMessage(message: ChatMessage, { schemaOf }: KnownTools, notes: Notes): AgentMessage {
  const { tool_calls: listed, function_call: single, raw_data: raw } = message;
  const calls = (listed ?? []).length > 0 ? (listed ?? []) : [{ id: "", ...(single ?? { name: "", arguments: null }) }];
  const kept = raw?.unreadable_arguments ?? [];
  return {
    content: textOf(message) || null,
    reasoning: reasoningOf(message),
    calls: calls.map(({ id, name, arguments: value }, index) => {
      const { text, note } = unwrapValues(readArguments(kept[index] ?? value), schemaOf(name));
      if (note !== null) notes.add(note);
      return { id, name, argumentsJson: text };
    }),
  };
}

function textMessage(message: ChatMessage, isAnswered: boolean, reader: TextReader | null, tools: KnownTools, notes: Notes): AgentMessage {
  const agent = { text: textOf(message), isAnswered };
  const own = reader === null ? null : readInForm(reader, agent, tools);
  const other =
    own === null && isAnswered ? TEXT_READERS.map((next) => readInForm(next, agent, tools)).find((next) => next !== null) : null;
  if (other) notes.add("calls in another form than the rest");
  const read = own ?? other ?? wordsOf(reader, agent, tools);
  const form = read?.isInForm === true ? null : formInText(agent.text);
  if (form !== null) notes.add("messages that look like a call and were not run", form);
  if (read === null) return { content: agent.text || null, reasoning: reasoningOf(message), calls: [] };
  for (const { note } of read.calls) if (note !== null) notes.add(note);
  return {
    content: read.content,
    reasoning: [reasoningOf(message), read.reasoning].filter((text) => text !== null).join("\n") || null,
    calls: read.calls.map(({ name, text }) => ({ id: "", name, argumentsJson: text })),
  };
}

/** What is said to the user by a message that is no call, where its form sets thoughts apart. */
function wordsOf(reader: TextReader | null, agent: { readonly text: string; readonly isAnswered: boolean }, tools: KnownTools) {
  const read = reader?.read(agent, tools) ?? null;
  return read === null || read.isInForm ? null : read;
}

function reasoningOf({ reasoning, reasoning_content: content, raw_data: raw }: ChatMessage): string | null {
  return reasoning || content || raw?.reasoning_content || null;
}
